"""What recaps tell of offices: answers and statuses, about the report of their row, once."""

from __future__ import annotations

import io
from typing import Any

import pytest

from connectors import Request
from connectors._rows import name_rows, read_rows, row_headers
from schemas import Action, Message, Reject
from tests.channels.recording import channel, raw, read

HEAD = "No;ID Laporan;Tanggal;Nama Pelapor;Isi Laporan;OPD;Tindak Lanjut;Tgl Tindak Lanjut;Status\n"
ROW = '1;P-7;17/08/2025;Bu Contoh;Lampu mati;Dishub;"Sudah diganti, terima kasih";19/08/2025 10.00;Selesai\n'


def items(table: str, **settings: Any) -> list[Any]:
    door = channel("file", **{"zone": "Asia/Jakarta", "dates": "day-first", **settings})
    rows = name_rows(read_rows("rekap.csv", io.BytesIO(table.encode()), door.settings.columns))
    stored = (raw("file", Request(headers=row_headers(row), body=row.body)) for row in rows)
    return [item for one in stored for item in read(door, one)]


def test_a_row_is_a_report_an_answer_and_a_status():
    report, answer, status = items(HEAD + ROW)
    assert isinstance(report, Message)
    assert (report.text, report.external_ids, report.extra) == ("Lampu mati", {"rekam": "P-7"}, {"no": "1"})
    assert (answer.what, answer.text, answer.of) == ("answer", "Sudah diganti, terima kasih", {"rekam": "P-7"})
    assert (answer.office.name, answer.actor.kind, answer.actor.name) == ("Dishub", "office", "Dishub")
    assert answer.observed_at.isoformat() == "2025-08-19T10:00:00+07:00"
    assert (status.what, status.status, status.status_said, status.of) == ("status", "done", "Selesai", answer.of)


def test_an_answer_has_one_id_however_often_the_recap_comes():
    first = [one.id for one in items(HEAD + ROW)]
    assert [one.id for one in items(HEAD + "9;P-8;;;Macet;;;;\n" + ROW.replace("1;P", "2;P", 1))][1:] == first
    changed = [one.id for one in items(HEAD + ROW.replace("diganti", "dipasang").replace("Selesai", "Diproses"))]
    assert changed[0] == first[0]
    assert not set(changed[1:]) & set(first[1:])


@pytest.mark.parametrize("word", ["Belum Terverifikasi", "Ditelaah", ""])
def test_a_status_that_moves_nothing_is_no_action(word: str):
    (report,) = items(HEAD + f"1;P-7;17/08/2025;Bu Contoh;Lampu mati;;;;{word}\n")
    assert report.external_ids == {"rekam": "P-7"}, "an office may say later what it did"
    assert report.extra.get("status") == (word or None)


def test_a_status_without_a_time_is_not_newer_than_an_end_that_has_one():
    _, begun = items(HEAD + "1;P-7;17/08/2025;Bu Contoh;Lampu mati;Dishub;;;Diproses\n")
    *_, ended = items(HEAD + ROW)
    assert begun.observed_at.isoformat() == "2025-08-17T00:00:00+07:00"
    assert begun.observed_at < ended.observed_at
    assert begun.office is None


def test_the_accounts_own_words_say_what_a_status_is():
    _, status = items(HEAD + "1;P-7;17/08/2025;;Lampu mati;;;;BERES\n", statuses={"Beres": "done"})
    assert (status.status, status.status_said) == ("done", "BERES")


def test_lapors_export_moves_the_report_of_its_number():
    head = "tracking_id,tanggal_masuk,status_final,judul,isi_awal,instansi_terdisposisi,status\n"
    report, status = items(head + "4100001,2025-05-29,Selesai,Lampu,Lampu mati,Dishub,Ditutup oleh Sistem\n")
    assert (report.external_ids, report.extra["status"]) == (
        {"sp4n": "4100001", "rekam": "4100001"}, "Ditutup oleh Sistem",
    )  # fmt: skip
    assert (status.status, status.of) == ("done", report.external_ids)


def test_a_table_of_answers_alone_opens_no_report():
    table = "Tracking ID;Stakeholder;Tanggapan;Status\n4100003;Dishub;Sudah diganti;Selesai\n4100004;;;\n"
    answer, status = items(table)
    assert [one.what for one in (answer, status)] == ["answer", "status"]
    assert answer.of == {"sp4n": "4100003", "rekam": "4100003"}


def test_an_answer_that_stands_in_the_next_table_only_finds_its_report():
    (report,) = items("id;text;answer\n7;Lampu mati;\n")
    assert isinstance(report, Message)
    _, answer = items("id;text;answer\n7;Lampu mati;Sudah diganti\n")
    (begun,) = items("id;text;answer_status\n7;Lampu mati;\n")
    assert answer.of == report.external_ids == begun.external_ids == {"rekam": "7"}


def test_a_row_with_our_own_number_is_about_that_report():
    table = "Nomor Satu Pintu;Isi Laporan;Jawaban\n4719360285;Lampu mati;Sudah diganti\n4719360293;Macet;\n"
    (answer,) = items(table)
    assert (answer.number, answer.of, answer.text) == ("4719360285", {}, "Sudah diganti")


def test_a_word_in_the_place_of_our_number_makes_no_report_vanish():
    reports = "-;Lampu mati;\nbelum ada;Macet;Sudah kami urai\n"
    table = f"Nomor Satu Pintu;Isi Laporan;Jawaban\n{reports}4719360285.0;Air;\n471936;Pohon;\n"
    one, two, answer, wrong = items(table)
    assert [(found.text, type(found)) for found in (one, two)] == [("Lampu mati", Message), ("Macet", Message)]
    assert (answer.number, answer.of) == (None, two.external_ids)
    assert (wrong.code, wrong.detail[:7]) == ("wrong_of_number", "line 5:")


def test_our_own_words_that_come_back_are_refused():
    _, answer, _ = items(HEAD + ROW.replace("terima kasih", "[SP 4719360285-0a1b2c3d]"))
    assert (answer.refusal, answer.text) == ("an echo of our own", "Sudah diganti,")


def test_a_time_that_is_none_spoils_the_action_alone():
    report, answer, status = items(HEAD + ROW.replace("19/08/2025 10.00", "kemarin"))
    assert isinstance(report, Message)
    assert [one.code for one in (answer, status) if isinstance(one, Reject)] == ["wrong_answered_at"] * 2
    assert answer.detail.startswith('line 2: "answered_at" takes a time')


def test_headings_of_its_own_are_named_by_the_account():
    table = "Kode;Cerita;Balasan Dinas\nA1;Macet;Sudah kami urai\n"
    report, answer = items(table, columns={"id": "Kode", "text": "Cerita", "answer": "Balasan Dinas"})
    assert isinstance(answer, Action)
    assert (report.native_id, answer.text, answer.of) == ("A1", "Sudah kami urai", {"rekam": "A1"})


@pytest.mark.parametrize("total", [
    "Jumlah;;;;57;;55;;", ";;;;Total : 57 laporan;;;;", ";;Grand Total;;57;;;;96,5%", "Jumlah Laporan;;;;;;;;",
    ";;;JUMLAH KESELURUHAN;57;12;;;",
])  # fmt: skip
def test_a_total_is_no_report_and_no_answer(total: str):
    *_, found = items(HEAD + ROW + total + "\n")
    assert isinstance(found, Message)
    assert found.refusal == "total of a table"


@pytest.mark.parametrize("text", ["Macet total", "Jumlah air sedikit", "57", "Total 5 lubang di Jalan Melati"])
def test_words_of_citizens_are_no_total(text: str):
    (report,) = items(HEAD + f"1;P-7;17/08/2025;Bu Contoh;{text};;;;\n")
    assert (report.text, report.refusal) == (text, None)

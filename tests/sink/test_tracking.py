from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event

from schemas import Attachment, Office, Party, Place
from sink import Record, TrackedReport, apply_receipts, track_report
from sink.attachments_checks import CheckedFile, claim_checks, store_checks
from tests.sink.made import FRONT_DESK, NOW, PHONE, acted, action, message, persist, raw, receipt, routed
from tests.sink.made_replies import claim, lease, store


def filed(record: Record, **more: Any) -> str:
    """The number of Siti's report."""
    event = routed(message(1, title="Lampu mati", **more))
    persist(record, event)
    return str(event.matched.number)


def seen(record: Record, **asked: Any) -> TrackedReport:
    found = track_report(record, **asked)
    assert found is not None
    return found


def by_token(record: Record, number: str, n: int = 1) -> TrackedReport:
    return seen(record, number=number, token=record.vault.token(raw(n)))


def test_a_number_alone_shows_the_status_only(record: Record) -> None:
    found = seen(record, number=filed(record))
    assert (found.status, found.office, found.proven, found.joined) == ("unverified", "Meja depan", False, False)
    assert found.received_at == message(1).received_at
    assert (found.title, found.words, found.answers, found.timeline, found.attachments) == (None, (), (), (), ())


def test_the_token_of_any_message_of_the_conversation_shows_the_words(record: Record) -> None:
    number = filed(record)
    persist(record, routed(message(2, text="Masih mati"), "added", message(1)))
    for n in (1, 2):
        found = by_token(record, number, n)
        assert found.proven
        assert [words.text for words in found.words] == [message(1).text, "Masih mati"]
        assert found.title == "Lampu mati"
        assert [step.what for step in found.timeline] == ["routed", "recorded", "added"]


def test_what_was_sent_is_shown_back(record: Record) -> None:
    place = Place(code="32.73", name="Kota Bandung", words="Jalan Melati 3")
    file = Attachment(name="foto.jpg", media_type="image/jpeg", size=7, sha256="f" * 64, state="fetched")
    number = filed(record, place=place, incident_date="2025-06-30", attachments=(file,))
    found = by_token(record, number)
    assert (found.place_name, found.incident_date) == ("Jalan Melati 3", "2025-06-30")
    [shown] = found.attachments
    assert (shown.name, shown.media_type, shown.size, shown.shown) == ("foto.jpg", "image/jpeg", 7, None)


def test_bytes_of_a_file_are_shown_once_it_was_checked(record: Record) -> None:
    file = Attachment(name="foto.jpg", media_type="image/jpeg", size=7, sha256="f" * 64, state="fetched")
    number = filed(record, attachments=(file,))
    [due] = claim_checks(record, 10, NOW)
    store_checks(record, [CheckedFile(due.id, "clean", shown="e" * 64, shown_type="image/jpeg")], NOW)
    assert [one.shown for one in by_token(record, number).attachments] == ["e" * 64]


@pytest.mark.parametrize(
    ("last4", "proven"),
    [("0177", True), ("0178", False), ("", False), ("177", False), ("00177", False), ("١٢٣٤", False)],
)
def test_the_last_four_digits_of_the_phone_show_the_words(record: Record, last4: str, proven: bool) -> None:
    assert seen(record, number=filed(record), last4=last4).proven is proven


def test_case_09_a_phone_that_showed_up_later_in_the_conversation_proves_as_well(record: Record) -> None:
    number = filed(record, sender=Party(user="whatsapp:US.1"))
    later = message(2, sender=Party(user="whatsapp:US.1", phone="+628120000555"))
    elsewhere = message(3, sender=Party(user="whatsapp:US.1", phone="+628120000666"), conversation="x")
    persist(record, routed(later, "added", message(1)), routed(elsewhere, "added", message(1)))
    assert [seen(record, number=number, last4=last4).proven for last4 in ("0555", "0666")] == [True, False]


def test_a_proof_reads_no_whole_table(sqlite_record: Record) -> None:
    plans: list[str] = []

    def explain(_: Any, cursor: Any, statement: str, parameters: Any, *__: object) -> None:
        plans.append(str(cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()))

    number = filed(sqlite_record)
    persist(sqlite_record, routed(message(2, text="Masih mati"), "added", message(1)))
    event.listen(Engine, "before_cursor_execute", explain)
    try:
        assert seen(sqlite_record, number=number, last4=PHONE[-4:]).proven
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    assert [plan for plan in plans if "SCAN" in plan] == []


def test_of_a_report_with_many_additions_the_first_and_the_newest_words_are_shown(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sink.tracking.MOST_SHOWN", 3)
    number = filed(record)
    found = []
    for n in (2, 3, 4, 5):
        persist(record, routed(message(n, text=f"Tambahan {n}"), "added", message(1)))
        found.append(by_token(record, number))
    assert [(one.shortened, len(one.words)) for one in found] == [(False, 2), (False, 3), (True, 3), (True, 3)]
    assert [words.text for words in found[-1].words] == [message(1).text, "Tambahan 4", "Tambahan 5"]
    assert [step.what for step in found[-1].timeline] == ["added"] * 3


def test_words_are_read_for_their_reporter_alone(sqlite_record: Record) -> None:
    """Anybody can ask for a number, as often as he likes; it may have thousands of long additions."""
    number, read = filed(sqlite_record), []

    def note(_: Any, __: Any, statement: str, *___: object) -> None:
        read.append("messages.text" in statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        asked = [seen(sqlite_record, number=number, last4=last4) for last4 in (None, "0000")]
        assert (any(read), [found.proven for found in asked]) == (False, [False, False])
        assert seen(sqlite_record, number=number, last4=PHONE[-4:]).proven
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert any(read)


@pytest.mark.parametrize("shared", [{"email": "siti@contoh.id"}, {"nik": "3273010101900001"}])
def test_the_same_report_with_the_victims_mail_or_nik_proves_nothing(record: Record, shared: dict[str, str]) -> None:
    number = filed(record, sender=Party(phone=PHONE, **shared))
    attacker = message(2, sender=Party(phone="+628990007002", **shared), conversation="web-2")
    persist(record, routed(attacker, "added", message(1)))
    assert not seen(record, number=number, last4="7002").proven
    assert not by_token(record, number, 2).proven


def test_a_strangers_question_proves_nothing(record: Record) -> None:
    number = filed(record)
    asked = message(2, command="CEK", sender=Party(phone="+628120000999"), conversation="+628120000999")
    persist(record, routed(asked, "asked", message(1), stranger=True))
    assert not by_token(record, number, 2).proven
    assert not seen(record, number=number, last4="0999").proven
    assert track_report(record, raw=raw(2), token=record.vault.token(raw(2))) is None


def test_a_report_is_found_by_the_id_given_at_filing(record: Record) -> None:
    number = filed(record)
    found = seen(record, raw=raw(1))
    assert (found.number, found.proven, found.joined) == (number, False, False)
    assert seen(record, raw=raw(1), token=record.vault.token(raw(1))).proven


def test_a_report_that_joined_another_says_so(record: Record) -> None:
    filed(record)
    persist(record, routed(message(2, conversation="web-2"), "added", message(1)))
    found = seen(record, raw=raw(2), token=record.vault.token(raw(2)))
    assert (found.joined, found.proven) == (True, False)


def test_there_is_nothing_to_find(record: Record) -> None:
    assert track_report(record, number="1234567897") is None
    assert track_report(record, raw=raw(1)) is None
    persist(record, routed(message(1), "refused"))
    assert track_report(record, raw=raw(1)) is None


def test_automatic_replies_are_shown_once_they_were_sent(record: Record) -> None:
    number = filed(record)
    assert by_token(record, number).answers == ()
    (owed,) = claim(record, lease(record))
    store(record, owed, "sent", native_ids=("g1",), text="Terima kasih", at=NOW)
    apply_receipts(record, [receipt("delivered", native_id="g1")])
    assert [(answer.at, answer.text) for answer in by_token(record, number).answers] == [(NOW, "Terima kasih")]


def test_an_office_waits_for_an_answer_until_the_reporter_writes_or_the_report_is_closed(record: Record) -> None:
    number = filed(record)
    persist(record, acted(action(5, "question", text="Gang yang mana?"), message(1)))
    persist(record, acted(action(6, "answer", text="Kami tunggu"), message(1)))
    asked = by_token(record, number)
    assert [(a.text, a.question) for a in asked.answers] == [("Gang yang mana?", True), ("Kami tunggu", False)]
    persist(record, routed(message(7, text="Gang 3"), "added", message(1)))
    answered = by_token(record, number)
    persist(record, acted(action(8, "question", text="Nomor berapa?"), message(1)))
    again = by_token(record, number)
    persist(record, acted(action(9, "status", status="done"), message(1)))
    closed = by_token(record, number)
    assert [found.asked for found in (asked, answered, again, closed)] == [True, False, True, False]


def test_an_officers_words_are_shown_and_neither_the_name_nor_the_notes(record: Record) -> None:
    number = filed(record)
    answer, note = action(5, "answer", text="Kami perbaiki besok"), action(6, "note", text="Pelapor sering keliru")
    passed = action(7, "disposition", office=Office(id="pu", name="Dinas PU"))
    persist(record, *(acted(act, message(1)) for act in (answer, note, passed)))
    found = by_token(record, number)
    assert [(a.at, a.text) for a in found.answers] == [(NOW + timedelta(minutes=5), "Kami perbaiki besok")]
    assert [(s.what, s.who) for s in found.timeline][2:] == [("answer", "officer"), ("disposition", "officer")]
    assert found.office == "Dinas PU"
    assert "keliru" not in str(found)
    assert "Budi" not in str(found)


@pytest.mark.parametrize("status", ["done", "archived", "rejected"])
def test_the_words_of_the_end_are_an_answer(record: Record, status: Any) -> None:
    number = filed(record)
    persist(record, acted(action(5, "status", status=status, text="Bukan wewenang kota"), message(1)))
    found = by_token(record, number)
    assert [(a.at, a.text) for a in found.answers] == [(NOW + timedelta(minutes=5), "Bukan wewenang kota")]
    assert seen(record, number=number).answers == ()


def test_the_words_of_a_disposition_with_a_status_are_no_answer(record: Record) -> None:
    number, office = filed(record), Office(id="pu", name="Dinas PU")
    passed = action(5, "disposition", status="verified", text="Untuk ditelaah", office=office)
    persist(record, acted(passed, message(1)))
    assert by_token(record, number).answers == ()


def test_the_hubs_own_reasons_are_not_shown(record: Record) -> None:
    number = filed(record)
    persist(record, routed(message(2, command="CEK", text="CEK", cleaned=""), "asked", message(1)))
    persist(record, acted(action(5, "status", status="done", text="Sudah menyala"), message(1)))
    rating = message(3, command="NILAI", rating=4, text="NILAI 4", cleaned="")
    persist(record, routed(rating, "added", message(1)))
    found = by_token(record, number)
    assert [words.text for words in found.words] == [message(1).text]
    shown = {step.what: step.why for step in found.timeline}
    assert shown == {
        "routed": FRONT_DESK.why, "recorded": None, "status_asked": None, "rated": "4", "status_done": "Sudah menyala",
    }  # fmt: skip

"""Tables of offices, with headings of their own, and LAPOR!'s export."""

from __future__ import annotations

import io
import json

import pytest

from connectors._rows import UnreadableFile, read_rows


def values(data: str | bytes, **columns: str) -> list[dict[str, str]]:
    body = data if isinstance(data, bytes) else data.encode()
    return [json.loads(row.body) for row in read_rows("a.csv", io.BytesIO(body), columns)]


LAPOR = (
    "tracking_id,tanggal_masuk,waktu_masuk,status_final,klasifikasi,id_kategori,kategori,judul,isi_awal,isi_akhir,"
    "tipe,sumber_laporan,provinsi,kota_kabupaten,kecamatan_resmi,kelurahan_resmi\n"
)


def test_lapors_own_export_is_known_by_its_headings():
    (row,) = values(
        LAPOR + '4100001,2025-05-29,04:05:34,Selesai,Aspirasi,1454.0,Bantuan,Lampu mati,"Lampu mati, gelap",'
        "Lampu mati gelap,Anonim|Rahasia,Website,Jawa Barat,Bandung,CIPARAY,Contohsari\n"
    )
    assert row.items() >= {
        "id": "4100001", "external_ids": '{"sp4n":"4100001"}', "sent_at": "2025-05-29 04:05:34",
        "category": "1454", "title": "Lampu mati", "text": "Lampu mati, gelap", "anonymous": "ya", "secret": "ya",
        "region": "Kelurahan Contohsari, Kecamatan Ciparay, Kabupaten Bandung, Jawa Barat",
        "answer_status": "Selesai", "answer": "", "klasifikasi": "Aspirasi", "sumber_laporan": "Website",
    }.items()  # fmt: skip


def test_a_city_of_lapor_stays_a_city():
    (row,) = values(LAPOR + "4100002,2025-05-29,04:05:34,,,,,,Macet,,,,,Kota Bandung,,\n")
    assert row["region"] == "Kota Bandung"
    assert not {"anonymous", "secret", "category"} & row.keys()


def test_a_recap_of_answers_has_the_title_as_words():
    (row,) = values("No,Tanggal,Tracking ID,User,Judul,Stakeholder,Tanggapan,Keterangan\n"
                    "1,2025-05-29,4100003,Bu Contoh,Lampu mati,Dishub,Sudah diganti,selesai\n")  # fmt: skip
    assert row == {
        "no": "1", "sent_at": "2025-05-29", "id": "4100003", "name": "Bu Contoh", "text": "Lampu mati",
        "answered_by": "Dishub", "answer": "Sudah diganti", "keterangan": "selesai",
        "external_ids": '{"sp4n":"4100003"}',
    }  # fmt: skip


@pytest.mark.parametrize(
    "title", ["REKAP PENGADUAN MASYARAKAT", '"Rekap, triwulan II; 2025"', "sep=;", "\n\n", "Laporan;;;;"]
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
def test_a_recap_below_titles_is_read(title: str, encoding: str):
    data = (
        f"{title}\r\nNo.;Tgl;Nama Pelapor;No. HP;Isi Pengaduan;Lintang;Bujur\r\n1;05 Mei 2025;Bu Contoh;081200000001;"
    )
    (row,) = values(f"{data}Lampu “mati”, gelap;-6,91;107,6\r\n".encode(encoding))
    assert row == {
        "no.": "1", "sent_at": "05 Mei 2025", "name": "Bu Contoh", "sender": "081200000001",
        "text": "Lampu “mati”, gelap", "latitude": "-6,91", "longitude": "107,6",
    }  # fmt: skip


def test_the_accounts_own_columns_say_what_a_heading_means():
    (row,) = values("Kode;Cerita Warga;Alamat\nA1;Macet;Jalan Melati\n", id="kode", text="Cerita  warga")
    assert row == {"id": "A1", "text": "Macet", "alamat": "Jalan Melati"}


def test_the_accounts_own_columns_win():
    (row,) = values("Isi;Keluhan;Tanggal\nringkas;Macet di Dago;2025-05-29\n", text="Keluhan")
    assert row == {"isi": "ringkas", "text": "Macet di Dago", "sent_at": "2025-05-29"}


def test_headings_that_stand_too_far_below_are_not_looked_for():
    with pytest.raises(UnreadableFile, match="no column `text`"):
        values("catatan\n" * 40 + "No,Isi Laporan\n1,Macet\n")


def test_a_table_whose_words_have_no_known_heading_is_not_guessed():
    with pytest.raises(UnreadableFile, match="satupintu file map"):
        values("No,Tanggal,Catatan Petugas\n1,2025-05-29,Macet\n")


def test_rows_below_known_headings_are_read_as_they_come():
    class Flowing(io.BytesIO):
        asked = 0

        def read1(self, size: int | None = -1) -> bytes:
            self.asked += 1
            return super().read1(60)

    flowing = Flowing(b"Isi Laporan,Nama\n" + b"Macet,Bu Contoh\n" * 1000)
    next(read_rows("-", flowing))
    assert flowing.asked < 10


@pytest.mark.parametrize(
    ("day", "clock", "read"),
    [
        ("45874", "0,354166667", "2025-08-05 8:30:00"),
        ("05/08/2025 0:00", "0,5", "05/08/2025 12:00:00"),
        ("2025-08-05", "0.999999", "2025-08-05 23:59:59"),
        ("2025-08-05", "0.30", "2025-08-05 0.30"),
        ("5 Agustus 2025", "pukul 14.30 WIB", "5 Agustus 2025 pukul 14.30 WIB"),
    ],
)
def test_a_spreadsheets_numbers_of_day_and_hour_are_one_time(day: str, clock: str, read: str):
    (row,) = values(f"Tanggal;Jam;Isi Laporan\n{day};{clock};Macet\n")
    assert row == {"sent_at": read, "text": "Macet"}


@pytest.mark.parametrize("clock", ["pagi", "25 jam", "5 Agustus 2025 08.30"])
def test_words_beside_a_date_take_nothing_from_it(clock: str):
    (row,) = values(f"Tanggal;Waktu;Isi Laporan\n05/08/2025;{clock};Macet\n")
    assert row == {"sent_at": "05/08/2025", "clock": clock, "text": "Macet"}

"""Personal data: where they stand, and that masking shows none and never lengthens. All values are made up."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.personal import is_nik, mask_personal, personal_spans


def found(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in personal_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("NIK 3273014505900003 sudah terdaftar", [("nik", "3273014505900003")]),
        ("ktp saya 3273 0145 0590 0003", [("nik", "3273 0145 0590 0003")]),
        ("3273014505900003,6404010102850001", [("nik", "3273014505900003"), ("nik", "6404010102850001")]),
        ("nomor 9101010102850001 dari Merauke dulu", [("nik", "9101010102850001")]),
        ("No. KK : 3273010101100001", [("kk", "3273010101100001")]),
        ("(KTP)KK:3273010101100001Alamat", [("kk", "3273010101100001")]),
        ("NPWP 01.234.567.4-412.000", [("npwp", "01.234.567.4-412.000")]),
        ("kartu BPJS 0001234567891", [("bpjs", "0001234567891")]),
        ("hub 0812-0000-1234 atau 62 813 0000 4321", [("phone", "0812-0000-1234"), ("phone", "62 813 0000 4321")]),
        ("WA +62 812-0000-1234", [("phone", "+62 812-0000-1234")]),
        ("wa.me/6281200001234", [("phone", "6281200001234")]),
        ("telp. (022) 7201234", [("phone", "(022) 7201234")]),
        ("hub (0812) 0000-1234", [("phone", "(0812) 0000-1234")]),
        ("hub +(62) 81200001234", [("phone", "+(62) 81200001234")]),
        ("(hp 081200001234)", [("phone", "081200001234")]),
        ("kirim ke sari.dewi@contoh.co.id ya", [("email", "sari.dewi@contoh.co.id")]),
        ("rek BCA 1234567890 a.n. Sari Dewi", [("account", "1234567890"), ("name", "Sari Dewi")]),
        ("rek BRI 1234-01-000123-50-1 an Sari Dewi", [("account", "1234-01-000123-50-1"), ("name", "Sari Dewi")]),
        ("kartu ATM 6013 0123 4567 8901 tertelan", [("account", "6013 0123 4567 8901")]),
        ("sari.dewi [at] gmail [dot] com", [("email", "sari.dewi [at] gmail [dot] com")]),
        ("mobil plat D 1234 ABC parkir", [("plate", "D 1234 ABC")]),
        ("nopol b 4321 xy ugal-ugalan", [("plate", "b 4321 xy")]),
        ("Perkenalkan nama saya Sari Dewi, warga Coblong", [("name", "Sari Dewi")]),
        ("atas nama bapak AGUS SALEH mohon dibantu", [("name", "AGUS SALEH")]),
        ("Nama : dewi lestari\nAlamat : Jalan Kenanga", [("name", "dewi lestari")]),
        ("petugas bernama Budi bin Saleh datang", [("name", "Budi bin Saleh")]),
        ("Hormat saya,\nH. Ahmad Fauzi, S.Pd", [("name", "H. Ahmad Fauzi, S.Pd")]),
        ("saya Rudi Hartono tinggal di Cibiru", [("name", "Rudi Hartono")]),
        ("dari Pak Joko soal sampah", [("name", "Joko")]),
        ("lapor, nama ulun Siti Aminah", [("name", "Siti Aminah")]),
        ("nama saya Rotua br Simanjuntak, alamat", [("name", "Rotua br Simanjuntak")]),
        ("rumah Daeng Nai di lorong 3 banjir", [("name", "Nai")]),
        ("Beta Maria Goreti dari Liliba", [("name", "Maria Goreti")]),
        ("Nami abdi Dadang Saleh ti Ciwidey", [("name", "Dadang Saleh")]),
        ("jenengku Sutris, omahku mburi pasar", [("name", "Sutris")]),
        ("saya Tumini, 56 tahun, belum dapat bantuan", [("name", "Tumini")]),
        ("terima kasih.\nHormat saya,\nSari Dewi", [("name", "Sari Dewi")]),
        ("call Firli 021 9341 7219", [("phone", "021 9341 7219")]),
    ],
)
def test_what_is_personal_is_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "lampu mati sejak 12 Januari 2026 jam 18.30 di RT 03 RW 05",
        "Blok L 12 A nomor 7, gang 5",
        "anggaran Rp 1.500.000.000 tahun 2025",
        "tiket 1234567897 belum dijawab",
        "nama jalan itu belum ada",
        "atas nama warga kami mengucapkan terima kasih",
        "Pak Walikota, Bu Camat dan Pak RT",
        "9999999999999999 0000000000000000",
        "nomor objek pajak 327301000100200450",
        "Yth. Bapak Bupati di tempat",
        "saya Ketua RT 03",
        "mohon bantuannya pak. Kalau bisa segera",
        "Bapak/Ibu Pimpinan dinas terkait",
        "lampu di Jl. H. Agus Saleh mati",
        "Yth. Bapak Wali Kota",
        "Om Swastiastu, lampu mati",
        "Bapa Bupati Merauke, guru tidak ada",
        "beta dari Oesapa",
        "dana desa 2019-2022 tidak jelas",
        "transfer 15.000.000 tanggal 12-03-2022",
        "baru dibayar DP 300 JT",
        "kereta kelas A 12 B",
        "baca di akun @jalan.rusak",
        "Yth Bapak, Sampah menumpuk di TPS",
        "Pak Lampu jalan mati",
        "Ibu Hamil ditolak puskesmas",
        "minta surat nikah atas nama akta yang salah",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("digits", "valid"),
    [
        ("3273010101900001", True),
        ("3273014101900001", True),  # a woman: day plus 40
        ("6404010101900001", True),  # Bulungan before North Kalimantan
        ("9102010101900001", True),  # Jayawijaya before Papua was divided
        ("9501010101900001", True),
        ("5401010101900001", True),  # East Timor
        ("3273013201900001", False),  # no day 32
        ("3273010113900001", False),  # no month 13
        ("3273010101900000", False),  # serial numbers begin with 1
        ("0073010101900001", False),
        ("3299010101900001", False),
    ],
)
def test_a_nik_is_area_day_month_and_serial(digits: str, valid: bool) -> None:
    assert is_nik(digits) is valid


def test_masked_words_show_nothing() -> None:
    text = "nama saya Sari Dewi NIK 3273014505900003 hp 0812-0000-1234, jalan rusak"
    assert mask_personal(text) == "nama saya ******** NIK ******** hp ********, jalan rusak"


class Counted(str):
    """A text that counts how often a part of it is cut out."""

    cuts = 0

    def __getitem__(self, part: slice) -> str:  # type: ignore[override]
        self.cuts += 1
        return super().__getitem__(part)


@pytest.mark.parametrize("piece", ["1 ", "12 34 ", "1-", "12/12/2020 ", "081200001234 ", "(0812) "])
def test_many_numbers_cost_by_their_count(piece: str) -> None:
    """Two thousand characters of "1 1 1" took a minute once."""
    short, long = Counted(piece * 200), Counted(piece * 400)
    personal_spans(short)
    personal_spans(long)
    assert long.cuts < 2.5 * short.cuts


PIECES = st.lists(
    st.one_of(
        st.text(max_size=8),
        st.text("0123456789 .-()+", max_size=20),
        st.sampled_from(
            ["NIK ", "KK: ", "hp ", "nama saya ", "a.n. ", "Sari Dewi", "rek ", "@contoh.id", "D 1234 AB", "\n"]
        ),
    ),
    max_size=10,
).map("".join)


@given(PIECES)
def test_masking_never_lengthens_and_masking_twice_is_masking_once(text: str) -> None:
    masked = mask_personal(text)
    assert len(masked) <= len(text)
    assert mask_personal(masked) == masked


@given(PIECES)
def test_spans_stand_in_order_inside_the_text_and_apart(text: str) -> None:
    spans = personal_spans(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(st.from_regex(r"0?8(1[1-9]|5[2-9]|9[5-9])[0-9]{7,8}", fullmatch=True))
def test_no_mobile_number_after_its_word_is_left(number: str) -> None:
    assert not re.search(r"\d{5}", mask_personal(f"hubungi WA {number} segera"))

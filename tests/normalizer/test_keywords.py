"""LAPOR, region keywords, TL and CEK: found where they are meant, left alone where they are words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.keywords import Keywords

WORDS = Keywords({"TANGKAB": "36.03", "KAB BDG": "32.04", "BDG": "32.73"})


@pytest.mark.parametrize(
    ("text", "rest", "region"),
    [
        ("LAPOR jalan rusak", "jalan rusak", None),
        ("lapor: jalan rusak", "jalan rusak", None),
        ("#lapor jalan rusak", "jalan rusak", None),
        ("*LAPOR* - jalan rusak", "jalan rusak", None),
        ("Lapor pak, jalan rusak", "pak, jalan rusak", None),
        ("LAPOR", "", None),
        ("TANGKAB jalan rusak", "jalan rusak", "36.03"),
        ("tangkab. jalan rusak", "jalan rusak", "36.03"),
        ("kab  bdg jalan rusak", "jalan rusak", "32.04"),
        ("BDG#jalan rusak", "jalan rusak", "32.73"),
        ("LAPOR TANGKAB jalan rusak", "jalan rusak", "36.03"),
        ("TANGKAB LAPOR: jalan rusak", "jalan rusak", "36.03"),
    ],
)
def test_a_report_is_opened(text: str, rest: str, region: str | None) -> None:
    parsed = WORDS.parse(text)
    assert (parsed.text, parsed.opens_report, parsed.region, parsed.command) == (rest, True, region, None)


@pytest.mark.parametrize(
    "text",
    [
        "Laporan saya belum ditanggapi",
        "lapor ke polisi tidak ditanggapi",
        "mau lapor jalan rusak",
        "TANGKABU jalan rusak",
        "TL jalan Ambengan mati",
        "TL bagian belakang di perempatan mati",
        "cek 2 lampu jalan mati di depan pasar",
        "cek nomor 081200001234 penipu minta uang",
        "CEK WARGA BERSTATUS MBR",
        "cek dm ya min",
        "TLOGO 1234567890",
        "mohon cek lampu jalan",
        "tolong cek 2 lampu mati",
        "mohon cek 1234567890",
        "status gizi anak saya buruk",
        "STOP KONTAK di sekolah terbakar",
        "bagaimana laporan saya 1234567890",
        "sampai mana laporan saya, lampu masih mati",
        "laporan saya 1234567897 dan 1234567897 sudah sampai mana",
        "bagaimana ini pak",
        "tolong tindak lanjut laporan saya",
        "kapan 1234567897 12",
        "",
    ],
)
def test_words_that_are_no_commands_stay(text: str) -> None:
    parsed = WORDS.parse(text)
    assert (parsed.text, parsed.opens_report, parsed.command) == (text, False, None)


@pytest.mark.parametrize(
    ("text", "command", "number", "rest"),
    [
        ("CEK 1234567897", "CEK", "1234567897", ""),
        ("cek#1234567897", "CEK", "1234567897", ""),
        ("Cek no. 1234567897?", "CEK", "1234567897", ""),
        ("CEK LAPORAN 12345-67897", "CEK", "1234567897", ""),
        ("CEK 123 456 7897", "CEK", "1234567897", ""),
        ("CEK ١٢٣ ٤٥٦ ٧٨٩٧", "CEK", "1234567897", ""),
        ("CEK 5216807", "CEK", "5216807", ""),
        ("CEK 42", "CEK", "42", ""),
        ("CEK1234567897", "CEK", "1234567897", ""),
        ("CEK", "CEK", None, ""),
        ("tl.", "TL", None, ""),
        ("STATUS", "CEK", None, ""),
        ("cek status laporan saya", "CEK", None, ""),
        ("STATUS 1234567897", "CEK", "1234567897", ""),
        ("cek no 1234567897", "CEK", "1234567897", ""),
        ("laporan saya 1234567897 sudah sampai mana?", "CEK", "1234567897", ""),
        ("Selamat siang, bagaimana kelanjutan pengaduan saya no. 123 456 7897 ya pak", "CEK", "1234567897", ""),
        ("sdh sampe mana laporan saya min", "CEK", None, ""),
        ("Mohon info progres aduan saya", "CEK", None, ""),
        ("bantuan", "BANTUAN", None, ""),
        ("INFO?", "BANTUAN", None, ""),
        ("Stop!", "STOP", None, ""),
        ("TL <1234567897> masih rusak", "TL", "1234567897", "masih rusak"),
        ("TL 1234567897 2 lampu masih mati", "TL", "1234567897", "2 lampu masih mati"),
        ("tl: 1234567897, masih rusak", "TL", "1234567897", "masih rusak"),
    ],
)
def test_commands(text: str, command: str, number: str | None, rest: str) -> None:
    parsed = WORDS.parse(text)
    assert (parsed.command, parsed.number, parsed.text, parsed.opens_report) == (command, number, rest, False)


WRITTEN = [
    ("Cek laporan saya no {}", "CEK", ""),
    ("cek aduan saya nomor {}", "CEK", ""),
    ("cek pengaduan dengan nomor {}", "CEK", ""),
    ("mohon cek {}", "CEK", ""),
    ("CEK={}", "CEK", ""),
    ("CEK+{}", "CEK", ""),
    ("CEK kode {}", "CEK", ""),
    ("CEK<spasi>{}", "CEK", ""),
    ("LAPOR TL {} masih rusak", "TL", "masih rusak"),
    ("Lapor cek {}", "CEK", ""),
    ("TL={}=masih rusak", "TL", "masih rusak"),
]


@pytest.mark.parametrize(("written", "command", "rest"), WRITTEN)
def test_case_19_commands_as_people_write_them(written: str, command: str, rest: str) -> None:
    parsed = WORDS.parse(written.format("1234567897"))
    assert (parsed.command, parsed.number, parsed.text) == (command, "1234567897", rest)
    assert not parsed.opens_report


@given(st.text(), st.dictionaries(st.text(max_size=8), st.just("32"), max_size=3))
def test_finding_never_fails_and_only_takes_away_from_the_front(text: str, regions: dict[str, str]) -> None:
    assert text.endswith(Keywords(regions).parse(text).text)

"""The text in the bytes, whatever the data coding claims."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors import Request
from connectors._smpp_alphabets import BASIC, EXTENSION, decode_gsm7, encode_gsm7, unpack_septets
from connectors._smpp_text import count_unlikely_characters, decode_joined, decode_text
from connectors._smpp_user_data import UserData
from tests.channels.recording import channel, raw, read
from tests.channels.smpp.bytes import packed, part, pdu, short
from tests.examples import examples

LATIN = "LAPOR jalan rusak di depan Pasar Cihampelas [dekat] sekolah_3, surel a@b.id. Tolong!"
WIDE = "Banjir 😡 setinggi lutut di Jalan Ahmad Yani"
ARABIC = "الطريق مكسور منذ أسبوع"
JAVANESE = "ꦢꦭꦤ꧀ꦫꦸꦱꦏ꧀"
HAN = "我想投诉我们街道的路灯坏了很久没有人修理，请尽快处理。谢谢"
CODINGS = [0, 1, 2, 3, 4, 8, 0x11, 0x18, 0xF1, 0xF5]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("alphabet", ["gsm7", "latin-1", "utf-8", "utf-16-be", "utf-16-le", "utf-16"])
def test_case_16_latin_letters_are_readable_under_any_claim(coding: int, alphabet: str):
    data = encode_gsm7(LATIN) if alphabet == "gsm7" else LATIN.encode(alphabet)
    assert decode_text(data, coding).text == LATIN


@pytest.mark.parametrize("text", [WIDE, ARABIC, JAVANESE, HAN])
def test_case_16_other_scripts_are_readable(text: str):
    assert decode_text(text.encode("utf-16-be"), 8).text == text
    assert decode_text(text.encode("utf-8"), 0).text == text
    assert decode_text(b"\xff\xfe" + text.encode("utf-16-le"), 8).text == text
    assert decode_text(b"\xfe\xff" + text.encode("utf-16-be"), 0).text == text


@pytest.mark.parametrize("text", [WIDE, ARABIC])
def test_case_16_the_wrong_way_round_without_a_mark(text: str):
    assert decode_text(text.encode("utf-16-le"), 8).text == text


@pytest.mark.parametrize("fill_bits", range(7))
def test_case_16_packed_septets_are_readable(fill_bits: int):
    text = LATIN[:77]
    assert decode_text(packed(encode_gsm7(text), fill_bits), 0, fill_bits=fill_bits).text == text


def test_the_parts_of_a_packed_text_are_unpacked_each_after_its_fill_bits():
    frames = b"".join(
        pdu(part(packed(encode_gsm7(text), 1), number, 2), number)
        for number, text in ((1, "Jembatan gantung di desa kami "), (2, "putus talinya sejak kemarin"))
    )
    (item,) = read(channel("smpp"), raw("smpp", Request(body=frames)))
    assert item.text == "Jembatan gantung di desa kami putus talinya sejak kemarin"


@pytest.mark.parametrize(
    ("codings", "cut"),
    [((8, 8), 20), ((8, 0), 20), ((8, 8), 21), ((8, 0), 15), ((0, 8), 20)],
    ids=["on both", "on the first", "inside a character", "inside an emoji", "on the second"],
)
def test_case_16_a_text_is_read_whole_however_it_was_cut(codings: tuple[int, int], cut: int):
    data = WIDE.encode("utf-16-be")
    assert decode_joined([UserData(data[:cut], codings[0]), UserData(data[cut:], codings[1])]).text == WIDE


def test_an_extension_cut_in_two_is_one_character():
    data = encode_gsm7("{a}")
    assert decode_joined([UserData(data[:4], 0), UserData(data[4:], 0)]).text == "{a}"


def test_parts_of_two_alphabets_are_each_read_in_their_own():
    parts = [UserData(encode_gsm7("Jalan rusak "), 0), UserData("parah 😡".encode("utf-16-be"), 8)]
    assert decode_joined(parts).text == "Jalan rusak parah 😡"


def test_every_septet_is_read_and_an_unknown_extension_shows_its_character():
    assert decode_gsm7(bytes(n for n in range(128) if n != 0x1B)) == BASIC.replace("\x1b", "")
    assert decode_gsm7(b"\x1b\x41\x1b") == "A"
    assert decode_gsm7(b"\x80") is None
    assert all(decode_gsm7(bytes((0x1B, n))) == c for n, c in EXTENSION.items())


@given(st.text(BASIC.replace("\x1b", "") + "".join(EXTENSION.values()), max_size=160))
def test_gsm7_comes_back_as_it_went(text: str):
    assert decode_gsm7(encode_gsm7(text)) == text


@given(st.text(BASIC.replace("\x1b", ""), min_size=1, max_size=160), st.integers(0, 6))
def test_septets_come_back_as_they_were_packed(text: str, fill_bits: int):
    data = packed(encode_gsm7(text), fill_bits)
    assume(not data.isascii())
    assert unpack_septets(data, fill_bits) in {text, text.removesuffix("@"), f"{text}@"}


@examples(500)
@given(st.binary(max_size=160), st.integers(0, 255), st.sampled_from(["auto", "gsm7", "latin1"]), st.integers(0, 6))
def test_any_bytes_give_a_text(data: bytes, coding: int, alphabet: str, fill_bits: int):
    found = decode_text(data, coding, alphabet, fill_bits)
    assert isinstance(found.text, str)
    assert found.text.encode("utf-8", "strict") is not None
    assert count_unlikely_characters(found.text) >= 0


@given(st.text(st.characters(codec="utf-16-be"), min_size=1, max_size=70))
def test_a_text_with_a_mark_comes_back_as_it_went(text: str):
    data = text.encode("utf-16-be")
    assert len(data) < 2 or decode_text(b"\xfe\xff" + data, 8).text == text


@pytest.mark.parametrize(("text", "expected"), [("\x00\x00", "@@"), ("null", "null"), ("", "")])
def test_case_17_nul_the_word_null_and_nothing_at_all(text: str, expected: str):
    (item,) = read(channel("smpp"), raw("smpp", Request(body=pdu(short(text.encode())))))
    assert (item.text, item.sent_at, item.id) == (expected, None, "")


def test_the_operators_alphabet_decides_where_it_is_known():
    assert decode_text(b"a[b", 0, "gsm7").text == "aÄb"
    assert decode_text(b"a[b", 0, "latin1").text == "a[b"

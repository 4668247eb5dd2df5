"""Cleaning: nothing invisible stays, no word is lost, twice is once, and it never fails."""

from __future__ import annotations

import base64
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.clean import clean, decode_base64_body, one_line, replace_unencodable

NASTY = st.sampled_from(
    [
        *"\0\x1b\x7f\x85\x93\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u202e\u2028\u2066\u2800\u3164\ufe0f\ufeff\ufffd",
        *"\u2329\u0301 \t\n\ra👩🏽❤😀é",
        *("\ud83d", "\ude00", "\U000e0041", "\r\n", "  "),
    ]
)
TEXTS = st.text() | st.lists(NASTY | st.characters()).map("".join)


@given(TEXTS)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(TEXTS)
def test_cleaned_text_can_be_encoded_and_holds_no_controls(text: str) -> None:
    cleaned = clean(text)
    cleaned.encode()
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cs"} and c != "\n"]
    assert not set(cleaned) & set("\u200b\u200e\u200f\u202a\u202e\u2066\u2069\u00ad\ufeff\ufffd\u2028")


@given(TEXTS)
def test_blanks_are_single_and_inside(text: str) -> None:
    cleaned = clean(text)
    assert cleaned == cleaned.strip()
    assert not any(blank in cleaned for blank in ("  ", " \n", "\n ", "\n\n\n"))
    assert "\n" not in one_line(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"]), max_size=50))
def test_visible_characters_stay(text: str) -> None:
    seen = "".join(
        c for c in unicodedata.normalize("NFC", text) if c not in "\u115f\u1160\u3164\uffa0\ufffd\u2800\ufffc"
    )
    assert clean(text).replace(" ", "") == unicodedata.normalize("NFC", seen)


@given(TEXTS)
def test_encodable_changes_only_what_utf8_cannot_carry(text: str) -> None:
    written = replace_unencodable(text).encode()
    if not any("\ud800" <= c <= "\udfff" for c in text):
        assert written.decode() == text


@pytest.mark.parametrize(
    ("written", "cleaned"),
    [
        ("Jalan\0 rusak\u200b di\u00a0pasar", "Jalan rusak di pasar"),
        ("j\0a\0l\0a\0n\0", "jalan"),
        ("lampu \x93mati\x94", "lampu mati"),
        ("cafe\u0301", "café"),
        ("keluarga 👨\u200d👩\u200d👧 dan hati ❤\ufe0f", "keluarga 👨\u200d👩\u200d👧 dan hati ❤\ufe0f"),
        ("👍🏽", "👍🏽"),
        ("a\u200db", "ab"),
        ("\u202egnalam\u202c jalan", "gnalam jalan"),
        ("satu\r\n\r\n\r\n\r\ndua\rtiga", "satu\n\ndua\ntiga"),
        ("\ud83d\ude2d banjir \ud800", "😭 banjir"),
        ("ꦗꦭꦤ꧀", "ꦗꦭꦤ꧀"),
        ("banjir\u3164\u3164BPBD", "banjir BPBD"),
        ("   ", ""),
    ],
)
def test_the_leftovers_of_machines_are_taken_out(written: str, cleaned: str) -> None:
    assert clean(written) == cleaned


@pytest.mark.parametrize("text", ["Jalan rusak di depan pasar, tolong 🙏", "Lampu jalan mati sejak minggu lalu"])
def test_case_17_base64_in_a_short_message_is_decoded(text: str) -> None:
    packed = base64.b64encode(text.encode()).decode()
    assert decode_base64_body(packed) == text
    assert decode_base64_body(packed[:20] + "\r\n" + packed[20:]) == text


@pytest.mark.parametrize(
    "text", ["Jalanrusakparah1", "terimakasihterimakasih12", "Tolong pak", "", "QUJDRA==", "A" * 40]
)
def test_case_17_a_word_that_only_looks_like_base64_stays(text: str) -> None:
    assert decode_base64_body(text) == text


@given(st.text())
def test_case_17_unwrapping_never_fails(text: str) -> None:
    decode_base64_body(text)


@given(st.binary(min_size=12, max_size=60))
def test_case_17_bytes_that_are_no_words_stay_as_they_came(inside: bytes) -> None:
    packed = base64.b64encode(inside).decode()
    kept = decode_base64_body(packed)
    assert kept == packed or " " in clean(kept)


@given(st.integers(0, 3000), st.sampled_from(["\u0301", "\u0344", "\u0316\u0301", "\u0f73"]))
def test_finding_m8_a_run_of_combining_marks_is_cut(length: int, marks: str) -> None:
    cleaned = clean("a" + marks * length + " jalan")
    assert max(len(run) for run in cleaned.split()) <= max(31, len("jalan"))
    assert clean(cleaned) == cleaned


def test_finding_m8_thirty_marks_in_a_row_stay() -> None:
    assert clean("x" + "\u0316" * 30) == "x" + "\u0316" * 30


def test_case_16_half_an_emoji_is_a_blank_and_the_rest_stays() -> None:
    assert clean("Jalan rusak \ud83d") == "Jalan rusak"
    assert replace_unencodable("Jalan rusak \ud83d") == "Jalan rusak \ufffd"

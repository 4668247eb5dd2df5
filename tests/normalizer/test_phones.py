"""Identities in one form, the written form kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.phones import normalize_party, to_e164
from schemas import Party

WAYS = [
    "0812-0000-1234",
    "6281200001234",
    "+62 812-0000-1234",
    "0062 812 0000 1234",
    "(62) 812 0000 1234",
    "081200001234",
]


@pytest.mark.parametrize("written", WAYS)
def test_case_10_one_phone_written_many_ways_is_one_citizen(written: str) -> None:
    party = normalize_party(Party(phone=written))
    assert party.identities == ("+6281200001234",)
    assert party.phone_written == written


def test_case_10_a_phone_in_its_form_has_no_other_written_form() -> None:
    party = Party(phone="+6281200001234", name="Sari")
    assert normalize_party(party) is party


def test_case_10_an_eleven_digit_number_with_62_is_not_taken_for_a_national_one() -> None:
    assert to_e164("62812000012") == "+62812000012"


@pytest.mark.parametrize("written", ["1708", "TELKOMSEL", "", "0", "++62812", "null"])
def test_a_word_that_is_no_phone_stays_as_written(written: str) -> None:
    party = normalize_party(Party(phone=written))
    assert party.phone is None
    assert party.phone_written == (written or None)


def test_numbers_of_other_countries_and_landlines() -> None:
    assert to_e164("+60 12-345 6789") == "+60123456789"
    assert to_e164("(022) 4231234") == "+62224231234"


FORMS = [
    ("6281200000601.0", "+6281200000601"),
    ("0812-0000-0602.0", "+6281200000602"),
    ("81200000603.0", "+6281200000603"),
    ("021 5550604.0", "+62215550604"),
    ("6281200000605.00", "+6281200000605"),
    ("62812.0000.0606", "+6281200000606"),
    ("\u202a+62 812\u20110000\u20110701\u202c", "+6281200000701"),
    ("0812–0000–0702", "+6281200000702"),
    ("0812\u200b00000703", "+6281200000703"),
    ("'081200000704", "+6281200000704"),
    ('="081200000705"', "+6281200000705"),
    ("081200000706 (WA)", "+6281200000706"),
    ("WA: 081200000706", "+6281200000706"),
    ("٠٨١٢٠٠٠٠٠٧٠٨", "+6281200000708"),
    ("+62 (0) 812 0000 0709", "+6281200000709"),
    ("60123456789", "+60123456789"),
    ("6591234567", "+6591234567"),
    ("6281200000801", "+6281200000801"),
    ("8613912345678", "+8613912345678"),
]


@pytest.mark.parametrize(("written", "phone"), FORMS)
def test_cases_06_07_08_a_phone_as_files_pastes_and_gateways_write_it(written: str, phone: str) -> None:
    party = normalize_party(Party(phone=written))
    assert (party.phone, party.phone_written) == (phone, written)


NOBODY = ["-", "0", "000000000000", "00000000000", "6.28E+12", "Anonim", "#N/A", "tidak ada", "nan", "08xxxxxxxxxx"]


@pytest.mark.parametrize("word", NOBODY)
def test_case_05_a_word_for_nobody_is_no_identity(word: str) -> None:
    party = normalize_party(Party(phone=word, email=word, nik=word))
    assert party.identities == ()
    assert party.phone_written == word


@pytest.mark.parametrize("word", [w for w in NOBODY if "E+" not in w])
def test_case_05_a_user_called_nobody_is_no_identity(word: str) -> None:
    assert normalize_party(Party(user=f"file:{word}")).identities == ()


@pytest.mark.parametrize("user", ["file:@warga", "telegram:123456789", "whatsapp:US.1349"])
def test_case_05_a_handle_stays_an_identity(user: str) -> None:
    assert normalize_party(Party(user=user)).identities == (user,)


@pytest.mark.parametrize("nik", ["0000000000000000", "1111111111111111", "3273013201900001", "3273010113900001"])
def test_a_nik_whose_birthday_is_none_is_no_identity(nik: str) -> None:
    assert normalize_party(Party(nik=nik)).identities == ()


@pytest.mark.parametrize("nik", ["3273010101900001", "3273014101900001", "3273017112900001"])
def test_a_nik_of_a_man_and_of_women(nik: str) -> None:
    assert normalize_party(Party(nik=nik)).nik == nik


@given(st.text(max_size=40))
def test_identifying_never_fails_and_is_the_same_twice(text: str) -> None:
    once = normalize_party(Party(name=text, phone=text, email=text, nik=text))
    assert normalize_party(once) == once


def test_email_and_nik_in_one_form() -> None:
    party = normalize_party(Party(email=" Sari@Example.ID ", nik="3273 0101 0190 0001", name="Sari\u200b\nDewi"))
    assert (party.email, party.nik, party.name) == ("sari@example.id", "3273010101900001", "Sari Dewi")


def test_a_nik_that_is_none_tells_nobody_apart() -> None:
    assert normalize_party(Party(nik="12345")).identities == ()


@given(st.from_regex(r"(\+?62|0)8[0-9]{5,14}", fullmatch=True))
def test_the_short_way_says_what_the_library_says(written: str) -> None:
    assert to_e164(written) == to_e164(f" {written} ")  # blanks keep it off the short way

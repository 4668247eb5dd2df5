"""Identities in one form, the written form kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalizer.phones import e164, identified
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
    party = identified(Party(phone=written))
    assert party.identities == ("+6281200001234",)
    assert party.phone_said == written


def test_case_10_a_phone_in_its_form_has_no_other_written_form() -> None:
    party = Party(phone="+6281200001234", name="Sari")
    assert identified(party) is party


def test_case_10_an_eleven_digit_number_with_62_is_not_taken_for_a_national_one() -> None:
    assert e164("62812000012") == "+62812000012"


@pytest.mark.parametrize("written", ["1708", "TELKOMSEL", "", "0", "++62812", "null"])
def test_what_is_no_phone_stays_as_written(written: str) -> None:
    party = identified(Party(phone=written))
    assert party.phone is None
    assert party.phone_said == (written or None)


def test_numbers_of_other_countries_and_landlines() -> None:
    assert e164("+60 12-345 6789") == "+60123456789"
    assert e164("(022) 4231234") == "+62224231234"


@given(st.text(max_size=40))
def test_identifying_never_fails_and_is_the_same_twice(text: str) -> None:
    once = identified(Party(name=text, phone=text, email=text, nik=text))
    assert identified(once) == once


def test_email_and_nik_in_one_form() -> None:
    party = identified(Party(email=" Sari@Example.ID ", nik="3273 0101 0190 0001", name="Sari\u200b\nDewi"))
    assert (party.email, party.nik, party.name) == ("sari@example.id", "3273010101900001", "Sari Dewi")


def test_a_nik_that_is_none_tells_nobody_apart() -> None:
    assert identified(Party(nik="12345")).identities == ()


@given(st.from_regex(r"(\+?62|0)8[0-9]{5,14}", fullmatch=True))
def test_the_short_way_says_what_the_library_says(written: str) -> None:
    assert e164(written) == e164(f" {written} ")  # blanks keep it off the short way

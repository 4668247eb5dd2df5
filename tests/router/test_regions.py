"""Regions are called by their names, never by their codes."""

from __future__ import annotations

import pytest

from router.regions import region_name
from schemas.regions import is_region, region_names


def test_every_province_and_regency_has_a_name() -> None:
    names = region_names()
    assert sum(len(code) == 2 for code in names) == 38
    assert sum(len(code) == 5 for code in names) == 514
    assert {code[:2] for code in names if len(code) == 5} == {code for code in names if len(code) == 2}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("32", "Provinsi Jawa Barat"),
        ("32.73", "Kota Bandung"),
        ("32.73.01.1001", "Kota Bandung"),
        ("34.04", "Kabupaten Sleman"),
        ("34", "Daerah Istimewa Yogyakarta"),
        ("nasional", "tingkat nasional"),
        ("dishub-bandung", "dishub-bandung"),
    ],
)
def test_a_region_has_a_name_in_a_sentence(code: str, name: str) -> None:
    assert region_name(code) == name


@pytest.mark.parametrize("code", ["99", "99.99", "32.99", "3273", "32.", "", "abc"])
def test_what_is_no_region_is_told_apart(code: str) -> None:
    assert not is_region(code)

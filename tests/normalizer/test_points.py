"""A point alone tells its regency, where one lies much nearer than all others."""

from __future__ import annotations

import pytest

from normalizer.knowledge.gazetteer import gazetteer
from normalizer.knowledge.points import _cells, located


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [(-7.2575, 112.7521, "35.78"), (-6.9147, 107.6098, "32.73"), (-6.87, 107.54, "32.77"), (3.595, 98.672, "12.71")],
)
def test_a_point_is_in_the_regency_of_the_places_around(lat: float, lon: float, code: str) -> None:
    found = located(lat, lon, "")
    assert found is not None
    assert (found.code, found.level, found.lat, found.lon) == (code, "regency", lat, lon)
    assert found.p is not None
    assert found.p >= 0.9
    assert found.source == "shared"


@pytest.mark.parametrize(
    ("lat", "lon"), [(0.0, 0.0), (-2.0, 118.0), (52.5, 13.4), (-6.89, 107.58)], ids=["0", "sea", "abroad", "between"]
)
def test_nothing_is_said_far_from_all_places_or_between_two_regencies(lat: float, lon: float) -> None:
    assert located(lat, lon, "") is None


def test_the_accounts_own_regency_is_likelier_near_its_border() -> None:
    lat, lon = -6.89, 107.58
    of_one, of_the_other = located(lat, lon, "32.73"), located(lat, lon, "32.77")
    assert of_one is not None
    assert of_the_other is not None
    assert (of_one.code, of_the_other.code) == ("32.73", "32.77")


def test_every_point_has_a_regency_that_exists() -> None:
    codes = {point.code for points in _cells().values() for point in points}
    assert len(codes) > 480
    assert not [code for code in codes if gazetteer().name(code.replace(".", "")) is None]

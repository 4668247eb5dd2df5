"""The hours of an office, and when it is told something."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from router.calendars import Holiday
from router.due import Calendars, DueDates
from router.hours import USUAL, Opening, hours_of_office, parse_hours

SHIPPED = DueDates(Calendars())
OWN = DueDates(
    Calendars(
        [
            Holiday("34.04", date(2026, 2, 4), "local", "Hari jadi", "SK Bupati"),
            Holiday("pu", date(2026, 2, 5), "local", "Pindah kantor", "SK Dinas"),
            Holiday("34.04", date(2026, 2, 6), "optional", "Fakultatif", "SK Bupati"),
        ]
    )
)


def test_hours_are_read_by_day() -> None:
    hours = parse_hours("Senin-Kam 07:30-12:00, Sen-Kam 13:00-16:00, Jumat 07:30-11:30, sab 08:00-10:00")
    morning, noon = Opening(time(7, 30), time(12)), Opening(time(13), time(16))
    assert hours[0] == hours[3] == (morning, noon)
    assert hours[4:] == ((Opening(time(7, 30), time(11, 30)),), (Opening(time(8), time(10)),), ())
    assert [len(day) for day in parse_hours("Sab-Sen 08:00-10:00")] == [1, 0, 0, 0, 0, 1, 1]
    assert parse_hours("Mon-Fri 08:00-16:00") == USUAL


@pytest.mark.parametrize("written", ["", "08:00-16:00", "Xyz 08:00-16:00", "Sen 16:00-08:00", "Sen 08:00-25:00"])
def test_hours_that_are_none_are_named(written: str) -> None:
    with pytest.raises(ValueError, match=r"hours|hour must"):
        parse_hours(written)


def test_an_office_without_a_working_day_has_the_usual_hours() -> None:
    assert hours_of_office("") == hours_of_office("Sab-Min 08:00-12:00") == USUAL


@pytest.mark.parametrize(
    ("dates", "region", "office", "hours", "now", "opens"),
    [
        (SHIPPED, "34.04", None, "Sen-Jum 09:00-11:00", "2026-02-02T01:30", "2026-02-02T02:00"),
        (SHIPPED, "34.04", None, "Sen-Jum 09:00-11:00", "2026-02-02T03:59", "2026-02-02T03:59"),
        (SHIPPED, "34.04", None, "Sen-Jum 09:00-11:00", "2026-02-02T04:00", "2026-02-03T02:00"),
        (SHIPPED, "34.04", None, "Sen-Kam 08:00-16:00", "2026-02-05T10:00", "2026-02-09T01:00"),
        (SHIPPED, "34.04", None, "Sen 08:00-10:00, Sen 13:00-15:00", "2026-02-02T04:00", "2026-02-02T06:00"),
        (SHIPPED, "51.71", None, "", "2026-02-01T23:00", "2026-02-02T00:00"),
        (SHIPPED, "91.03", None, "", "2026-02-01T22:00", "2026-02-01T23:00"),
        (OWN, "34.04", None, "", "2026-02-03T10:00", "2026-02-05T01:00"),
        (OWN, "34.04", "pu", "", "2026-02-03T10:00", "2026-02-06T01:00"),
        (OWN, "34.71", "dlh", "", "2026-02-03T10:00", "2026-02-04T01:00"),
    ],
)
def test_it_is_told_in_its_own_hours_zone_and_calendar(
    dates: DueDates, region: str, office: str | None, hours: str, now: str, opens: str
) -> None:
    at, wanted = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (now, opens))
    assert dates.next_opening(region, at, office, hours) == wanted

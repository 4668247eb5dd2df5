"""Due dates by region, office and calendar: the vectors of the law's clocks, and when offices are open."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router import calendars
from router.calendars import Holiday, format_holidays, load_holidays, national_holidays
from router.due import Calendars, DueDates, limits_of
from schemas.due import CaseHistory, CaseStep, StoredClock

SHIPPED = DueDates(Calendars())
BEFORE_THE_DECREE = Calendars([Holiday("id", date(2025, 8, 18), "workday", "Hari kerja")])
WIB = ZoneInfo("Asia/Jakarta")


def case(
    received: datetime, *steps: CaseStep, place: str | None = None, owner: str = "32.73", office: str | None = None
) -> CaseHistory:
    return CaseHistory("c", owner, place, office, "complaint", False, (CaseStep(received, "received"), *steps))


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2025-03-27", 3, "2025-04-10"),
        ("2025-03-27", 5, "2025-04-14"),
        ("2025-03-27", 14, "2025-04-28"),
        ("2025-03-27", 60, "2025-07-11"),
        ("2025-08-15", 3, "2025-08-21"),
        ("2026-03-17", 3, "2026-03-27"),
        ("2026-03-17", 10, "2026-04-08"),
        ("2026-03-17", 14, "2026-04-14"),
        ("2026-12-23", 3, "2026-12-30"),
        ("2026-12-23", 10, "2027-01-12"),
    ],
)
def test_working_days_around_lebaran_nyepi_and_christmas(start: str, days: int, due: str) -> None:
    found = Calendars().of("32.73").add(date.fromisoformat(start), days)
    assert found.day == date.fromisoformat(due)


def test_the_decree_of_7_august_made_18_august_2025_a_holiday() -> None:
    assert BEFORE_THE_DECREE.of("31").add(date(2025, 8, 15), 3).day == date(2025, 8, 20)
    later = Calendars([*BEFORE_THE_DECREE.own, Holiday("id", date(2025, 8, 18), "joint", "Cuti bersama", "SKB 933")])
    assert later.of("31").add(date(2025, 8, 15), 3).day == date(2025, 8, 21)


def test_the_year_2027_has_its_decree_and_the_next_is_provisional() -> None:
    calendar = Calendars().of("32.73")
    assert not calendar.add(date(2027, 3, 1), 14).provisional
    assert calendar.add(date(2027, 12, 27), 14).provisional


@pytest.mark.parametrize(
    ("office", "place", "owner", "region"),
    [
        ("pu", "51.71", "32.73", "91.03"),
        ("other", "51.71.02", "32.73", "51.71"),
        (None, None, "32.73", "32.73"),
        (None, None, "nasional", "00"),
        (None, "51", "32.73", "51"),
    ],
)
def test_the_offices_region_comes_first_then_the_place_then_the_owner(
    office: str | None, place: str | None, owner: str, region: str
) -> None:
    dates = DueDates(Calendars(), {"pu": "91.03"}.get)
    history = case(datetime(2026, 2, 2, tzinfo=UTC), place=place, owner=owner, office=office)
    assert dates.region_of(history) == region


def test_the_day_changes_at_another_time_in_each_zone() -> None:
    at = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)  # 23:30 WIB, the next day in WITA and WIT
    dues = [SHIPPED.compute([case(at, place=place)], at)[0][0].due_day for place in ("31.71", "51.71", "91.03")]
    assert dues == [date(2026, 2, 5), date(2026, 2, 6), date(2026, 2, 6)]


def test_a_province_a_regency_and_an_office_have_days_of_their_own() -> None:
    days = date(2026, 2, 3), date(2026, 2, 4), date(2026, 2, 5)
    found = Calendars([
        Holiday("51", days[0], "local", "Galungan", "SK 1"), Holiday("51.71", days[1], "local", "HUT", "SK 2"),
        Holiday("pu", days[2], "local", "Pindah kantor", "SK 3"), Holiday("51", date(2026, 2, 6), "optional", "x", "y"),
    ])  # fmt: skip
    start = date(2026, 2, 2)
    dues = [found.of(*where).add(start, 1).day for where in (("51.71", "pu"), ("51.71",), ("51.02",), ("32.73",))]
    assert dues == [date(2026, 2, 6), days[2], days[1], days[0]]


def test_the_class_of_a_report_decides_its_days() -> None:
    history = case(datetime(2026, 2, 2, tzinfo=UTC))
    kinds = [history, history._replace(report_class="information_request"), history._replace(field_check=True)]
    assert [limits_of(kind).completion for kind in kinds] == [14, 5, 60]
    assert limits_of(history._replace(report_class="aspiration")).completion == 14


@given(
    st.datetimes(datetime(2025, 1, 2), datetime(2027, 6, 1), timezones=st.just(UTC)),
    st.sampled_from(["31.71", "51.71", "91.03"]),
    st.timedeltas(timedelta(0), timedelta(days=60)),
)
def test_a_new_report_has_the_same_clocks_alone_and_beside_others(at: datetime, place: str, later: timedelta) -> None:
    now = at + later
    alone = DueDates(Calendars()).compute([case(at, CaseStep(now + timedelta(days=1), "answered"), place=place)], now)
    assert SHIPPED.compute([case(at, place=place)], now) == alone


def test_a_report_of_a_clock_that_is_ahead_has_its_clocks_too() -> None:
    at = datetime(2026, 2, 2, tzinfo=UTC)
    [clocks] = SHIPPED.compute([case(at, CaseStep(at, "answered"))], at - timedelta(days=1))
    assert [clock.clock for clock in clocks] == ["verification", "first_answer", "completion"]


def test_rests_are_kept_when_a_decree_moves_a_clock() -> None:
    start = datetime(2026, 2, 2, 3, tzinfo=UTC)
    steps = CaseStep(start + timedelta(days=1), "asked"), CaseStep(start + timedelta(days=8), "replied")
    later = DueDates(Calendars([Holiday("id", date(2026, 2, 24), "joint", "Cuti bersama", "SKB")]))
    (before,) = [
        c for c in SHIPPED.compute([case(start, *steps)], start + timedelta(days=9))[0] if c.clock == "completion"
    ]
    (after,) = [
        c for c in later.compute([case(start, *steps)], start + timedelta(days=9))[0] if c.clock == "completion"
    ]
    assert before.due_day is not None
    stored = StoredClock("c", "completion", None, "32.73", before.start_day, before.days, before.rests, before.due_day)
    (moved,) = later.move([stored])
    assert (moved.due_day, moved.due_at, moved.skipped) == (after.due_day, after.due_at, after.skipped)
    assert moved.due_day > before.due_day


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-02-02T10:00", "2026-02-02T10:00"),
        ("2026-02-02T07:59", "2026-02-02T08:00"),
        ("2026-02-02T16:00", "2026-02-03T08:00"),
        ("2026-02-06T17:00", "2026-02-09T08:00"),
        ("2026-02-07T10:00", "2026-02-09T08:00"),
        ("2026-03-17T20:00", "2026-03-25T08:00"),
    ],
)
def test_offices_are_told_nothing_at_night_on_sundays_or_at_lebaran(at: str, opens: str) -> None:
    now, wanted = (datetime.fromisoformat(text).replace(tzinfo=WIB) for text in (at, opens))
    assert SHIPPED.next_opening("32.73", now) == wanted


def test_rows_of_a_calendar_are_written_as_they_are_read() -> None:
    rows = (Holiday("51", date(2026, 2, 3), "local", 'Hari "raya", Bali', "SK 1"),)
    assert load_holidays(format_holidays(rows)) == rows


def test_another_shipped_calendar_is_another_seed() -> None:
    """Raise `SEED` with the file: running clocks are computed anew then."""
    file = Path(calendars.__file__).with_name("calendars.csv").read_bytes()
    assert (calendars.SEED, len(national_holidays())) == (1, 164)
    assert sha256(file).hexdigest()[:12] == "5eff38919ed5"

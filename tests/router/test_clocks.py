"""The law's clocks: what starts, rests, meets and cancels each, and that no order of events makes one go wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.calendars import WorkingDayCalendar, calendar_of, national_holidays
from router.clocks import LIMITS, Clock, ClockLimits, clocks_of, reminders_of
from schemas.due import CaseStep, StepKind

JAKARTA = ZoneInfo("Asia/Jakarta")
CALENDAR = calendar_of("32.73", national_holidays())
KINDS: tuple[StepKind, ...] = (
    "verified", "answered", "asked", "replied", "finished", "archived", "rejected", "reopened", "closed",
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2025, 1, 2), datetime(2027, 6, 1), timezones=st.just(UTC))
LATER = st.lists(
    st.tuples(st.timedeltas(timedelta(minutes=1), timedelta(days=120)), st.sampled_from(KINDS)), max_size=8
)


def at(day: str, hour: int = 10) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00").replace(tzinfo=JAKARTA)


def clocks(*steps: tuple[str, StepKind], now: str, limits: ClockLimits = LIMITS["complaint"]) -> dict[str, Clock]:
    found = clocks_of([CaseStep(at(day), kind) for day, kind in steps], limits, CALENDAR, "32.73", at(now, 23))
    return {clock.name: clock for clock in found}


def test_a_new_complaint_has_three_clocks_running() -> None:
    found = clocks(("2026-03-17", "received"), now="2026-03-17")
    assert {name: (clock.state, clock.due) for name, clock in found.items()} == {
        "verification": ("running", date(2026, 3, 27)),
        "first_answer": ("running", date(2026, 3, 31)),
        "completion": ("running", date(2026, 4, 14)),
    }


def test_a_due_date_knows_the_days_that_it_skips() -> None:
    clock = clocks(("2026-03-17", "received"), now="2026-03-17")["verification"]
    assert clock.due == date(2026, 3, 27)
    assert str(clock.skipped[0]) == "18-03-2026 Cuti Bersama Hari Suci Nyepi (SKB 1497/2/5 Tahun 2025)"


def test_a_clock_rests_while_the_citizen_is_asked() -> None:
    asked = ("2026-02-02", "received"), ("2026-02-03", "asked")
    resting = clocks(*asked, now="2026-02-12")["completion"]
    assert (resting.state, resting.due, resting.left) == ("resting", None, 13)
    replied = clocks(*asked, ("2026-02-10", "replied"), now="2026-02-12")["completion"]
    unasked = clocks(asked[0], now="2026-02-12")["completion"]
    assert unasked.due is not None
    assert replied.due == CALENDAR.add(unasked.due, 5).day


def test_days_of_rest_count_by_the_same_calendar_as_the_due_date() -> None:
    over_a_weekend = clocks(
        ("2026-02-02", "received"), ("2026-02-06", "asked"), ("2026-02-08", "replied"), now="2026-02-09"
    )
    assert over_a_weekend["completion"].due == clocks(("2026-02-02", "received"), now="2026-02-09")["completion"].due


def test_an_answer_meets_the_first_answer_and_not_the_completion() -> None:
    found = clocks(("2026-02-02", "received"), ("2026-02-04", "answered"), now="2026-02-05")
    assert [found[n].state for n in ("verification", "first_answer", "completion")] == ["met", "met", "running"]


def test_an_answer_after_the_due_date_stays_late() -> None:
    found = clocks(("2026-02-02", "received"), ("2026-02-27", "answered"), now="2026-06-01")
    assert found["first_answer"].state == "late"
    assert found["first_answer"].left < 0


def test_a_finished_case_closes_after_ten_days_without_a_word_of_the_citizen() -> None:
    finished = ("2026-02-02", "received"), ("2026-02-04", "finished")
    assert clocks(*finished, now="2026-02-05")["closing"].due == CALENDAR.add(date(2026, 2, 4), 10).day
    assert clocks(*finished, ("2026-02-06", "replied"), now="2026-02-07")["closing"].state == "cancelled"
    reopened = clocks(*finished, ("2026-02-06", "reopened"), now="2026-02-07")
    assert (reopened["closing"].state, reopened["completion"].state) == ("cancelled", "running")


@pytest.mark.parametrize(("kind", "days"), [("information_request", 5), ("complaint", 14), ("field_check", 60)])
def test_the_class_of_the_report_decides_the_completion(kind: str, days: int) -> None:
    found = clocks(("2026-02-02", "received"), now="2026-02-02", limits=LIMITS[kind])
    assert found["completion"].due == CALENDAR.add(date(2026, 2, 2), days).day


def test_the_zone_of_the_office_decides_the_day_of_receipt() -> None:
    steps = [CaseStep(datetime(2026, 2, 2, 16, 30, tzinfo=UTC), "received")]
    dues = [clocks_of(steps, ClockLimits(), CALENDAR, code, steps[0].at)[0].due for code in ("31", "51", "91")]
    assert dues == [date(2026, 2, 5), date(2026, 2, 6), date(2026, 2, 6)]


def test_reminders_go_out_in_the_morning_of_working_days_and_up_the_hierarchy() -> None:
    clock = clocks(("2026-02-02", "received"), now="2026-02-02")["completion"]
    assert clock.due is not None
    found = reminders_of(clock.due, CALENDAR, "51.71")
    assert len(found) == 4
    assert all(CALENDAR.is_working(at.date()) and at.hour == 8 for at in found)
    assert {at.utcoffset() for at in found} == {timedelta(hours=8)}
    assert found[0].date() < clock.due < found[1].date()
    assert sorted(found) == list(found)


@given(start=MOMENTS, later=LATER, seed=st.randoms())
def test_the_order_in_which_steps_arrive_changes_nothing(start, later, seed) -> None:
    steps = [CaseStep(start, "received"), *(CaseStep(start + delay, kind) for delay, kind in later)]
    now = start + timedelta(days=150)
    distinct = list({s.at: s for s in steps}.values())
    shuffled = list(distinct)
    seed.shuffle(shuffled)
    assert clocks_of(shuffled, ClockLimits(), CALENDAR, "32", now) == clocks_of(
        distinct, ClockLimits(), CALENDAR, "32", now
    )


@given(start=MOMENTS, later=LATER)
def test_a_due_date_is_a_working_day_and_never_earlier_than_without_rest(start, later) -> None:
    steps = [CaseStep(start, "received"), *(CaseStep(start + delay, kind) for delay, kind in later)]
    now = start + timedelta(days=150)
    asked = {s for s in steps if s.kind in ("asked", "replied")}
    restless = {c.name: c for c in clocks_of([s for s in steps if s not in asked], ClockLimits(), CALENDAR, "32", now)}
    for clock in clocks_of(steps, ClockLimits(), CALENDAR, "32", now):
        assert clock.due is None or CALENDAR.is_working(clock.due)
        if clock.due is not None and clock.name != "closing":
            assert clock.due >= (restless[clock.name].due or clock.due)


@given(start=MOMENTS, later=LATER, moved=st.dates(date(2025, 1, 1), date(2027, 12, 31)))
def test_a_late_decree_moves_a_due_date_by_at_most_its_own_day(start, later, moved) -> None:
    holidays = national_holidays()
    more = WorkingDayCalendar([*holidays, holidays[0]._replace(day=moved, kind="joint", decree="SKB")])
    steps = [CaseStep(start, "received"), *(CaseStep(start + delay, kind) for delay, kind in later)]
    now = start + timedelta(days=150)
    before = {c.name: c for c in clocks_of(steps, ClockLimits(), CALENDAR, "32", now)}
    for clock in clocks_of(steps, ClockLimits(), more, "32", now):
        old = before[clock.name].due
        if clock.due is not None and old is not None and clock.due != old:
            assert clock.due == CALENDAR.add(old, 1).day or clock.due == more.add(old, 1).day

"""The due dates of complaints: the law's clocks, by the region and the calendar of the office that has each.

The shipped holidays come first, then the rows of `calendars.csv` in the data folder: a decree that comes later, a
region's own days. A later row for the same day wins, so nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from router.calendars import (
    Holiday,
    WorkingDayCalendar,
    calendar_of,
    load_holidays,
    local_day,
    national_holidays,
    zone_of,
)
from router.clocks import LIMITS, Clock, ClockLimits, clocks_of, due_day, reminders_of
from router.hours import hours_of_office
from schemas.due import CaseHistory, CaseStep, ComputedClock, MovedClock, StoredClock
from schemas.regions import CODE

LONGEST_CLOSED = 60
"""Days in which an office opens at last."""
RegionOf = Callable[[str], str | None]
"""The region of an office by its id; None where it is not known."""


class Calendars:
    """The calendars of all regions and offices."""

    def __init__(self, own: Iterable[Holiday] = ()) -> None:
        self.own = tuple(own)
        self._rows = (*national_holidays(), *self.own)
        self._named = frozenset(row.calendar for row in self.own)
        self._calendar = lru_cache(maxsize=2048)(self._built)

    @classmethod
    def load(cls, text: str | None = None) -> Calendars:
        """The shipped calendar, with the rows of that CSV after it. Raises ValueError naming the line."""
        return cls(load_holidays(text) if text else ())

    def of(self, region: str, office: str | None = None) -> WorkingDayCalendar:
        """The calendar of a region or of an office there."""
        parts = region.split(".")
        names = {".".join(parts[:n]) for n in (1, 2)} & self._named
        return self._calendar(region[:5] if names else "00", self.own_office(office))

    def own_office(self, office: str | None) -> str | None:
        """The office, if it has days of its own."""
        return office if office in self._named else None

    def _built(self, region: str, office: str | None) -> WorkingDayCalendar:
        return calendar_of(region, self._rows, office)


class DueDates:
    """Computes clocks. `region_of` gives an office's region, whose zone and calendar decide."""

    def __init__(self, calendars: Calendars, region_of: RegionOf = lambda office: None) -> None:
        self.calendars = calendars
        self._region_of = region_of
        self._move = lru_cache(maxsize=65536)(self._computed_move)
        self._new = lru_cache(maxsize=4096)(self._computed_new)

    def compute(self, cases: Sequence[CaseHistory], now: datetime) -> list[list[ComputedClock]]:
        """The clocks of each complaint, as of now; as of its receipt where the clock of who received it is ahead."""
        return [self._clocks(case, max(now, case.steps[0].at)) for case in cases]

    def move(self, clocks: Sequence[StoredClock]) -> list[MovedClock]:
        """The same clocks by the newest calendar."""
        return [self._moved(clock) for clock in clocks]

    def next_opening(self, region: str, now: datetime, office: str | None = None, hours: str = "") -> datetime:
        """Now, while the office is open; else when it opens next: on a working day of its own calendar, by its own
        hours, in the zone of its region."""
        local = now.astimezone(zone_of(region))
        calendar, by_day = self.calendars.of(region, office), hours_of_office(hours)
        days = (local.date() + timedelta(n) for n in range(LONGEST_CLOSED))
        for day in filter(calendar.is_working, days):
            for opening in by_day[day.weekday()]:
                if datetime.combine(day, opening.end, local.tzinfo) > local:
                    return max(now, datetime.combine(day, opening.begin, local.tzinfo))
        return now

    def _clocks(self, case: CaseHistory, now: datetime) -> list[ComputedClock]:
        region, office, limits = self.region_of(case), self.calendars.own_office(case.office), limits_of(case)
        if len(case.steps) == 1:  # thousands of new reports share a day of receipt
            started = case.steps[0].at
            alike = self._new(region, office, limits, local_day(started, region), local_day(now, region))
            return [clock._replace(started_at=started) for clock in alike]
        return self._of_steps(case.steps, limits, region, office, now)

    def _of_steps(
        self, steps: Sequence[CaseStep], limits: ClockLimits, region: str, office: str | None, now: datetime
    ) -> list[ComputedClock]:
        calendar = self.calendars.of(region, office)
        return [_computed(clock, region, calendar) for clock in clocks_of(steps, limits, calendar, region, now)]

    def _computed_new(
        self, region: str, office: str | None, limits: ClockLimits, received: date, today: date
    ) -> list[ComputedClock]:
        """Of a report that was received on that day, and of which nothing else is known."""
        begin, end = (datetime.combine(day, time(12), zone_of(region)) for day in (received, today))
        return self._of_steps([CaseStep(begin, "received")], limits, region, office, max(begin, end))

    def region_of(self, case: CaseHistory) -> str:
        """The office's region; where that is not known, the place's, then the owner's."""
        office = self._region_of(case.office) if case.office else None
        for code in (office, case.place, case.owner):
            if code and CODE.fullmatch(code) and code != "00":
                return code[:5]
        return "00"

    def _moved(self, clock: StoredClock) -> MovedClock:
        office = self.calendars.own_office(clock.office)
        return self._move(clock._replace(complaint="", office=office))

    def _computed_move(self, clock: StoredClock) -> MovedClock:
        calendar = self.calendars.of(clock.region, clock.office)
        due = due_day(calendar, clock.start_day, clock.days, clock.rests)
        reminders = reminder_times(clock.clock, due.day, clock.region, calendar)
        return MovedClock(due.day, _over(due.day, clock.region), _names(due.skipped), due.provisional, reminders)


def limits_of(case: CaseHistory) -> ClockLimits:
    """How many working days the report's class allows."""
    name = "field_check" if case.field_check else case.report_class
    return LIMITS.get(name, LIMITS["complaint"])


def _computed(clock: Clock, region: str, calendar: WorkingDayCalendar) -> ComputedClock:
    running = clock.ended is None and clock.due is not None
    return ComputedClock(
        clock=clock.name, region=region, state=clock.state, started_at=clock.started, ended_at=clock.ended,
        start_day=clock.start_day, days=clock.days, rests=clock.rests,
        due_day=clock.due, due_at=None if clock.due is None else _over(clock.due, region),
        days_left=clock.left, skipped=_names(clock.skipped), provisional=clock.provisional,
        reminders=reminder_times(clock.name, clock.due, region, calendar) if running and clock.due else (),
    )  # fmt: skip


def _over(day: date, region: str) -> datetime:
    """The end of the day there."""
    return datetime.combine(day + timedelta(1), time(), zone_of(region))


@lru_cache(maxsize=4096)
def _names(holidays: tuple[Holiday, ...]) -> tuple[str, ...]:
    return tuple(str(holiday) for holiday in holidays)


def reminder_times(clock: str, day: date, region: str, calendar: WorkingDayCalendar) -> tuple[datetime, ...]:
    """When the office is warned of a clock that is due on that day, then the levels above it, one by one."""
    if clock not in {"verification", "first_answer", "completion"}:
        return ()
    return _reminders_of(day, calendar, region)


_reminders_of = lru_cache(maxsize=4096)(reminders_of)

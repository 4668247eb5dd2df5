"""The loop of the due dates: what changed is computed anew, and offices are told what is due. Any number of processes
may run it: what one has taken, the others leave out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

from hub.running.pools import RunInThread
from router.calendars import FIRST, SEED
from router.due import Calendars, DueDates, reminder_times
from sink.due import due_work, mark_overdue, recompute_due
from sink.due_calendar import FIRST as START
from sink.due_calendar import CalendarEdition, Key, has_older_calendar, move_due
from sink.due_reminders import OfficeTimes, remind
from sink.record import Record

if TYPE_CHECKING:
    from hub.opening import LiveEditions

RECOMPUTED, OVERDUE, REMINDED = 500, 2000, 500
"""At most so many in one transaction."""
TURNS = 25
"""Transactions of one kind in one step: new reports come before their due dates."""
MOVES = 1000
"""The same of a decree, which moves all open reports at once."""
EDITION = 1000
"""What an edition of the calendar counts beside the shipped ones."""


class DueWork:
    """Brings due dates, counters and reminders up to date, step by step."""

    def __init__(self, record: Record, io: RunInThread, current: LiveEditions, now: Callable[[], datetime]) -> None:
        self._record, self._io, self._current, self._now = record, io, current, now
        self._moving: tuple[int, Key] = (0, START)
        """Up to where the clocks were brought to that edition of the calendar."""

    async def step(self) -> None:
        """What is to be done now. Raises Retry."""
        dates, calendar = self.dates(), self.calendar()
        found = await self._io(due_work, self._record, self._now())
        if found.overdue:
            await self._io(mark_overdue, self._record, self._now(), OVERDUE)
        if found.stale or found.overdue:
            await self._all(TURNS, RECOMPUTED, recompute_due, dates.compute, calendar.version)
        if await self._io(has_older_calendar, self._record, calendar):
            await self._move(dates, calendar)
        if found.reminders:
            await self._all(TURNS, REMINDED, remind, self._times(dates), self._current.accounts.snapshot.forwarding)

    async def _move(self, dates: DueDates, calendar: CalendarEdition) -> None:
        """As far as it goes in one step; the next one goes on behind it."""
        told = self._current.accounts.snapshot.forwarding
        after = self._moving[1] if self._moving[0] == calendar.version else START
        for _ in range(MOVES):
            work = partial(move_due, self._record, dates.move, calendar, told, now=self._now(), after=after)
            after = (await self._io(work)).after or START
            self._moving = (calendar.version, after)
            if after == START:
                return

    def calendar(self) -> CalendarEdition:
        """The newest; without days of our own only a new release of the shipped ones can move a clock."""
        live = self._current.calendars
        since = min((holiday.day for holiday in live.value.own), default=FIRST)
        named = frozenset(holiday.calendar for holiday in live.value.own)
        return CalendarEdition(live.version * EDITION + SEED, since, named)

    def dates(self) -> DueDates:
        """By the newest calendars and offices."""
        return DueDates(self._current.calendars.value, self._region_of)

    async def _all(self, turns: int, limit: int, work: Callable[..., int], *how: object) -> None:
        """So many transactions at most, until there is nothing left."""
        for _ in range(turns):
            if await self._io(partial(work, self._record, *how, now=self._now(), limit=limit)) < limit:
                return

    def _region_of(self, office: str) -> str | None:
        found = self._current.offices.value.get(office)
        return found.region if found is not None else None

    def _times(self, dates: DueDates) -> OfficeTimes:
        calendars: Calendars = dates.calendars

        def reminders(region: str, office: str | None, clock: str, due: date) -> Sequence[datetime]:
            return reminder_times(clock, due, region, calendars.of(region, office))

        def opening(office: str | None, region: str, now: datetime) -> datetime:
            known = self._current.offices.value.get(office) if office else None
            where, hours = (known.region[:5], known.hours) if known else (region, "")
            return dates.next_opening(where, now, office, hours)

        return OfficeTimes(reminders, opening, self._superior)

    def _superior(self, office: str, level: int) -> str:
        above = self._current.offices.value.ladder_up(office) if level else ()
        return above[min(level, len(above)) - 1].id if above else office

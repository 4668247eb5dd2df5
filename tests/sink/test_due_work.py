"""The loop of the due dates: by the newest calendar and registry, once, whoever runs it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from hub.editions import LiveEdition
from hub.running.due import DueWork
from router import OfficeRegistry, RegisteredOffice
from router.calendars import Holiday
from router.due import Calendars
from schemas import Office
from sink import Record, track_report
from sink.due import due_work
from tests.sink.made import acted, action, message, persist, routed, rows

START = datetime(2026, 2, 2, 3, tzinfo=UTC)
DECREE = Holiday("id", date(2026, 2, 4), "joint", "Cuti bersama", "SKB")
PAPUA = RegisteredOffice(id="pu", name="Dinas PU", regions=("91.03",))


class Hub:
    """What the loop works with, and the time by which it goes."""

    def __init__(self, record: Record) -> None:
        self.record, self.now = record, START
        self.current: Any = SimpleNamespace(
            calendars=LiveEdition(Calendars()),
            offices=LiveEdition(OfficeRegistry([PAPUA])),
            accounts=SimpleNamespace(snapshot=SimpleNamespace(forwarding=())),
        )
        self.work = DueWork(record, self.io, self.current, lambda: self.now)

    async def io(self, call: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return call(*args, **more)

    async def step(self, days: float) -> None:
        """Once, so many days after the start."""
        self.now = START + timedelta(days=days)
        await self.work.step()


def due(record: Record) -> dict[str, tuple[str, str]]:
    return {clock: (state, day) for clock, state, day in rows(record, "SELECT clock, state, due_day FROM due_dates")}


async def test_what_changed_is_computed_and_then_there_is_nothing_to_do(sqlite_record: Record) -> None:
    hub = Hub(sqlite_record)
    persist(sqlite_record, *(routed(message(n, received_at=START)) for n in range(1, 500)), now=START)
    await hub.step(0)
    assert rows(sqlite_record, "SELECT count(*) FROM due_dates") == [(3 * 499,)]
    assert due_work(sqlite_record, START) == (False, False, False)
    await hub.step(4)
    assert due(sqlite_record)["verification"] == ("late", "2026-02-05")
    assert rows(sqlite_record, "SELECT sum(value) FROM counters WHERE measure = 'overdue'") == [(499,)]


async def test_a_decree_moves_clocks_of_every_office_and_once(sqlite_record: Record) -> None:
    hub = Hub(sqlite_record)
    persist(sqlite_record, routed(message(1, received_at=START)), now=START)
    await hub.step(0)
    hub.current.calendars = LiveEdition(Calendars([DECREE]), 1)
    await hub.step(0.1)
    await hub.step(0.2)
    assert due(sqlite_record)["verification"] == ("running", "2026-02-06")
    assert rows(sqlite_record, "SELECT count(*) FROM notices WHERE what = 'moved'") == [(3,)]


async def test_the_registry_gives_the_zone_and_who_is_above(sqlite_record: Record) -> None:
    hub = Hub(sqlite_record)
    opened = message(1, received_at=START)
    persist(sqlite_record, routed(opened), now=START)
    passed = action(1, "disposition", office=Office(id="pu"), received_at=START, observed_at=START)
    persist(sqlite_record, acted(passed, opened), now=START)
    await hub.step(0)
    assert rows(sqlite_record, "SELECT DISTINCT region FROM due_dates") == [("91.03",)]
    for hour in range(24 * 12):
        await hub.step(hour / 24)
    told = rows(sqlite_record, "SELECT office_id, level FROM notices WHERE clock = 'first_answer' ORDER BY seq")
    assert told == [("pu", 0), ("meja-layanan/91.03", 1), ("meja-layanan/91", 2)]
    hours = {datetime.fromisoformat(at).hour for (at,) in rows(sqlite_record, "SELECT at FROM notices")}
    assert hours <= {23, 0}  # 08:00 in WIT is 23:00 UTC of the day before


async def test_each_office_is_told_in_its_own_hours_and_zone(sqlite_record: Record) -> None:
    hub, opened = Hub(sqlite_record), message(1, received_at=START)
    late = RegisteredOffice(id="pu", name="Dinas PU", regions=("91.03",), hours="Sen-Jum 13:00-15:00")
    above = RegisteredOffice(id="kota", name="Diskominfo", kind="regency", regions=("91.03",), hours="Sel 09:00-10:00")
    hub.current.offices = LiveEdition(OfficeRegistry([late, above]))
    persist(sqlite_record, routed(opened), now=START)
    passed = action(1, "disposition", office=Office(id="pu"), received_at=START, observed_at=START)
    persist(sqlite_record, acted(passed, opened), now=START)
    for hour in range(24 * 9):
        await hub.step(hour / 24)
    told = rows(sqlite_record, "SELECT DISTINCT office_id, at FROM notices WHERE clock = 'first_answer' ORDER BY seq")
    assert [(office, at[:16]) for office, at in told] == [("pu", "2026-02-06 04:00"), ("kota", "2026-02-10 00:00")]


async def test_the_page_of_a_report_knows_whether_its_check_is_late(sqlite_record: Record) -> None:
    hub, checking = Hub(sqlite_record), []
    opened = message(1, received_at=START)
    persist(sqlite_record, routed(opened), now=START)
    for day, acts in ((0, ()), (4, ()), (5, (acted(action(2, "disposition", office=Office(id="pu")), opened),))):
        await hub.step(day)
        persist(sqlite_record, *acts, now=hub.now)
        await hub.step(day)
        found = track_report(sqlite_record, routed(opened).matched.number)
        checking.append(found and found.checking)
    assert checking == ["running", "late", "met"]

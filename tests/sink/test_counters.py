"""The counters are what the rows say, after any history: replays, redeliveries, late decrees, reports that move."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from router.calendars import Holiday
from router.due import Calendars, DueDates
from schemas import Message, Office, Routed, complaint_id
from sink import Record
from sink.complaint_queries import current_offices
from sink.due import mark_overdue, mark_stale, recompute_due
from sink.due_calendar import FIRST, CalendarEdition, move_due
from tests.sink.made import acted, action, message, persist, routed, rows

START = datetime(2026, 2, 2, 3, tzinfo=UTC)
DECREES = [
    DueDates(Calendars()),
    DueDates(Calendars([Holiday("id", date(2026, 2, 6), "joint", "Cuti bersama", "SKB 1")])),
    DueDates(Calendars([Holiday("32", date(2026, 2, 9), "local", "Hari jadi", "SK Gubernur")])),
]
OFFICES = [Office(id=id, name=id.upper()) for id in ("pu", "dlh", "dishub")]
REOPENED = """SELECT DISTINCT complaint FROM due_dates WHERE clock = 'completion'
    AND started_at > (SELECT received_at FROM complaints WHERE id = complaint)"""
STATUSES = ("verified", "in_progress", "done", "archived", "rejected")


def history(random: Random, opened: Message, n: int) -> list[Routed]:
    """What becomes of one report, in the order in which it happened."""
    at, found = opened.received_at, [routed(opened)]
    for step in range(random.randrange(8)):
        at += timedelta(hours=random.randrange(1, 100))
        key = n * 100 + step
        kind = random.choice(
            ("answer", "question", "note", "status", "status", "disposition", "added", "BELUM", "NILAI")
        )
        if kind in {"added", "BELUM", "NILAI"}:
            said: dict[str, Any] = {} if kind == "added" else {"command": kind}
            said |= {"rating": random.randrange(1, 6)} if kind == "NILAI" else {}
            found.append(routed(message(10_000 + key, received_at=at, **said), "added", opened))
            continue
        more: dict[str, Any] = {"text": "x"} if kind in {"answer", "question", "note"} else {}
        if kind == "status":
            more = {"status": random.choice(STATUSES), "reopens": random.random() < 0.2}
        if kind == "disposition":
            more = {"office": random.choice(OFFICES)}
        act = action(key, kind, raw=f"a{key}", id=f"console/console/{key}", received_at=at, observed_at=at, **more)
        found.append(acted(act, opened))
    return found


def delivered(random: Random, histories: list[list[Routed]]) -> list[Routed]:
    """All of it, each report's own events mostly in order, some late, some twice."""
    events = [
        (n + random.random() * (12 if random.random() < 0.2 else 3), e) for h in histories for n, e in enumerate(h)
    ]
    events += [(at + random.random() * 5, event) for at, event in events if random.random() < 0.2]
    return [event for _, event in sorted(events, key=lambda pair: pair[0])]


@pytest.mark.parametrize("seed", range(8))
def test_no_history_lets_a_counter_or_a_due_date_drift(sqlite_record: Record, seed: int) -> None:
    random, record = Random(seed), sqlite_record
    opened = [
        message(n, received_at=START + timedelta(hours=random.randrange(200)), owner=random.choice(("32.73", "51.71")))
        for n in range(1, 25)
    ]
    events = delivered(random, [history(random, one, n) for n, one in enumerate(opened, 1)])
    decree, now, after = 0, START, FIRST
    while events:
        size = random.randrange(1, 12)
        batch, events = events[:size], events[size:]
        now = max(now, *(event.matched.item.received_at for event in batch))
        persist(record, *batch, now=now)
        if random.random() < 0.4:
            decree = min(decree + (random.random() < 0.2), len(DECREES) - 1)
            recompute_due(record, DECREES[decree].compute, decree, now=now, limit=random.randrange(1, 10))
            edition, most = CalendarEdition(decree, START.date()), random.randrange(1, 10)
            after = move_due(record, DECREES[decree].move, edition, now=now, after=after, limit=most).after or FIRST
    end = now + timedelta(days=random.randrange(40))
    bring_up_to_date(record, DECREES[-1], end)
    assert counted(record) == recounted(record)
    before = due_rows(record)
    everything = {complaint_id(one.id) for one in opened}
    with record.write() as connection:
        connection.exec_driver_sql("DELETE FROM due_dates")
        mark_stale(connection, everything)
    bring_up_to_date(record, DECREES[-1], end)
    assert due_rows(record) == before
    assert counted(record) == recounted(record)


def bring_up_to_date(record: Record, dates: DueDates, now: datetime) -> None:
    last = len(DECREES) - 1
    mark_overdue(record, now)
    for _ in range(10):
        recompute_due(record, dates.compute, last, now=now)
        move_due(record, dates.move, CalendarEdition(last, START.date()), now=now)


def due_rows(record: Record) -> list[tuple[Any, ...]]:
    columns = "complaint, clock, office_id, region, state, started_at, ended_at, due_day, due_at, skipped, provisional"
    return rows(record, f"SELECT {columns} FROM due_dates ORDER BY complaint, clock")


def counted(record: Record) -> dict[tuple[str, ...], int]:
    """By owner, office and measure."""
    sql = "SELECT owner, office_id, measure, sum(value) FROM counters GROUP BY owner, office_id, measure"
    return {tuple(key): value for *key, value in rows(record, sql) if value}


def recounted(record: Record) -> dict[tuple[str, ...], int]:
    """The same from the rows themselves."""
    found: Counter[tuple[str, ...]] = Counter()
    reports = {id: (owner, status) for id, owner, status in rows(record, "SELECT id, owner, status FROM complaints")}
    with record.read() as connection:
        offices = {id: row.office_id for id, row in current_offices(connection, list(reports)).items()}
    clocks = {(id, name): (state, ended, days, left) for id, name, state, ended, days, left in rows(
        record, "SELECT complaint, clock, state, ended_at, days, days_left FROM due_dates")}  # fmt: skip
    ratings = dict(rows(record, "SELECT complaint, why FROM timeline WHERE what = 'rated' ORDER BY at, seq"))
    reopened = {id for (id,) in rows(record, REOPENED)}
    for id, (owner, status) in reports.items():
        measures = ["received"]
        measures += ["valid"] if status in {"verified", "in_progress", "done"} else []
        state, ended, *_ = clocks[id, "first_answer"]
        measures += ["answered"] if ended else []
        measures += ["answered_in_time"] if state == "met" else []
        late = [clocks[id, name] for name in ("verification", "first_answer", "completion")]
        measures += ["overdue"] if any(state == "late" and ended is None for state, ended, *_ in late) else []
        _, ended, days, left = clocks[id, "completion"]
        measures += ["finished", f"days:{max(0, days - left)}"] if status == "done" and ended else []
        measures += ["reopened"] if id in reopened else []
        measures += [f"rating:{ratings[id]}"] if id in ratings else []
        found.update((owner, offices[id], measure) for measure in measures)
    return dict(found)

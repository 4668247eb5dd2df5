"""`due`: the due dates of 1,000,000 open reports computed anew after a decree (goal: under a minute), and from their
histories.

    python -m bench.due [--reports 1000000] [--postgres 0]

`--postgres 1`: on PostgreSQL, which shares the machine with the program.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any
from uuid import UUID

from bench._cpu import cpu_of
from bench._table import options, tabulate
from router.calendars import Holiday
from router.due import Calendars, DueDates
from schemas.due import CaseHistory, CaseStep
from sink import Record, Vault
from sink.bulk import insert, instant_encoder
from sink.due_calendar import FIRST, CalendarEdition, Key, move_due
from sink.tables import due_dates
from tests.services.postgres import Postgres

HISTORIES = 20_000
START = datetime(2026, 2, 2, 3, tzinfo=UTC)
DECREE = date(2026, 3, 5)
DAYS = 20
"""On so many days the reports came."""


def main() -> None:
    """Print the table."""
    chosen = options(1, reports=1_000_000, postgres=0)

    def measure(run: int) -> Sequence[float]:
        with _record(bool(chosen.postgres)) as (record, server):
            _fill(record, chosen.reports)
            began, worked = time.perf_counter(), time.process_time() + cpu_of(server)
            moved = _move(record)
            took, worked = time.perf_counter() - began, time.process_time() + cpu_of(server) - worked
        return took, worked, moved, _histories()

    database = "PostgreSQL" if chosen.postgres else "SQLite"
    print(f"{chosen.reports:,} open reports on {database}, one running clock each; histories computed on one core")
    tabulate(
        {"decree, s (60)": ".1f", "CPU, s": ".1f", "of these moved": ",.0f", "histories a second": ",.0f"},
        measure,
        chosen.runs,
    )


@contextmanager
def _record(postgres: bool) -> Iterator[tuple[Record, int]]:
    """An empty record, and the process of its server; 0: there is none."""
    with TemporaryDirectory() as folder:
        vault = Vault.create(Path(folder) / "keys.toml")
        if postgres:
            with Postgres() as server, Record.open(server.new_database(), vault) as record:
                yield record, server.pid
        else:
            with Record.open(f"sqlite:///{folder}/record.db", vault, Lock()) as record:
                yield record, 0


def _fill(record: Record, reports: int) -> None:
    dates = DueDates(Calendars())
    with record.write() as connection:
        at = instant_encoder(connection)
        for start in range(0, reports, 10_000):
            insert(connection, due_dates, [_row(n, dates, at) for n in range(start, min(start + 10_000, reports))])


def _row(n: int, dates: DueDates, at: Any) -> dict[str, Any]:
    started = START + timedelta(days=n % DAYS)
    due = dates.calendars.of("32.73").add(started.date(), 14)
    over = datetime(due.day.year, due.day.month, due.day.day, 17, tzinfo=UTC)
    return {
        "complaint": str(UUID(int=n * 7919 << 64)), "clock": "completion", "owner": "32.73",
        "office_id": f"o{n % 5000}", "region": "32.73", "state": "running", "started_at": at(started), "ended_at": None,
        "start_day": started.date().isoformat(), "days": 14, "rests": None, "due_day": due.day.isoformat(),
        "due_at": at(over), "days_left": 14, "skipped": None, "provisional": False, "calendar": 1, "told": 0,
        "remind_at": at(over - timedelta(days=2)),
    }  # fmt: skip


def _move(record: Record) -> int:
    dates = DueDates(Calendars([Holiday("id", DECREE, "joint", "Cuti bersama", "SKB")]))
    after: Key | None = FIRST
    while after is not None:
        after = move_due(record, dates.move, CalendarEdition(2, DECREE), now=START, after=after).after
    with record.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM notices").scalar_one())


def _histories() -> float:
    """As the loop computes them: received, verified, asked, replied, answered."""
    dates = DueDates(Calendars())
    kinds = ("received", "verified", "asked", "replied", "answered")
    cases = [
        CaseHistory(str(n), "32.73", "32.73", "pu", "complaint", False, tuple(
            CaseStep(START + timedelta(days=n % DAYS + step, minutes=n % 500), kind) for step, kind in enumerate(kinds)
        ))
        for n in range(HISTORIES)
    ]  # fmt: skip
    began = time.thread_time()
    dates.compute(cases, START + timedelta(days=40))
    return HISTORIES / (time.thread_time() - began)


if __name__ == "__main__":
    main()

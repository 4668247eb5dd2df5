"""Fifty reports whose numbers were worked out by hand, with a calendar on the table.

All were received at ten o'clock on Monday, 2 February 2026, but six: those came on Friday the 13th, on which the
numbers are read, after nine working days. Verifications are due on the 5th, first answers on the 9th, completions on
the 24th.

| regency | reports | what became of them |
|---|---|---|
| Bandung | 8 | finished on the 5th, after 3 working days; six rated 5, 5, 4, 4, 3, 1 |
| | 4 | answered on the 10th, a day late |
| | 5 | nothing: overdue |
| | 3 | refused on the 3rd |
| Sleman | 5 | finished on the 3rd, after 1 working day |
| | 5 | the same, and reopened by the citizen on the 9th |
| | 6 | finished on the 6th, after 4 working days |
| | 4 | the citizen was asked on the 4th and is silent: the clocks rest |
| | 6 | came on the 13th |
| Denpasar | 4 | nothing: too few to be shown |
"""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from io import StringIO
from itertools import count
from typing import Any

from router.due import Calendars, DueDates
from schemas import Message, Place, Routed
from sink import Record
from sink.due import recompute_due
from sink.statistics import Cell, open_data, statistics
from tests.sink.made import NAME, PHONE, acted, action, message, persist, routed

RATINGS = (5, 5, 4, 4, 3, 1)


class History:
    """Events in the order in which they happened; reports and acts are numbered as they come."""

    def __init__(self) -> None:
        self.events: list[Routed] = []
        self._n = count(1)

    def opened(self, region: str, reports: int, day: int = 2) -> list[Message]:
        place = Place(code=region, source="said")
        found = [message(next(self._n), received_at=on(day), place=place, owner=region) for _ in range(reports)]
        self.events += map(routed, found)
        return found

    def officer(self, day: int, what: str, reports: list[Message], **more: Any) -> None:
        for opener in reports:
            n = next(self._n)
            known = {"id": f"console/console/{n}", "received_at": on(day), "observed_at": on(day)} | more
            self.events.append(acted(action(n, what, **known), opener))

    def citizen(self, day: int, command: str, opener: Message, **more: Any) -> None:
        said = message(next(self._n), received_at=on(day), command=command, **more)
        self.events.append(routed(said, "added", opener))


def on(day: int) -> datetime:
    """Ten o'clock in western Indonesia."""
    return datetime(2026, 2, day, 3, tzinfo=UTC)


def fifty(record: Record) -> None:
    history = History()
    bandung, sleman = history.opened("32.73", 20), history.opened("34.04", 20)
    history.opened("51.71", 4)
    history.officer(3, "status", sleman[:10], status="done")
    history.officer(3, "status", bandung[17:], status="rejected", text="Bukan urusan pemerintah.")
    history.officer(4, "question", sleman[16:], text="Di mana tepatnya?")
    history.officer(5, "status", bandung[:8], status="done")
    for opener, rating in zip(bandung, RATINGS, strict=False):
        history.citizen(6, "NILAI", opener, rating=rating)
    history.officer(6, "status", sleman[10:16], status="done")
    for opener in sleman[:5]:
        history.citizen(9, "BELUM", opener)
    history.officer(10, "answer", bandung[8:12], status="in_progress", text="Sedang kami periksa.")
    history.opened("34.04", 6, day=13)
    persist(record, *history.events)
    dates = DueDates(Calendars())
    while recompute_due(record, dates.compute, 1, now=on(13)):
        pass


def test_the_table_of_the_regencies_says_what_was_worked_out_by_hand(record: Record) -> None:
    fifty(record)
    bandung, sleman, denpasar = statistics(record)
    assert bandung == Cell(
        ("32.73",), received=20, valid=12, answered=15, answered_in_time=11, overdue=5, finished=8, reopened=0,
        median_days=3, rating=3.67, ratings=6,
    )  # fmt: skip
    assert sleman == Cell(
        ("34.04",), received=26, valid=16, answered=16, answered_in_time=16, overdue=0, finished=11, reopened=5,
        median_days=4, rating=None, ratings=None,
    )  # fmt: skip
    assert denpasar == Cell(("51.71",))
    (month,) = statistics(record, ("month", "channel"))
    assert month == Cell(
        ("2026-02", "sms"), received=50, valid=28, answered=31, answered_in_time=27, overdue=9, finished=19,
        reopened=5, median_days=3, rating=3.67, ratings=6,
    )  # fmt: skip
    rows = open_data(statistics(record), ("region",))
    published = json.dumps(rows)
    assert not any(personal in published for personal in (NAME, PHONE, "Melati"))
    written = StringIO()
    csv.DictWriter(written, rows[0]).writerows(rows)
    assert written.getvalue().splitlines()[2] == "51.71,,,,,,,,,,"

"""What the counters say to people: cells, medians, ratings, silence, and nothing that points at a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from router.due import Calendars, DueDates
from schemas import Office, Place
from sink import Record
from sink.due import recompute_due
from sink.statistics import SMALL, Cell, open_data, silent_offices, statistics
from tests.sink.made import acted, action, message, persist, routed

DATES = DueDates(Calendars())
AT = datetime(2026, 2, 2, 3, tzinfo=UTC)


def fill(record: Record, reports: int, *, place: str = "32.73", first: int = 1, done_after: int | None = None) -> None:
    """Reports of one regency, by an account of the nation's; each is finished that many days later, and rated 4."""
    for n in range(first, first + reports):
        opened = message(n, received_at=AT, place=Place(code=place, source="said"), owner="nasional")
        persist(record, routed(opened))
        if done_after is None:
            continue
        at = AT + timedelta(days=done_after)
        act = action(
            n, "status", raw=f"s{n}", id=f"console/console/s{n}", status="done", received_at=at, observed_at=at
        )
        persist(record, acted(act, opened))
        persist(record, routed(message(1000 + n, command="NILAI", rating=4, received_at=at), "added", opened))
    recompute_due(record, DATES.compute, 1, now=AT + timedelta(days=30))


def test_a_regency_shows_how_its_reports_were_dealt_with(record: Record) -> None:
    fill(record, SMALL, done_after=1)
    fill(record, SMALL, first=100)
    (cell,) = statistics(record)
    assert cell == Cell(
        ("32.73",), received=10, valid=5, answered=5, answered_in_time=5, overdue=5, finished=5, reopened=0,
        median_days=1, rating=4.0, ratings=5,
    )  # fmt: skip


def test_a_small_cell_says_only_that_it_is_small(record: Record) -> None:
    fill(record, SMALL - 1)
    fill(record, SMALL, place="51.71", first=100)
    small, large = statistics(record, ("region", "channel"))
    assert small == Cell(("32.73", "sms"))
    assert large.received == SMALL
    assert statistics(record, suppress=False)[0].received == SMALL - 1
    assert open_data([small], ("region", "channel"))[0] == {
        "region": "32.73", "channel": "sms", "received": None, "valid": None, "answered": None,
        "answered_in_time": None, "overdue": None, "finished": None, "reopened": None, "median_days": None,
        "rating": None, "ratings": None,
    }  # fmt: skip


def test_months_and_regions_bound_what_is_asked(record: Record) -> None:
    fill(record, SMALL)
    fill(record, SMALL, place="32.71", first=100)
    ask = partial(statistics, record, ("region",))
    assert [cell.key for cell in ask(region="32.71")] == [("32.71",)]
    assert [cell.key for cell in ask(region="32")] == [("32.71",), ("32.73",)]
    assert ask(region="32.7") == []
    assert ask(since="2026-03") == []
    assert ask(until="2026-01") == []
    assert len(ask(since="2026-02", until="2026-02")) == 2


def test_the_median_is_the_lower_of_the_two_in_the_middle(record: Record) -> None:
    for first, days in ((1, 1), (10, 1), (20, 3), (30, 4)):  # Tuesday, Tuesday, Thursday, Friday
        fill(record, 1, first=first, done_after=days)
    assert statistics(record, suppress=False)[0].median_days == 1
    fill(record, 1, first=40, done_after=4)
    assert statistics(record, suppress=False)[0].median_days == 3


def test_an_office_that_answers_nothing_is_silent_until_it_answers(record: Record) -> None:
    fill(record, 2)
    ask = partial(silent_offices, record, now=AT + timedelta(days=100))
    (silent,) = ask(90)
    assert (silent.office_id, silent.name, silent.waiting, silent.days) == ("front", "Meja depan", 2, 100)
    assert ask(365) == []
    at = AT + timedelta(days=50)
    answer = action(1, "answer", raw="a1", text="Ya", received_at=at, observed_at=at, office=Office(id="front"))
    persist(record, acted(answer, message(1)))
    recompute_due(record, DATES.compute, 1, now=at)
    assert ask(90) == []
    (silent,) = ask(30)
    assert (silent.waiting, silent.days) == (1, 50)


def test_a_report_that_is_passed_on_is_counted_with_its_new_office(record: Record) -> None:
    fill(record, 1)
    act = action(1, "disposition", raw="d1", office=Office(id="pu", name="PU"), received_at=AT, observed_at=AT)
    persist(record, acted(act, message(1)))
    recompute_due(record, DATES.compute, 1, now=AT + timedelta(days=100))
    assert [(c.key, c.received) for c in statistics(record, ("office_id",), suppress=False)] == [(("pu",), 1)]
    assert [office.office_id for office in silent_offices(record, 30, AT + timedelta(days=100))] == ["pu"]

"""An account is silent against its own history, and not because nobody writes at night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.running.silence import GAP_SHOWN, Silence, find_silences, gap_metric, is_silent, silence_metric
from sink import Record, Vault, book_received
from sink.account_states import StoredGap, recent_gaps
from sink.activity import hour_of
from sink.cursors import load_cursor, save_cursor
from sink.leases import renew_leases

MONDAY = datetime(2025, 6, 2, 1, tzinfo=UTC)
"""08:00 in Jakarta."""
OFFICE_HOURS = range(8)
WEEK = 7 * 24


def hours(at: datetime = MONDAY) -> int:
    return hour_of(at)


def office(weeks: int, days: range = range(5)) -> list[int]:
    """Something came in each hour of every working day."""
    return [hours() + week * WEEK + day * 24 + hour for week in range(weeks) for day in days for hour in OFFICE_HOURS]


def silent_at(active: list[int], *, after: int) -> bool:
    return is_silent(active, active[-1] + 1 + after)


def test_a_night_and_a_weekend_are_no_silence_where_they_always_were() -> None:
    monday_of_the_next_week = hours() + 6 * WEEK
    assert not is_silent(office(6), monday_of_the_next_week)
    assert [is_silent(office(6), monday_of_the_next_week + hour) for hour in range(9)] == [False] * 3 + [True] * 6


def test_a_lively_account_is_missed_within_hours_and_a_rare_one_is_not() -> None:
    lively = list(range(hours(), hours() + 6 * WEEK))
    rare = [hours() + 60 * n for n in range(30)]
    assert [silent_at(lively, after=hour) for hour in (0, 1, 2)] == [False, False, True]
    assert not any(silent_at(rare, after=24 * days) for days in range(1, 8))
    assert silent_at(rare, after=24 * 60)


@pytest.mark.parametrize(
    "active",
    [
        pytest.param([], id="none"),
        pytest.param(office(6)[:19], id="too few hours"),
        pytest.param(list(range(hours(), hours() + 24 * 9)), id="nine days"),
    ],
)
def test_without_history_nothing_is_said(active: list[int]) -> None:
    assert not is_silent(active, (active[-1] if active else hours()) + 48)


def test_silences_that_it_has_had_before_are_none() -> None:
    """Two holidays of three days each in the last weeks."""
    away = {2 * WEEK + n for n in range(72)} | {4 * WEEK + n for n in range(72)}
    active = [hour for hour in range(hours(), hours() + 6 * WEEK) if hour - hours() not in away]
    assert [silent_at(active, after=24 * days) for days in (1, 3, 6)] == [False, False, True]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as opened:
        yield opened


def test_only_accounts_that_take_in_are_looked_at_and_the_metric_shows_each(record: Record) -> None:
    for account in ("sms", "closed"):
        raws = [(f"{account}-{n}", account, MONDAY + timedelta(hours=n)) for n in range(4 * WEEK)]
        book_received(record, raws)
    end = MONDAY + timedelta(weeks=4)
    now = end + timedelta(days=1)
    assert find_silences(record, ["sms", "new"], now) == [Silence("sms", end)]
    [metric] = silence_metric(["sms", "new"], find_silences(record, ["sms", "new"], now))
    assert [(sample.labels["account"], sample.value) for sample in metric.samples] == [("new", 0.0), ("sms", 1.0)]


def test_a_gap_is_stored_with_the_cursor_and_its_alarm_ends_by_itself(record: Record) -> None:
    (epoch,) = renew_leases(record, "a", ["bot"], now=MONDAY).values()
    save_cursor(record, "bot", epoch, "1708:9", MONDAY, gap=("updates_missing", "2 updates are missing"))
    save_cursor(record, "bot", epoch, "1708:10", MONDAY + timedelta(hours=1))
    assert load_cursor(record, "bot") == "1708:10"
    gaps = recent_gaps(record, MONDAY + timedelta(hours=23) - GAP_SHOWN)
    assert gaps == {"bot": StoredGap("updates_missing", "2 updates are missing", MONDAY)}
    [metric] = gap_metric(gaps)
    assert [(s.labels, s.value) for s in metric.samples] == [({"account": "bot", "code": "updates_missing"}, 1.0)]
    assert recent_gaps(record, MONDAY + timedelta(hours=25) - GAP_SHOWN) == {}

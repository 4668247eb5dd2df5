"""The fault drill's short form on a real Kafka and a real PostgreSQL: ten kills, an outage, a zombie, then every check.

One run, looked at from several sides; the long form and its table are in `docs/faults.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.drill.faults import short_form
from bench.drill.rounds import Row
from bench.drill.table import details
from bench.faults import SHORT, drill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def row(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Row]:
    folder: Path = tmp_path_factory.mktemp("drill")
    [row] = drill(short_form(), SHORT, folder, lambda rows: None)
    yield row
    print((folder / "drill.log").read_text())
    print("\n".join(details([row], most=1000)))


def none(row: Row, *checks: str) -> None:
    """None of these checks found anything."""
    assert {check: row.wrong[check][:20] for check in checks if row.wrong[check]} == {}


def test_the_drill_was_one(row: Row) -> None:
    assert row.times == 11
    assert row.accepted > 1500


def test_case_24_nothing_is_lost(row: Row) -> None:
    """Database and broker blink, the broker is away, rebalances in mid-batch, a kill during the spool's drain."""
    none(row, "lost", "miscounted", "unbalanced", "reports lost")


def test_case_24_no_effect_twice(row: Row) -> None:
    none(row, "recorded twice", "answered twice")


def test_case_24_retried_and_not_buried(row: Row) -> None:
    """Nothing but the malformed is dead, and no part of the hub gave up."""
    none(row, "buried", "ended by itself")


def test_a_citizens_messages_stand_in_the_order_of_the_door(row: Row) -> None:
    none(row, "disordered")


def test_doors_say_yes_or_try_again(row: Row) -> None:
    none(row, "wrong answers")


def test_every_reply_is_sent_or_stated_as_in_doubt(row: Row) -> None:
    """Only what was in the air at a kill may be in doubt: 16 of each of the two processes that speak."""
    none(row, "unanswered")
    assert sum(doubt for doubt, _ in row.doubt.values()) <= 16 * 4

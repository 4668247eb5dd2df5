"""The fault drill's short form on a real Kafka and a real PostgreSQL: ten kills, an outage, a zombie, a lost lease,
then every check.

All tests judge one run; the long form and its table are in `docs/faults.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.drill.faults import short_form
from bench.drill.recorded import CHANNELS
from bench.drill.rounds import Row
from bench.drill.table import details
from bench.faults import SHORT, drill

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]

LOSSES = 4
"""Of leases: `accounts` and the worker killed, `accounts` standing still, the database gone."""


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
    assert row.times == 12
    assert row.accepted > 1500


def test_case_24_nothing_is_lost(row: Row) -> None:
    """Short and long outages of database and broker, rebalances in mid-batch, a kill during the spool's drain."""
    none(row, "lost", "miscounted", "unbalanced", "reports lost")


def test_case_24_no_effect_twice(row: Row) -> None:
    none(row, "recorded twice", "answered twice")


def test_case_24_retried_and_not_dead(row: Row) -> None:
    """Nothing but the malformed is dead, and no part of the hub gave up."""
    none(row, "dead letters", "ended by itself")


def test_a_citizens_messages_stand_in_the_order_of_the_ingress(row: Row) -> None:
    none(row, "disordered")


def test_the_ingress_accepts_or_asks_to_try_again(row: Row) -> None:
    none(row, "wrong answers")


def test_every_reply_is_sent_or_stated_as_in_doubt(row: Row) -> None:
    """A reply may be in doubt where a provider took it and failed, or where its sender was killed or lost its lease:
    of the two processes, the one that had the account had sixteen of it in flight at most."""
    none(row, "unanswered")
    assert row.unexplained <= 16 * len(CHANNELS) * LOSSES

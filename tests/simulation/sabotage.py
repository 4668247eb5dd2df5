"""Safeguards taken away, one at a time, to prove that the laws notice: each is a patch of one name.

A sabotage is a name, what it does without, and the patch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NamedTuple
from unittest.mock import patch

from sqlalchemy import Connection

from bus import Batch, Bus, PartitionLost, SideLane, Stage
from connectors import Request
from hub.running import sending
from hub.running.forwarding_polls import ForwardPolls
from hub.running.forwarding_steps import StepRunner
from hub.running.send_starts import StartWriter
from hub.running.taking_in import AccountIntake
from normalizer import match_rules
from schemas import Retry, Unanswered
from sink import job_claims, memory, outbox_claims, outbox_results, persist
from tests.simulation.blocking import looked_at


class Sabotage(NamedTuple):
    """Where the safeguard stands, and what stands there instead."""

    where: Any
    name: str
    instead: Any


async def _commit_first(bus: Bus, stage: Stage, work: Any, asides: Any, batch: Batch) -> None:
    try:
        await work.patiently(lambda: bus.commit(batch))
    except PartitionLost:
        return
    await work.batch(batch.events)


def _any_epoch(connection: Connection, epochs: Mapping[str, int]) -> dict[str, int]:
    return dict(epochs)


def _owed_again(connection: Connection, stale: Mapping[str, str], carries_reference: Collection[str]) -> None:
    for reply in stale:
        connection.exec_driver_sql("UPDATE outbox SET state = 'owed' WHERE id = ?", (reply,))


def _owed_though_started(connection: Connection, stale: Iterable[str]) -> None:
    for reply in stale:
        connection.exec_driver_sql(
            "UPDATE outbox SET state = 'owed' WHERE id = ? AND started AND account LIKE 'radio%'", (reply,)
        )
    _owe_unstarted(connection, stale)


async def _started_unasked(self: StartWriter, owed: Any) -> bool:
    return True


async def _stored_first(self: ForwardPolls, channel: Any, poll: Any) -> str | None:
    found = await channel.follow(poll.native, poll.cursor, None)
    asyncio.get_running_loop().create_task(self._door.take_in(channel, found.requests)).add_done_callback(looked_at)
    return found.cursor  # type: ignore[no-any-return]


_not_sent, _owe_unstarted = sending._not_sent, outbox_claims._owe_unstarted


def _tried_again(owed: Any, channel: Any, fault: BaseException, now: Any) -> Any:
    return _not_sent(owed, channel, Retry(fault.reason) if isinstance(fault, Unanswered) else fault, now)


_take_in = AccountIntake.__call__


async def _cursor_first(self: AccountIntake, requests: Sequence[Request], cursor: str | None = None) -> None:
    if cursor is not None:
        await _take_in(self, (), cursor)
    await _take_in(self, requests, None)


async def _no_scan(self: SideLane) -> None:
    """Which keys are in the lane stays unknown."""


_insert_returning = persist.insert_returning


def _all_new(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]], on: str) -> set[tuple[Any, ...]]:
    _insert_returning(connection, table, rows, on)
    return {(row["raw"], row["item_index"]) for row in rows}


async def _no_look(self: StepRunner, current: Any, *_: Any) -> None:
    current.looked = True


_PUMP, _MATCH = import_module("bus.pump"), import_module("normalizer.match")
SABOTAGES: Mapping[str, Sabotage] = {
    "a batch is committed before its results are published": Sabotage(_PUMP, "_batch", _commit_first),
    "decisions are not remembered": Sabotage(memory.RecordMemory, "remember", lambda self, entries: None),
    "claims do not check the epoch": Sabotage(outbox_claims, "lock_epochs", _any_epoch),
    "claims of jobs do not check the epoch": Sabotage(job_claims, "lock_epochs", _any_epoch),
    "a claim of an earlier holder is sent again": Sabotage(outbox_claims, "_give_up", _owed_again),
    "a reply whose sending had started is sent again": Sabotage(outbox_claims, "_owe_unstarted", _owed_though_started),
    "a send starts without a mark": Sabotage(StartWriter, "mark", _started_unasked),
    "a send without an answer is tried again": Sabotage(sending, "_not_sent", _tried_again),
    "a cursor moves before what it passed is durable": Sabotage(AccountIntake, "__call__", _cursor_first),
    "a stage does not look who is in its lanes": Sabotage(SideLane, "scan", _no_scan),
    "a message id that was seen is a new message": Sabotage(
        _MATCH, "RULES", tuple(rule for rule in match_rules.RULES if rule is not match_rules.redelivered)
    ),
    "an item is recorded each time it comes": Sabotage(persist, "insert_returning", _all_new),
    "receipts that come early are forgotten": Sabotage(outbox_results, "settle_early", lambda connection, keys: None),
    "a step of a forward is done again without a look": Sabotage(StepRunner, "_look_up", _no_look),
    "a poll of a complaint moves its cursor before what it found is durable": Sabotage(
        ForwardPolls, "_taken", _stored_first
    ),
}  # fmt: skip


@contextmanager
def sabotaged(name: str) -> Iterator[None]:
    """Run without that safeguard."""
    where, attribute, instead = SABOTAGES[name]
    with patch.object(where, attribute, instead):
        yield

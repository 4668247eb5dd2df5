"""The pipeline as a table: which stage consumes which topic, by which function, and what runs beside the stages.

raw ─ reader ─> messages, actions ─ matcher ─> matched ─ router ─> routed ─ sink ─> record ─ accounts ─> channel
raw ─ reader ─> slow ─ slow ─> messages: a conversation over its budget       raw ─ ledger, archive       dead ─ dead
raw ─ reader ─> receipts ─ receipts ─> record
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

CRITICAL, RELAXED = 0.02, 0.2
"""Seconds at least from one batch to the next, on a remote bus, where a batch costs more than a hundred events: on the
way to the record, and beside it. On the embedded bus only the reader waits, and the stages behind it get its batches:
an event that comes alone waits nowhere."""


class StageRow(NamedTuple):
    """A stage. Its consumer group has its name; its function is built in `running/pipeline.py` under that name."""

    run: str
    """Name of `satupintu run` that it belongs to."""
    name: str
    topic: str
    batch_size: int = 500
    min_interval: float = CRITICAL
    embedded: float = 0.0
    """The same on the embedded bus."""


TABLE = (
    #   run        name        topic       batch  interval embedded
    StageRow("reader",  "reader",   "raw",      500,  CRITICAL, CRITICAL),
    StageRow("reader",  "slow",     "slow",      50),
    StageRow("matcher", "matcher",  "messages"),
    StageRow("matcher", "actions",  "actions"),
    StageRow("router",  "router",   "matched"),
    StageRow("sink",    "sink",     "routed"),
    StageRow("sink",    "receipts", "receipts", 500,  RELAXED),
    StageRow("sink",    "dead",     "dead",     500,  RELAXED),
    StageRow("sink",    "ledger",   "raw",     2000,  RELAXED,  RELAXED),
    StageRow("sink",    "archive",  "raw",      500,  RELAXED,  RELAXED),
)  # fmt: skip


class LoopRow(NamedTuple):
    """Work beside the stages: `run` "" runs in every process."""

    run: str
    name: str
    every: float
    """Seconds."""


LOOPS = (
    LoopRow("",     "editions",  1.5),
    LoopRow("",     "heartbeat", 5.0),
    LoopRow("sink", "due",       2.0),
    LoopRow("sink", "prune",     3600.0),
)  # fmt: skip

STAGES = ("door", "reader", "matcher", "router", "sink", "accounts", "forwarder")
"""Names of `satupintu run`; `door` is the ingress, `accounts` polls, holds sessions, sends and fetches,
`forwarder` brings complaints into other systems."""
WORK = STAGES[1:]
PIPELINE = ("raw", "slow", "messages", "actions", "matched", "routed", "receipts", "dead")
"""Topics in the order in which an event moves on."""
BESIDE = frozenset({"ledger", "archive"})
"""Groups that carry nothing on."""


def stage_rows(names: Collection[str]) -> Iterator[StageRow]:
    """The stages of these names of `satupintu run`."""
    return (row for row in TABLE if row.run in names)


def groups_by_topic() -> dict[str, set[str]]:
    """By topic, the groups that carry its events on."""
    found: dict[str, set[str]] = {}
    for row in TABLE:
        if row.name not in BESIDE:
            found.setdefault(row.topic, set()).add(row.name)
    return found

"""All that is known when a seed is over: the log, the record, and what the world outside saw."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

from bus import Bus, StoredEvent
from connectors import Channel
from schemas import Message, Raw, Reject, decode
from sink.forward_law import NationalBalance
from tests.simulation.citizens import Written
from tests.simulation.provider import Attempt
from tests.simulation.registry import Call, Registry

_BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class Item(NamedTuple):
    """An item of a Raw, as its channel reads it."""

    raw: Raw
    index: int
    count: int
    what: Any
    """Message, Action, Receipt, Reject; None where the request holds nothing."""


@dataclass
class Facts:
    """What the laws are about."""

    raws: list[Raw]
    """In the order of the log, each id once."""
    written: Written
    attempts: list[Attempt]
    registry: Registry | None
    national: list[NationalBalance]
    channels: dict[str, Channel]
    logged: list[str]
    seen: list[str]
    """Laws that were broken while the seed ran."""
    record: sqlite3.Connection
    archived: set[str]
    """Raw ids."""
    ledger: dict[str, int]
    diverted: list[str]
    """The topic of each event that went by another lane."""
    replayed: set[str]
    """Raws that somebody sent again by hand."""
    silenced: set[str]
    """Accounts that were silent at some time: they owe no answers for it."""
    edition: str
    editions: dict[str, str]
    """The newest edition, and what each process has."""

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query."""
        cursor = self.record.execute(sql, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def summary(self) -> dict[str, int]:
        """How much of what happened."""
        outcomes = Counter(f"items {row['outcome']}" for row in self.outcomes.values())
        forwards = Counter(
            f"forwards {row['state']}"
            for row in self.rows("SELECT state FROM jobs WHERE kind IN ('forward', 'followup')")
        )
        replies = Counter(f"replies {row['state']}" for row in self.replies.values())
        more = {
            "accounts taken over": "SELECT coalesce(sum(epoch - 1), 0) AS n FROM leases",
            "files fetched": "SELECT count(*) AS n FROM attachments WHERE state = 'fetched'",
            "statuses applied": "SELECT count(*) AS n FROM actions WHERE applied",
        }
        lanes = Counter(f"events by {topic}" for topic in self.diverted)
        return dict(outcomes + replies + forwards + lanes) | {
            name: int(self.rows(sql)[0]["n"]) for name, sql in more.items()
        }

    @property
    def calls(self) -> list[Call]:
        """The calls to do a step of a forward."""
        return [] if self.registry is None else self.registry.calls

    @cached_property
    def items(self) -> list[Item]:
        """Every item of every Raw."""
        return [item for raw in self.raws for item in _items(raw, self.channels[raw.account])]

    @cached_property
    def outcomes(self) -> dict[tuple[str, int], dict[str, Any]]:
        """By raw id and item index."""
        return {(row["raw"], row["item_index"]): row for row in self.rows("SELECT * FROM outcomes")}

    @cached_property
    def outcomes_of_message(self) -> dict[str, list[str]]:
        """By message id, the outcome of each time it came."""
        found: dict[str, list[str]] = defaultdict(list)
        for item in self.items:
            if isinstance(item.what, Message) and (row := self.outcomes.get((item.raw.id, item.index))):
                found[item.what.id].append(row["outcome"])
        return found

    @cached_property
    def attempts_of(self) -> dict[str, list[Attempt]]:
        """By reply id, in order."""
        found: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            found[attempt.reply.id].append(attempt)
        return found

    @cached_property
    def replies(self) -> dict[str, dict[str, Any]]:
        """The outbox, by reply id."""
        return {row["id"]: row for row in self.rows("SELECT * FROM outbox ORDER BY created_at, id")}


def _items(raw: Raw, channel: Channel) -> list[Item]:
    try:
        found = list(channel.parse(raw))
    except Reject as reject:
        found = [reject]
    return [Item(raw, at, len(found), what) for at, what in enumerate(found)] or [Item(raw, 0, 1, None)]


async def logged_raws(bus: Bus) -> list[Raw]:
    """The Raws in the order in which they came first."""
    found: dict[str, Raw] = {}
    stored: StoredEvent
    async for stored in bus.read(Raw.topic, _BEGINNING):
        raw = decode(Raw.topic, stored.value)
        assert isinstance(raw, Raw)
        found.setdefault(raw.id, raw)
    return list(found.values())

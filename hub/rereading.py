"""Reading again what came in, from the archive and the bus, against what the record holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime
from itertools import count
from typing import Any, NamedTuple

from msgspec.structs import replace

from bus import Bus
from hub.reading import BodyReader, with_bodies
from normalizer import Reader
from normalizer.settle import settled_place
from schemas import Action, Dead, Event, Message, Raw, Receipt
from sink.archive import Archive
from sink.archive_members import OnDamage
from sink.outcomes import outcomes_of
from sink.record import Record
from sink.rereading import Rereading, apply_rereading

AT_ONCE = 500
"""Raws that are read again together."""
NO_MESSAGE = {"dead": "dead", "receipt": "receipt", "empty": "empty"}
"""Outcomes of items that are no message."""


class RereadSpan(NamedTuple):
    """What is read again, by the time of receipt."""

    since: datetime
    until: datetime | None = None
    account: str | None = None

    def holds(self, raw: Raw) -> bool:
        """Is this one in it?"""
        return (
            self.since <= raw.received_at
            and (self.until is None or raw.received_at < self.until)
            and self.account in (None, raw.account)
        )


class ReadingChange(NamedTuple):
    """An item that would be otherwise, or is now."""

    raw: str
    item_index: int
    number: str | None
    fields: dict[str, tuple[Any, Any]]
    """By field: before and after."""
    applied: bool
    reason: str | None
    """Why it was not applied."""


class RereadBatch(NamedTuple):
    """A batch that was read again."""

    items: int
    changes: list[ReadingChange]
    revived: list[Raw]
    """Raws that hold a dead item which can be read now."""


async def raws_in(span: RereadSpan, archive: Archive, bus: Bus, *, on_damage: OnDamage) -> AsyncIterator[list[Raw]]:
    """The Raws of the span, each once, in batches: those of the archive, then those that only the bus has yet.
    `on_damage` hears of each damaged file of the archive."""
    seen: set[str] = set()
    batch: list[Raw] = []
    for raw in archive.read(span.since, span.until, on_damage=on_damage):
        seen.add(raw.id)
        if span.account in (None, raw.account):
            batch.append(raw)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    async for stored in bus.read(Raw.topic, span.since):
        event = stored.event()
        assert isinstance(event, Raw)
        if event.id not in seen and span.holds(event):
            seen.add(event.id)
            batch.append(event)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def reread(
    record: Record, reader: Reader, bodies: BodyReader, raws: Sequence[Raw], *, now: Callable[[], datetime], apply: bool
) -> RereadBatch:
    """Read the Raws again; `apply` stores what an officer has not touched. Raises Retry."""
    number = count()
    brought = with_bodies(bodies, raws)
    items = reader.read(brought, now=now, new_id=lambda: str(next(number)))
    outcomes = {(o.raw, o.item_index): o for o in outcomes_of(record, [raw.id for raw in raws])}
    recorded = [_with_settled_place(i) for i in items if isinstance(i, Message) and _is_message(outcomes, i)]
    found = apply_rereading(record, recorded, now=now(), dry_run=not apply)
    changes = [_change(one) for one in found if one.reason != "not_recorded"]
    revived = {item.trace for item in items if _kind(item) == "message" and _outcome(outcomes, item) == "dead"}
    return RereadBatch(
        len(items),
        [*changes, *_other_kind(items, outcomes)],
        [raw for raw in raws if raw.id in revived],
    )


def _with_settled_place(message: Message) -> Message:
    """With its place, as the matcher settles it for a message that opens a complaint."""
    return replace(message, places=(), place=settled_place(message, None) or message.place)


def _other_kind(items: Sequence[Event], outcomes: dict[tuple[str, int], Any]) -> Iterator[ReadingChange]:
    """Items that were no message and are one now, or the other way round."""
    for item in items:
        was = _outcome(outcomes, item)
        if was is not None and NO_MESSAGE.get(was, "message") != (now := _kind(item)):
            assert isinstance(item, Message | Action | Receipt | Dead)
            fields = {"outcome": (NO_MESSAGE.get(was, "message"), now)}
            yield ReadingChange(item.raw or "", item.item_index, None, fields, applied=False, reason=None)


def _is_message(outcomes: dict[tuple[str, int], Any], message: Message) -> bool:
    return NO_MESSAGE.get(_outcome(outcomes, message) or "dead", "message") == "message"


def _outcome(outcomes: dict[tuple[str, int], Any], item: Any) -> str | None:
    """None: it is still in flight, and read for the first time."""
    found = outcomes.get((item.raw, item.item_index))
    return None if found is None else str(found.outcome)


def _kind(item: Event) -> str:
    if isinstance(item, Dead):
        return "dead"
    if isinstance(item, Receipt):
        return "empty" if item.state == "empty" else "receipt"
    return "message"


def _change(one: Rereading) -> ReadingChange:
    return ReadingChange(one.raw, one.item_index, one.number, dict(one.changes), one.applied, one.reason)

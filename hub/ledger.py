"""What is in flight, and whether the ledger balances.

A raw id is in flight when an event that carries it is still to be committed by a group that carries it on. The topics
are scanned in the order of the pipeline, the offsets of each just before its events: an event that moves on meanwhile
is published further down before it is committed here, so it is seen here, or there, or both.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from bus import (
    BodyStore,
    Bus,
    EventOrigin,
    StoredEvent,
    lane_name,
    origin_of,
    read_spooled,
    resolve_reference,
    stored_key,
    uncommitted_events,
)
from hub.running.pools import Pools
from hub.stages import PIPELINE, groups_by_topic
from schemas import Aside, Raw, Retry
from sink.aside import list_asides
from sink.ledger import COLUMNS, last_booked, read_balance, unbooked
from sink.record import Record

BOOKKEEPER = "ledger"
"""The group that books what came in: a Raw that it has not read is not received yet, so it cannot be in flight."""
PAUSE = 2.0
"""Seconds between the two readings that make an alarm."""
_RAWS = frozenset({"raw", "slow"})

Ledger = dict[str, Any]
"""`{"all": {…}, "accounts": {name: {…}}}`, as the interface has it."""


async def read_ledger(record: Record, bus: Bus, pools: Pools) -> Ledger:
    """The ledger now. What came in is counted first, what is in flight next, outcomes last: so nothing seems lost that
    is not. Raises Retry."""
    last = await pools.io(last_booked, record)
    lanes = [lane_name(*row[:3]) for row in await pools.io(list_asides, record)]
    moving = await waiting_aside(bus, lanes)
    moving |= await in_flight(bus)
    moving |= await waiting_aside(bus, lanes)  # again: events move there, and back
    return await pools.io(read_balance, record, last, moving)


async def read_ledger_with_spool(record: Record, bus: Bus, pools: Pools, spool: Path, bodies: BodyStore) -> Ledger:
    """The ledger now; what waits in the spool at that path came in too, and what is not booked yet, as in an outage of
    the record: it is in flight. `bodies` holds its large events. Raises Retry."""
    waiting = await pools.io(_spooled, spool, bodies)  # first: it moves to the log
    waiting |= await _unread(bus)
    ledger = await read_ledger(record, bus, pools)
    for raw in await pools.io(unbooked, record, waiting) if waiting else ():
        for line in (ledger["all"], ledger["accounts"].setdefault(waiting[raw], dict.fromkeys(COLUMNS, 0))):
            line["received"] += 1
            line["in_flight"] += 1
    return ledger


async def read_ledger_twice(
    read: Callable[[], Awaitable[Ledger]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> tuple[Ledger, list[str]]:
    """The ledger, and the accounts that lost something in two readings two seconds apart."""
    first = _losers(ledger := await read())
    if not first:
        return ledger, []
    await sleep(PAUSE)
    ledger = await read()
    return ledger, [account for account in _losers(ledger) if account in first]


async def in_flight(bus: Bus) -> set[str]:
    """Raw ids of the events that a group has still to carry on. Raises Retry."""
    found: set[str] = set()
    groups = groups_by_topic()
    for topic in PIPELINE:
        for group in groups.get(topic, ()):
            found |= {raw_id(stored) async for stored in uncommitted_events(bus, topic, group)}
    return found - {""}


async def waiting_aside(bus: Bus, lanes: Iterable[str]) -> set[str]:
    """Raw ids of the events that wait in these lanes. Raises Retry."""
    return {id for lane in lanes async for id in _in_lane(bus, lane)} - {""}


def raw_id(stored: StoredEvent) -> str:
    """The Raw that the event came of; empty where that cannot be read. Raises Retry while its body does not answer."""
    origin = _origin(stored)
    return (origin.id if stored.topic in _RAWS else origin.raw) or ""


def _origin(stored: StoredEvent) -> EventOrigin:
    try:
        return origin_of(resolve_reference(stored.value, stored.bodies))
    except Retry as fault:
        if isinstance(fault.__cause__, FileNotFoundError):
            return EventOrigin()  # it is gone: lost, if nothing else has it
        raise


def _spooled(path: Path, bodies: BodyStore) -> dict[str, str]:
    """Accounts by the raw ids of the events that wait in a spool. Raises Retry."""
    try:
        origins = map(_origin, read_spooled(path, bodies))
        return {origin.id: origin.account or "" for origin in origins if origin.id}
    except sqlite3.Error as fault:
        raise Retry(f"the spool cannot be read: {fault}") from None


async def _unread(bus: Bus) -> dict[str, str]:
    """Accounts by the raw ids that the bookkeeper has still to read. Raises Retry."""
    origins = [_origin(stored) async for stored in uncommitted_events(bus, Raw.topic, BOOKKEEPER)]
    return {origin.id: origin.account or "" for origin in origins if origin.id}


async def _in_lane(bus: Bus, lane: str) -> AsyncIterator[str]:
    async for stored in uncommitted_events(bus, Aside.topic, lane):
        if stored.key == stored_key(lane):
            aside = stored.event()
            assert isinstance(aside, Aside)
            yield raw_id(stored._replace(topic=aside.of_topic, value=bytes(aside.event)))


def _losers(ledger: Ledger) -> Collection[str]:
    return [account for account, row in ledger["accounts"].items() if row["lost"]]

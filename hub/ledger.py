"""What is on the road, and whether the books balance.

A raw id is on the road when an event that carries it stands behind the place of a group that still has to carry it on.
The topics are asked in the order of the road, each one's places just before its events: whatever moves on meanwhile is
published further down before it is committed here, so it is seen here, or there, or both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import msgspec

from bus import Bus, Stage
from hub.behind import behind
from hub.wiring import Hub
from sink import balance, booked

ROAD = ("raw", "slow", "messages", "complaints", "routed", "receipts", "dead")
BOOKKEEPER = "ledger"
"""The group that counts what came in: a raw that it has not read is not received yet, so it cannot be on the road."""
PAUSE = 2.0
"""Seconds between the two looks that make an alarm."""

Ledger = dict[str, Any]
"""`{"all": {…}, "accounts": {name: {…}}}`, as the interface has it."""


class _Item(msgspec.Struct):
    raw: str | None = None


class _Raw(msgspec.Struct):
    id: str


class _Complaint(msgspec.Struct):
    message: _Item


class _Routed(msgspec.Struct):
    complaint: _Complaint


_raw = msgspec.json.Decoder(_Raw).decode
_item = msgspec.json.Decoder(_Item).decode
_complaint = msgspec.json.Decoder(_Complaint).decode
_routed = msgspec.json.Decoder(_Routed).decode
_RAW_OF: dict[str, Callable[[bytes], str | None]] = {
    "raw": lambda value: _raw(value).id,
    "slow": lambda value: _raw(value).id,
    "complaints": lambda value: _complaint(value).message.raw,
    "routed": lambda value: _routed(value).complaint.message.raw,
}


async def look(hub: Hub) -> Ledger:
    """The ledger now. What came in is counted first, what is on the road next, outcomes last: nothing seems lost."""
    last = await hub.running.pools.disk(booked, hub.record)
    road = await on_the_road(hub.bus, carriers(hub.stages.values()))
    return await hub.running.pools.disk(balance, hub.record, last, road)


async def two_looks(
    look_once: Callable[[], Awaitable[Ledger]], *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> tuple[Ledger, list[str]]:
    """The ledger, and the accounts that lost something on two looks two seconds apart."""
    first = _losers(ledger := await look_once())
    if not first:
        return ledger, []
    await sleep(PAUSE)
    ledger = await look_once()
    return ledger, [account for account in _losers(ledger) if account in first]


def carriers(rooms: Iterable[Iterable[Stage]]) -> dict[str, set[str]]:
    """By topic, the groups that carry its events on."""
    found: dict[str, set[str]] = {}
    for stage in (stage for room in rooms for stage in room):
        if stage.topic in ROAD and stage.group != BOOKKEEPER:
            found.setdefault(stage.topic, set()).add(stage.group)
    return found


async def on_the_road(bus: Bus, groups: Mapping[str, Collection[str]]) -> set[str]:
    """Raw ids of the events that a group has still to carry on."""
    found: set[str] = set()
    for topic in ROAD:
        raw_of = _RAW_OF.get(topic, lambda value: _item(value).raw)
        found |= {_asked(raw_of, event.value) async for event in behind(bus, topic, groups.get(topic, ()))}
    return found - {""}


def _asked(raw_of: Callable[[bytes], str | None], value: bytes) -> str:
    try:
        return raw_of(value) or ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""


def _losers(ledger: Ledger) -> list[str]:
    return [account for account, row in ledger["accounts"].items() if row["lost"]]

"""The reading room's door: who reads a Raw, the reader or, where a conversation is over its budget, the slow lane."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import msgspec
from uuid_utils import uuid7

from bus import Stage
from hub.clock import now
from hub.lanes import GROUP, Lanes, give_way
from normalizer import read
from schemas import Event, Raw, Retry, Slow
from sink import Blobs

if TYPE_CHECKING:
    from hub.wiring import Hub

SLOWLY = 50
"""Events of the slow lane between two looks whether others wait."""

MakeStage = Callable[..., Stage]


def reading(hub: Hub, stage: MakeStage = Stage) -> list[Stage]:
    """The two stages that read: what comes in, and what was put aside."""
    lanes, read_here = Lanes(hub.bus), _read(hub)

    async def reader(events: Sequence[Event]) -> Sequence[Event]:
        here, aside = await lanes.part([e for e in events if isinstance(e, Raw)])
        return [*aside, *(await read_here(here))] if aside else await read_here(here)

    async def slow(events: Sequence[Event]) -> Sequence[Event]:
        await give_way(hub.bus, asyncio.sleep)
        return await read_here([e for e in events if isinstance(e, Slow)])

    return [
        stage("reader", Raw.topic, reader, gained=lanes.look),
        stage("slow", Slow.topic, slow, size=SLOWLY, group=GROUP),
    ]


def _read(hub: Hub) -> Callable[[Sequence[Raw]], Awaitable[Sequence[Event]]]:
    def work(raws: Sequence[Raw]) -> Sequence[Event]:
        brought = (with_body(hub.blobs, raw) for raw in raws)  # one body at a time
        return read(brought, hub.accounts.get, now=now, new_id=lambda: str(uuid7()))

    async def read_here(raws: Sequence[Raw]) -> Sequence[Event]:
        return await hub.running.pools.disk(work, raws)

    return read_here


def with_body(blobs: Blobs, raw: Raw) -> Raw:
    """The Raw with its bytes, where they lie with the blobs. Raises Retry; a file that is gone leaves it empty."""
    if raw.blob is None:
        return raw
    try:
        return msgspec.structs.replace(raw, body=blobs.get(raw.blob))
    except FileNotFoundError:
        return raw  # no channel reads a message in nothing: it is dead, and says which Raw
    except OSError as error:
        raise Retry(f"a blob cannot be read ({error.__class__.__name__})") from None

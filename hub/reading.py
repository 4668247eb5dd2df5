"""The stages that read: the reader, and the slow lane for conversations over their budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from bus import Bus, Run
from hub.clock import TimeSource
from hub.lanes import Lanes, wait_for_live_groups
from hub.running.pools import RunInThread
from normalizer import Reader
from schemas import Event, Raw, Retry, Slow


class BodyReader(Protocol):
    """Where large bodies lie."""

    def get(self, sha256: str, /) -> bytes:
        """Raises FileNotFoundError, or OSError while the disk does not answer."""
        ...


def read_stage(
    reader: Reader, bodies: BodyReader, io: RunInThread, timing: TimeSource, new_id: Callable[[], str]
) -> Run:
    """Raws to messages, actions, receipts and dead letters."""

    def work(raws: Sequence[Raw]) -> Sequence[Event]:
        return reader.read(with_bodies(bodies, raws), now=timing.now, new_id=new_id)

    async def read(events: Sequence[Event]) -> Sequence[Event]:
        return await io(work, [e for e in events if isinstance(e, Raw)])

    return read


def divided(lanes: Lanes, read: Run) -> Run:
    """The reader: what is within its budget is read, the rest diverted."""

    async def reader(events: Sequence[Event]) -> Sequence[Event]:
        here, slow = await lanes.divide([e for e in events if isinstance(e, Raw)])
        return [*slow, *(await read(here))] if slow else await read(here)

    return reader


def giving_way(bus: Bus, read: Run, timing: TimeSource) -> Run:
    """The slow lane: the same after a wait."""

    async def slow(events: Sequence[Event]) -> Sequence[Event]:
        await wait_for_live_groups(bus, timing.sleep)
        return await read([e for e in events if isinstance(e, Slow)])

    return slow


def with_bodies(bodies: BodyReader, raws: Iterable[Raw]) -> Iterator[Raw]:
    """As `with_body`, one body at a time: the Raws of one request follow one another, and share it. Raises Retry."""
    held: Raw | None = None
    for raw in raws:
        if held is not None and raw.blob is not None and raw.blob == held.blob:
            yield msgspec.structs.replace(raw, body=held.body)
        else:
            held = with_body(bodies, raw)
            yield held


def with_body(bodies: BodyReader, raw: Raw) -> Raw:
    """The Raw with its bytes, where they lie with the blobs. Raises Retry; a file that is gone leaves it empty."""
    if raw.blob is None:
        return raw
    try:
        return msgspec.structs.replace(raw, body=bodies.get(raw.blob))
    except FileNotFoundError:
        return raw  # no channel reads a message in nothing: the dead letter names the Raw
    except OSError as error:
        raise Retry(f"a blob cannot be read ({error.__class__.__name__})") from None

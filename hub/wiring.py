"""Every arrow of the house on one page: what is opened, and which stage hands what to which.

door ─ raw ─> reader ─ messages ─> matcher ─ complaints ─> router ─ routed ─> sink ─(outbox)─ relay ─ replies ─>
speakers ─ receipts ─> sink          raw ─> ledger          whatever is refused ─ dead ─> sink
reader ─ slow ─> slow ─ messages ─> matcher: a conversation over its budget (`lanes.py`)
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

from bus import Bus, Guard, MemoryBus, SqliteBus, Stage, Turnstile, UnusableLog
from connectors import Http, Speaks
from hub.accounts import Accounts, write_first
from hub.running.status import AtWork
from hub.clock import Clock, now
from hub.intake import intake
from hub.reading import reading
from hub.settings import Settings, WrongCall, sqlite_path
from hub.running.sender import AT_A_TIME, Speaker
from hub.running.pools import Threads, threads
from normalizer import match
from router import Rules, route
from schemas import Complaint, Dead, Event, Message, Raw, Receipt, Reply, Retry, Routed
from sink import (
    Blobs,
    Record,
    RecordMemory,
    Vault,
    WrongKeys,
    bury,
    count,
    fresh,
    keep,
    note,
    owed,
    published,
    relaying,
)

LOG_BYTES = 20 * 2**30
"""What the embedded log keeps at most of what every group has committed."""
RELAY_AT_ONCE = 500
PACE, UNHURRIED = 0.02, 0.2
"""Seconds between two batches on a remote bus, where each costs more than a hundred events do: on the way to the
record, and beside it."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Work that waits in a table, not on a topic: `step` does some and says how much; idle, it looks every so often."""

    name: str
    step: Callable[[], Awaitable[int]]
    every: float
    """Seconds."""
    pace: float = 0.0
    """Seconds at least between two steps."""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Hub:
    """All that is open while the hub runs, and its stages and loops by the names of `satupintu run`."""

    settings: Settings
    accounts: Accounts
    vault: Vault
    record: Record
    blobs: Blobs
    bus: Bus
    intake: Bus
    """Where the doors publish."""
    rules: Rules
    threads: Threads
    http: Http
    owes: asyncio.Event
    """Set when a reply is owed, so that the relay need not wait for its next look."""
    at_work: AtWork = field(default_factory=AtWork)
    clock: Clock = field(default_factory=Clock)
    """The doors'."""

    @property
    def shared(self) -> bool:
        """May other processes work on the same road?"""
        return not self.settings.bus.startswith("memory:")

    @cached_property
    def stages(self) -> dict[str, list[Stage]]:
        return _stages(self)

    @cached_property
    def loops(self) -> dict[str, list[Loop]]:
        return _loops(self)


@asynccontextmanager
async def open_hub(settings: Settings, at_work: AtWork | None = None, *, door: bool = False) -> AsyncIterator[Hub]:
    """Open everything, making what a first start needs; `at_work` is where it is told what runs; with `door` also what
    only a door needs. Raises WrongCall."""
    async with AsyncExitStack() as stack:
        with _setting_up(settings):
            vault = _vault(settings)
            if not settings.channels.exists():
                write_first(settings.channels)
            accounts = Accounts.load(settings.channels, zone=settings.zone.key)
            rules = _rules(settings.data / "rules.toml")
            record = stack.enter_context(_record(settings, vault, accounts))
        http = stack.enter_context(Http())
        pools = stack.enter_context(threads())
        bus = await _opened(stack, _bus(settings))
        takes_in = await _opened(stack, intake(settings, bus)) if door else bus
        blobs = Blobs(settings.data / "blobs")
        _tune()
        owes, work = asyncio.Event(), at_work or AtWork()
        clock = Clock(settings.data / "clock")
        yield Hub(settings, accounts, vault, record, blobs, bus, takes_in, rules, pools, http, owes, work, clock)


def _stages(hub: Hub) -> dict[str, list[Stage]]:
    guard = Guard(hub.settings.guard_run, hub.settings.guard_share, spared={"file"})
    stage = partial(Stage, guard=guard, pace=_pace(hub, PACE))
    later = partial(stage, pace=_pace(hub, UNHURRIED))
    return {
        "reader": reading(hub, stage),
        "matcher": [stage("matcher", Message.topic, _matcher(hub))],
        "router": [stage("router", Complaint.topic, _router(hub))],
        "sink": [
            stage("sink", Routed.topic, _keeper(hub)),
            later("receipts", Receipt.topic, _noter(hub)),
            later("dead", Dead.topic, _burier(hub)),
            later("ledger", Raw.topic, _counter(hub), size=2000),
        ],
        "speakers": [stage("speakers", Reply.topic, _speaker(hub).speak, size=AT_A_TIME)],
    }


def _loops(hub: Hub) -> dict[str, list[Loop]]:
    speaker = _speaker(hub)
    return {
        "sink": [Loop("relay", lambda: _relay(hub), 1.0, _pace(hub, UNHURRIED), hub.owes)],
        "speakers": [Loop("fetch", speaker.fetch, 1.0), Loop("settle", speaker.settle, 60.0)],
    }


def _pace(hub: Hub, seconds: float) -> float:
    return seconds if hub.settings.remote else 0.0


def _matcher(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    memory = RecordMemory(hub.record, now)

    async def matcher(events: Sequence[Event]) -> Sequence[Event]:
        return await hub.running.pools.disk(match, [e for e in events if isinstance(e, Message)], memory)

    return matcher


def _router(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    async def router(events: Sequence[Event]) -> Sequence[Event]:
        return await hub.running.pools.disk(route, [e for e in events if isinstance(e, Complaint)], hub.rules)

    return router


def _keeper(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    speaks = {n for n, c in hub.accounts.items() if isinstance(c, Speaks) and hub.accounts.state(n) == "active"}

    async def keeper(events: Sequence[Event]) -> Sequence[Event]:
        routed = [e for e in events if isinstance(e, Routed)]
        if await hub.running.pools.disk(keep, hub.record, routed, speaks=speaks, now=now(), zone=hub.settings.zone):
            hub.owes.set()
        return []

    return keeper


def _noter(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    async def noter(events: Sequence[Event]) -> Sequence[Event]:
        await hub.running.pools.disk(note, hub.record, [e for e in events if isinstance(e, Receipt)])
        return []

    return noter


def _burier(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    async def burier(events: Sequence[Event]) -> Sequence[Event]:
        await hub.running.pools.disk(bury, hub.record, [e for e in events if isinstance(e, Dead)])
        return []

    return burier


def _counter(hub: Hub) -> Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]:
    async def counter(events: Sequence[Event]) -> Sequence[Event]:
        raws = [(e.id, e.account, e.received_at) for e in events if isinstance(e, Raw)]
        await hub.running.pools.disk(count, hub.record, raws)
        return []

    return counter


async def _relay(hub: Hub) -> int:
    """Publish what the outbox owes, then note that it was: a crash between the two publishes it twice, and the claim
    lets only one be sent."""
    turn = ExitStack()
    try:
        if not await hub.running.pools.disk(turn.enter_context, relaying(hub.record)):
            return 0
        replies = await hub.running.pools.disk(owed, hub.record, now=now(), limit=RELAY_AT_ONCE, paused=hub.accounts.paused)
        if replies:
            await hub.bus.publish(replies)
            await hub.running.pools.disk(published, hub.record, [r.id for r in replies])
        return len(replies)
    finally:
        await hub.running.pools.disk(turn.close)


def _speaker(hub: Hub) -> Speaker:
    return Speaker(hub.record, hub.blobs, hub.accounts, hub.http, hub.running.pools, paused=hub.accounts.paused)


async def _opened(stack: AsyncExitStack, bus: AbstractAsyncContextManager[Bus]) -> Bus:
    try:
        return await stack.enter_async_context(bus)
    except UnusableLog as error:
        raise WrongCall(str(error)) from None


def _bus(settings: Settings) -> AbstractAsyncContextManager[Bus]:
    if settings.bus.startswith("memory://"):
        return MemoryBus(settings.partitions)
    if settings.remote:
        from bus.kafka import KafkaBus  # it costs a quarter of the start, and few need it

        return KafkaBus(settings.bus, settings.partitions, settings.retention)
    return SqliteBus(sqlite_path(settings.bus), settings.partitions, settings.retention, LOG_BYTES)


def _tune() -> None:
    """Settings of the interpreter, by measure (`docs/performance.md`)."""
    gc.freeze()  # what is loaded stays: looking through it again and again costs an eighth of the road
    gc.set_threshold(50_000, 20, 20)
    sys.setswitchinterval(0.001)  # a thread that holds the record's lock shall not wait five times as long for Python's


@contextmanager
def _record(settings: Settings, vault: Vault, accounts: Accounts) -> Iterator[Record]:
    owners = {name: channel.owner for name, channel in accounts.items()}
    try:
        with Record.open(settings.record, vault, _turn(settings.record), owners=owners) as record:
            yield record
    except WrongKeys as error:
        raise WrongCall(str(error)) from None


def _turn(url: str) -> Turnstile | None:
    return Turnstile(sqlite_path(url)) if url.startswith("sqlite:") else None


def _rules(path: Path) -> Rules:
    try:
        return Rules.load(path if path.exists() else None)
    except ValueError as error:
        raise WrongCall(f"{path}: {error}") from None


def _vault(settings: Settings) -> Vault:
    """The keys; made only together with a new record, for without its keys an old one cannot be read."""
    if settings.keys.exists():
        try:
            return Vault.load(settings.keys)
        except WrongKeys as error:
            raise WrongCall(str(error)) from None
    where = str(sqlite_path(settings.record)) if settings.record.startswith("sqlite:") else "on the server"
    try:
        new = fresh(settings.record)
    except Retry as fault:
        raise WrongCall(
            f"there are no keys at {settings.keys}, and nobody knows whether the record needs its old ones "
            f"({fault.reason}): start the database, or bring the keys file"
        ) from None
    if not new:
        raise WrongCall(
            f"the record {where} was kept with keys that are not at {settings.keys}: bring the file back from its "
            "backup or from the machine that works on this record already, or name it with --keys"
        )
    return Vault.create(settings.keys)


@contextmanager
def _setting_up(settings: Settings) -> Iterator[None]:
    """One process at a time makes the folder, the keys and the tables."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(settings.data / ".setup.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise WrongCall(f"the data folder {settings.data} cannot be written ({error.strerror}): mend its rights, or "
                        "name another with --data") from None  # fmt: skip
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

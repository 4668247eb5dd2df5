"""What the hub opens, by concern, and closes again: storage, transport, what people edit, and what leads outside.

Only composition roots hold all four; a handler takes the two or three fields that it uses.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from bus import Bus, MemoryBus, SqliteBus, Turnstile, UnusableLog
from connectors import Http, KindsWhere
from hub.accounts import Accounts
from hub.clock import utc_now
from hub.edited_files import (
    LiveModels,
    calendars_file,
    channels_file,
    model_files,
    offices_file,
    rules_file,
    templates_file,
)
from hub.editions import Editions, LiveEdition, publisher_name
from hub.first_start import write_first_channels_file
from hub.intake import open_intake
from hub.running.pools import EMBEDDED_STAGES, THREADS, Pools, open_pools
from hub.settings import Settings, UsageError, sqlite_path
from hub.web.server_config import tune_garbage_collection
from router import OfficeRegistry, Rules, Templates
from router.due import Calendars
from router.offices import shipped_registry
from schemas import Retry
from sink.archive import Archive
from sink.blobs import Blobs
from sink.editions import latest_edition
from sink.record import Record, is_new
from sink.vault import Vault, WrongKeys

_log = logging.getLogger(__name__)
LOG_BYTES = 20 * 2**30
"""What the embedded log retains at most of the events that every group has committed."""


@dataclass(frozen=True, slots=True)
class Storage:
    """What is stored, and the keys that it takes to read it."""

    vault: Vault
    record: Record
    blobs: Blobs
    archive: Archive


@dataclass(frozen=True, slots=True)
class Transport:
    """How events travel."""

    bus: Bus
    intake: Bus
    """Where the ingress publishes: the bus, or a spool before it."""


@dataclass(frozen=True, slots=True)
class LiveEditions:
    """What people edit, as of the newest edition that this process has seen."""

    accounts: Accounts
    rules: LiveEdition[Rules]
    templates: LiveEdition[Templates]
    editions: Editions
    offices: LiveEdition[OfficeRegistry] = field(default_factory=lambda: LiveEdition(shipped_registry()))
    calendars: LiveEdition[Calendars] = field(default_factory=lambda: LiveEdition(Calendars()))
    models: LiveModels = field(default_factory=LiveModels)


@dataclass(frozen=True, slots=True)
class OutsideWorld:
    """What leads out of the process or the event loop: the HTTP client and the thread pools."""

    http: Http
    pools: Pools


@dataclass(frozen=True, slots=True)
class WakeEvents:
    """Set when there is new work, so that its loop need not wait for its next poll."""

    replies: asyncio.Event = field(default_factory=asyncio.Event)
    jobs: asyncio.Event = field(default_factory=asyncio.Event)
    forwards: asyncio.Event = field(default_factory=asyncio.Event)


class OpenHub(NamedTuple):
    """Everything that is open, for composition roots to hand out."""

    storage: Storage
    transport: Transport
    current: LiveEditions
    outside: OutsideWorld


@asynccontextmanager
async def open_hub(settings: Settings, *, ingress: bool = False, publishes: bool = True) -> AsyncIterator[OpenHub]:
    """Open everything, making what a first start needs; with `ingress` also its spool. `publishes`: changed files
    become editions. Raises UsageError."""
    async with AsyncExitStack() as stack:
        with _set_up(settings):
            vault = load_vault(settings)
            accounts = Accounts()
            record = stack.enter_context(_record(settings, vault, accounts))
            current = _current(settings, record, accounts, publisher_name() if publishes else None)
        storage = Storage(
            vault, record, Blobs(settings.data / "blobs"), stack.enter_context(Archive(settings.data / "archive"))
        )
        pools = stack.enter_context(open_pools(EMBEDDED_STAGES if settings.embedded_record else THREADS))
        http = await stack.enter_async_context(Http())
        bus = await _entered(stack, open_bus(settings, storage.blobs))
        taken_in = await _entered(stack, open_intake(settings, bus, storage.blobs)) if ingress else bus
        tune_interpreter()
        yield OpenHub(storage, Transport(bus, taken_in), current, OutsideWorld(http, pools))


@contextmanager
def open_record(settings: Settings) -> Iterator[Record]:
    """The record alone, for a command that only reads. Raises UsageError."""
    with ExitStack() as stack:
        with _set_up(settings):
            record = stack.enter_context(_record(settings, load_vault(settings), Accounts()))
        yield record


def load_vault(settings: Settings) -> Vault:
    """The keys; made only together with a new record, for without its keys an old one cannot be read."""
    if settings.keys.exists():
        if settings.embedded_record and is_new(settings.record):
            _log.warning("the keys are here, and no record: an empty one is made at %s. If one was lost, stop, and "
                         "restore it as docs/operations.md says", sqlite_path(settings.record))  # fmt: skip
        try:
            return Vault.load(settings.keys)
        except WrongKeys as error:
            raise UsageError(str(error)) from None
    where = str(sqlite_path(settings.record)) if settings.embedded_record else "on the server"
    try:
        new = is_new(settings.record)
    except Retry as fault:
        raise UsageError(
            f"there are no keys at {settings.keys}, and the record cannot be asked whether it needs its old ones "
            f"({fault.reason}): start the database, or bring the keys file"
        ) from None
    if not new:
        raise UsageError(
            f"the record {where} belongs to keys that are not at {settings.keys}: bring the file back from its "
            "backup or from the machine that works on this record already, or name it with --keys"
        )
    return Vault.create(settings.keys)


def _current(settings: Settings, record: Record, accounts: Accounts, by: str | None) -> LiveEditions:
    rules, templates = LiveEdition(Rules.load(None)), LiveEdition(Templates.load(None))
    offices, calendars = LiveEdition(shipped_registry()), LiveEdition(Calendars())
    models = LiveModels()
    editions = Editions(
        (
            channels_file(settings.channels, accounts, settings.zone.key),
            rules_file(settings.data / "rules.toml", rules),
            offices_file(settings.data / "offices.csv", offices),
            templates_file(settings.data / "templates.toml", templates),
            calendars_file(settings.data / "calendars.csv", calendars),
            *model_files(settings.data / "models", models),
        ),
        publisher=by,
        now=utc_now,
    )
    if not settings.channels.exists() and not _has_accounts(record):
        write_first_channels_file(settings.channels)
    editions.begin(record)
    return LiveEditions(accounts, rules, templates, editions, offices, calendars, models)


def _has_accounts(record: Record) -> bool:
    try:
        return latest_edition(record, "accounts") is not None
    except Retry:
        return False


async def _entered(stack: AsyncExitStack, bus: AbstractAsyncContextManager[Bus]) -> Bus:
    try:
        return await stack.enter_async_context(bus)
    except UnusableLog as error:
        raise UsageError(str(error)) from None


def open_bus(settings: Settings, bodies: Blobs) -> AbstractAsyncContextManager[Bus]:
    """The bus that the settings name. Entering raises UnusableLog."""
    if settings.bus.startswith("memory://"):
        return MemoryBus(settings.partitions, bodies=bodies)
    if settings.remote:
        from bus.kafka import KafkaBus  # it costs a quarter of the start, and few need it

        return KafkaBus(settings.bus, settings.partitions, settings.retention, bodies=bodies)
    return SqliteBus(sqlite_path(settings.bus), settings.partitions, settings.retention, LOG_BYTES, bodies=bodies)


def tune_interpreter() -> None:
    """Settings of the interpreter, by measurement (`docs/performance.md`)."""
    tune_garbage_collection()
    sys.setswitchinterval(0.001)  # a thread that holds the record's lock shall not wait five times as long for Python's


class _Owners(Mapping[str, str]):
    """Owner by account, of the newest edition."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __getitem__(self, name: str) -> str:
        return self._accounts[name].owner

    def __iter__(self) -> Iterator[str]:
        return iter(self._accounts)

    def __len__(self) -> int:
        return len(self._accounts)


@contextmanager
def _record(settings: Settings, vault: Vault, accounts: Accounts) -> Iterator[Record]:
    url = settings.record
    turn = Turnstile(sqlite_path(url)) if url.startswith("sqlite:") else None
    personal = KindsWhere(lambda channel: channel.ids_hold_phones)
    try:
        with Record.open(url, vault, turn, owners=_Owners(accounts), personal_ids=personal) as record:
            yield record
    except WrongKeys as error:
        raise UsageError(str(error)) from None


@contextmanager
def _set_up(settings: Settings) -> Iterator[None]:
    """One process at a time makes the folder, the keys, the tables and the first channels file."""
    try:
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        if settings.embedded_record:
            sqlite_path(settings.record).parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(settings.data / ".setup.lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise UsageError(f"{error.filename or settings.data} cannot be written ({error.strerror}): mend its rights, or "
                        "name another folder with --data or --record") from None  # fmt: skip
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)

"""A process of the hub: what `up` runs, built by the hub's own tables, with a clock, ids and randomness of the seed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID
from zoneinfo import ZoneInfo

from bus import MemoryBus, _aside_workers
from hub.accounts import Account, Accounts, AccountsSnapshot
from hub.clock import Clock, TimeSource
from hub.editions import EditedFile, Editions, LiveEdition
from hub.lanes import Lanes
from hub.limits import WebLimits
from hub.opening import LiveEditions, OpenHub, OutsideWorld, Storage, Transport
from hub.running import dispatch, fetching, forwarding_polls, forwarding_work, pipeline, scanning
from hub.running.status import ProcessStatus
from hub.settings import Settings
from hub.stages import WORK
from hub.web.ingress import Ingress
from router import Rules, Templates
from router.due import Calendars
from router.offices import OfficeRegistry
from schemas import Raw
from tests.simulation.blocking import Pools
from tests.simulation.broker import SeenBus
from tests.simulation.channels import PROOF
from tests.simulation.database import Databases, SeenRecord
from tests.simulation.faults import Faults
from tests.simulation.process import Process
from tests.simulation.provider import Provider
from tests.simulation.registry import Registry
from tests.simulation.registry_channel import make_channels
from tests.simulation.watch import Watch

BUDGET = 4
"""Raws of one conversation in a minute before it goes by the slow lane: so few that some do."""
GUARD_RUN = 2
"""Dead events in a row that put an account aside: so few that some do."""
NOWHERE = Path("/nowhere")
SETTINGS = Settings(
    data=NOWHERE, host="127.0.0.1", port=8080, bus="memory://", record="sqlite:///", channels=NOWHERE / "channels.toml",
    keys=NOWHERE / "keys.toml", zone=ZoneInfo("Asia/Jakarta"), public_url="https://hub.example", inside=None,
    proxies=(), archive_days=730, partitions=3, retention=timedelta(days=7), spool_limit=1, guard_run=GUARD_RUN,
    guard_share=0.5, limits=WebLimits(), clamd=None,
)  # fmt: skip
IDLE: tuple[tuple[Any, str, Any], ...] = (
    (dispatch, "POLL_EVERY", 3.0),
    (fetching, "POLL_EVERY", 3.0),
    (forwarding_work, "POLL_EVERY", 3.0),
    (forwarding_polls, "EVERY", 3.0),
    (scanning, "POLL_EVERY", 5.0),
    (_aside_workers, "LOOK_EMPTY_EVERY", 30.0),
    (pipeline, "LOOPS", tuple(loop._replace(every=loop.every * 3) for loop in pipeline.LOOPS)),
)
"""Seconds from one look to the next where nothing is to be done: what wakes a loop at once is not slower, and a seed
costs a third."""
RULES, TEMPLATES = Rules.load(None), Templates.load(None)
OFFICES, CALENDARS = OfficeRegistry(), Calendars()
"""They never change, and take long to build: all processes share them."""


@dataclass(frozen=True)
class Surroundings:
    """What a process is given by the world."""

    bus: MemoryBus
    databases: Databases
    faults: Faults
    random: Random
    watch: Watch
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    providers: Mapping[str, Provider]
    kinds: Mapping[str, str]
    """By account."""
    registry: Registry | None
    """Where complaints are brought."""
    archived: set[str]
    """Raw ids in the archive, which all processes share."""

    def seen_by(self, random: Random, now: Callable[[], datetime]) -> Surroundings:
        """The same with randomness and a clock of a process's own."""
        return replace(self, random=random, now=now)


class Files:
    """Blobs in memory."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        name = sha256(data).hexdigest()
        self._files[name] = data
        return name

    def get(self, name: str, /) -> bytes:
        if name not in self._files:
            raise FileNotFoundError(name)
        return self._files[name]


class MemoryArchive:
    """An archive that keeps the ids of what it was given."""

    def __init__(self, ids: set[str]) -> None:
        self._ids = ids

    def append(self, raws: Sequence[Raw]) -> None:
        self._ids.update(raw.id for raw in raws)

    def prune(self, days: int, now: datetime) -> None:
        """Nothing is old."""


class Hub:
    """One process, with objects of its own."""

    def __init__(self, process: Process, around: Surroundings) -> None:
        self.process, self._around = process, around
        self.bus = SeenBus(around.bus, process, around.faults, around.random, around.watch)
        self.accounts = Accounts()
        self._channels = make_channels(around.kinds, around.providers, around.registry)
        edited = EditedFile("accounts", NOWHERE / "channels.toml", self._snapshot, self._apply)
        editions = Editions([edited], publisher=process.name, now=around.now)
        editions.begin(None)
        files: Any = Files()
        archive: Any = MemoryArchive(around.archived)
        pools: Any = Pools(process, around.faults)
        http: Any = None  # the made-up channels reach their providers without it
        record = SeenRecord(around.databases, around.faults, around.watch, process)
        self._opened = OpenHub(
            Storage(record.vault, record, files, archive),
            Transport(self.bus, self.bus),
            LiveEditions(
                self.accounts,
                LiveEdition(RULES),
                LiveEdition(TEMPLATES),
                editions,
                LiveEdition(OFFICES),
                LiveEdition(CALENDARS),
            ),
            OutsideWorld(http, pools),
        )
        self._ingress = Ingress(
            self.accounts, self.bus.publish, partial(pools.io, files.put), clock=self._clock(), new_id=self._new_id
        )

    async def run(self) -> None:
        """Until the process dies."""
        timing = TimeSource(self._around.now, self._around.monotonic, asyncio.sleep)
        with self._of_the_seed():
            work = pipeline.build_work(SETTINGS, self._opened, ProcessStatus(), WORK, timing)
        async with asyncio.TaskGroup() as tasks:
            for each in work:
                tasks.create_task(each.run())

    async def post(self, account: str, body: bytes) -> int:
        """A webhook: the status that the ingress answers. A process that dies never answers."""
        status = asyncio.get_running_loop().create_future()

        async def answer() -> None:
            found = await self._request(account, body)
            if not status.done():
                status.set_result(found)

        self.process.start(answer())
        return int(await status)

    async def _request(self, account: str, body: bytes) -> int:
        answers: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            answers.append(message)

        scope = {
            "type": "http", "method": "POST", "path": f"/in/{account}", "query_string": b"",
            "headers": [(b"proof", PROOF.encode()), (b"content-length", str(len(body)).encode())],
        }  # fmt: skip
        await self._ingress(scope, receive, send)
        return int(answers[0]["status"])

    @contextmanager
    def _of_the_seed(self) -> Iterator[None]:
        """What the hub draws itself while it is built, it draws from the seed."""
        with ExitStack() as stack:
            ours = {
                "new_id": self._new_id, "random": self._around.random, "Clock": lambda _: self._clock(),
                "Lanes": partial(Lanes, budget=BUDGET),
            }  # fmt: skip
            for name, value in ours.items():
                stack.enter_context(patch.object(pipeline, name, value))
            yield

    def _clock(self) -> Clock:
        return Clock(wall=lambda: int(self._around.now().timestamp() * 1e9))

    def _new_id(self) -> str:
        """A UUID version 7 of the process's clock and the seed's randomness."""
        milliseconds = int(self._around.now().timestamp() * 1000)
        number = milliseconds << 80 | 0x7 << 76 | self._around.random.getrandbits(76)
        return str(UUID(int=number & ~(0xC000 << 48) | 0x8000 << 48))

    def _snapshot(self, text: str) -> AccountsSnapshot:
        """The text of an edition names the accounts that are silent."""
        silent = text.split()
        return AccountsSnapshot(Account(c, "silent" if a in silent else "active") for a, c in self._channels.items())

    @property
    def edition(self) -> str:
        """The silent accounts."""
        return " ".join(a for a in self._channels if self.accounts.state(a) == "silent")

    def _apply(self, snapshot: AccountsSnapshot, version: int) -> None:
        self.accounts.swap(snapshot)


@contextmanager
def idle_slowly() -> Iterator[None]:
    """While the seeds run, idle loops look less often."""
    with ExitStack() as stack:
        for module, name, seconds in IDLE:
            stack.enter_context(patch.object(module, name, seconds))
        yield

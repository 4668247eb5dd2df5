"""What a process of the hub runs: every stage, the accounts stage, the ingress, and the loop that follows editions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from bus import MemoryBus, Run, Stage, pump
from hub.accounts import Account, Accounts, Snapshot
from hub.clock import Clock, Timing
from hub.editions import Edited, Editions, Live
from hub.handlers import booking, matching, persisting, receiving, routing, storing_dead
from hub.lanes import Lanes
from hub.opening import Wake
from hub.reading import divided, giving_way, read_stage
from hub.running.accounts import AccountsStage, Tools
from hub.running.backend import Backend
from hub.running.taking_in import Door
from hub.stages import BESIDE, TABLE, Row
from hub.web.ingress import Ingress
from normalizer import Knowledge, Reader
from router import Rules, Templates, render
from schemas import Retry
from sink import RecordMemory
from tests.simulation.blocking import Pools
from tests.simulation.broker import SeenBus
from tests.simulation.channels import KINDS, PROOF
from tests.simulation.database import Databases, SeenRecord
from tests.simulation.faults import Faults
from tests.simulation.process import Process
from tests.simulation.provider import Provider
from tests.simulation.watch import Watch

ZONE = ZoneInfo("Asia/Jakarta")
EDITIONS_EVERY = 1.5
"""Seconds."""
BUDGET = 4
"""Raws of one conversation in a minute before it goes by the slow lane: so few that some do."""
STAGES = tuple(row for row in TABLE if row.name != "archive")
"""The archive writes files: it is tested for itself."""
NOWHERE = Path("/nowhere/accounts")
KNOWLEDGE = Knowledge.load()
RULES, TEMPLATES = Rules.load(None), Templates.load(None)


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


class Bodies:
    """No request of the simulation is large."""

    def get(self, sha256: str, /) -> bytes:
        raise FileNotFoundError(sha256)


class Hub:
    """One process, with objects of its own."""

    def __init__(self, process: Process, around: Surroundings) -> None:
        self.process = process
        self.bus = SeenBus(around.bus, process, around.faults, around.random, around.watch)
        self.accounts = Accounts()
        self._around = around
        self._pools = Pools(process, around.faults)
        self._record = SeenRecord(around.databases, around.faults, around.watch)
        self._timing = Timing(around.now, around.monotonic, asyncio.sleep)
        self._clock = Clock(wall=lambda: int(around.now().timestamp() * 1e9))
        self._wake = Wake()
        self._channels = {a: KINDS[kind](a, "32.73", around.providers[a]) for a, kind in around.kinds.items()}
        edited = Edited("accounts", NOWHERE, self._snapshot, self._apply, required=False)
        self._editions = Editions([edited], publisher=process.name, now=around.now)
        self._editions.begin(None)
        self._ingress = Ingress(
            self.accounts, self.bus.publish, self._store, clock=self._clock, new_id=self._new_id,
        )  # fmt: skip

    async def run(self) -> None:
        """Until the process dies."""
        async with asyncio.TaskGroup() as tasks:
            for row, run in self._stages():
                tasks.create_task(self._pump(row, run))
            tasks.create_task(self._accounts_stage().run())
            tasks.create_task(self._follow_editions())

    async def post(self, account: str, body: bytes) -> int:
        """A webhook: the status that the ingress answers."""
        status = asyncio.get_running_loop().create_future()

        async def answer() -> None:
            status.set_result(await self._request(account, body))

        self.process.start(answer())
        return await status  # type: ignore[no-any-return]

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

    async def _pump(self, row: Row, run: Run) -> None:
        stage = Stage(row.name, row.topic, run, batch_size=row.batch_size)
        if row.name == "reader":
            stage.on_partitions_assigned = self._lanes.scan
        await pump(self.bus, stage, sleep=asyncio.sleep, clock=self._around.now, monotonic=self._around.monotonic)

    def _stages(self) -> list[tuple[Row, Run]]:
        record, io, timing = self._record, self._pools.io, self._timing
        reader = Reader(self._channels.get, KNOWLEDGE)
        self._lanes = Lanes(self.bus, budget=BUDGET, clock=timing.monotonic)
        read = read_stage(reader, Bodies(), io, timing, self._new_id)
        matcher = matching(RecordMemory(record, timing.now), io)
        runs = {
            "reader": divided(self._lanes, read),
            "slow": giving_way(self.bus, read, timing),
            "matcher": matcher,
            "actions": matcher,
            "router": routing(Live(RULES), io),
            "sink": persisting(record, self.accounts, io, self._wake, now=timing.now, zone=ZONE),
            "receipts": receiving(record, io),
            "dead": storing_dead(record, io),
            "ledger": booking(record, io),
        }
        return [(row, runs[row.name]) for row in STAGES]

    def _accounts_stage(self) -> AccountsStage:
        backend = Backend(self._record, self._pools.io, self._timing)
        door = Door(self.bus.publish, self._store, self._clock, self._new_id)
        http: Any = None  # the made-up channels reach their providers without it
        tools = Tools(
            door, http, lambda owed, channel: render(owed, TEMPLATES), lambda body: "0" * 64, self._wake,
            self._around.random.random,
        )  # fmt: skip
        return AccountsStage(backend, self.accounts, self.process.name, tools)

    async def _follow_editions(self) -> None:
        while True:
            await asyncio.sleep(EDITIONS_EVERY)
            with suppress(Retry):
                await self._pools.io(self._editions.step, self._record)

    def _snapshot(self, text: str) -> Snapshot:
        """The text names the accounts that are silent."""
        silent = text.split()
        return Snapshot(Account(c, "silent" if a in silent else "active") for a, c in self._channels.items())

    def _apply(self, snapshot: Snapshot, version: int) -> None:
        self.accounts.swap(snapshot)

    async def _store(self, body: bytes) -> str:
        raise AssertionError("no request of the simulation is large")

    def _new_id(self) -> str:
        """A UUID version 7 of the process's clock and the seed's randomness."""
        milliseconds = int(self._around.now().timestamp() * 1000)
        number = milliseconds << 80 | 0x7 << 76 | self._around.random.getrandbits(76)
        return str(UUID(int=number & ~(0xC000 << 48) | 0x8000 << 48))


GROUPS = frozenset(row.name for row in STAGES)
CARRYING = GROUPS - BESIDE

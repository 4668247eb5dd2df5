"""A seed, from its first process until everything is quiet."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import traceback
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from bus import MemoryBus
from sink import last_booked, read_balance
from sink.forward_law import NationalBalance, national_balances
from tests.simulation.blocking import Pools
from tests.simulation.broker import SeenBus
from tests.simulation.channels import KINDS
from tests.simulation.citizens import Citizen, Office, Webhooks, Written
from tests.simulation.database import Databases, SeenRecord, open_cursor
from tests.simulation.facts import Facts, logged_raws
from tests.simulation.faults import Faults
from tests.simulation.hub import Surroundings, idle_slowly
from tests.simulation.hubs import Hubs
from tests.simulation.laws import breaches
from tests.simulation.logs import remembered
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.operators import Operator
from tests.simulation.process import OWNER, Process
from tests.simulation.provider import Provider
from tests.simulation.quiet import QUIET_BY, Quiet
from tests.simulation.registry import Registry
from tests.simulation.registry_channel import RegistryChannel, make_channels
from tests.simulation.watch import Watch

BEGINNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PARTITIONS = 3
ACCOUNTS = {"letter-bandung": "letter", "letter-bogor": "letter", "pigeon": "pigeon", "radio": "radio"}
"""A seed has some of them."""
REGISTRY = "registry"
"""The account that brings complaints elsewhere."""
CITIZENS = 3
"""Of an account, at most."""
FOLLOWED_WITHIN = 10.0
"""Seconds in which every process has a new edition: two looks (`hub.IDLE`), and what was slow before."""
TROUBLE_LASTS = 25.0
"""Seconds; then nothing goes wrong any more."""


@dataclass(frozen=True)
class Result:
    """What came of a seed."""

    seed: int
    breaches: list[str]
    faults: dict[str, int]
    came_of: dict[str, int]
    """Outcomes of items, states of replies, takeovers."""
    steps: int
    seconds: float
    """Virtual."""
    schedule: int
    """A number that two runs have in common only where they ran the same way."""


class World:
    """One seed. `trace` is told what happens."""

    def __init__(
        self,
        seed: int,
        databases: Databases,
        *,
        without: Collection[str] = (),
        trace: Callable[[str], None] | None = None,
    ) -> None:
        self._seed, self._databases, self._trace = seed, databases, trace
        self._random = Random(seed)
        self._faults = Faults(self._branch(), without)
        self._faults.notice = self._say
        self._loop = VirtualLoop(self._branch(), delays=self._faults.rates["step delayed"])
        self._bus = MemoryBus(PARTITIONS, clock=self._now)
        chosen = sorted(self._random.sample(sorted(ACCOUNTS), self._random.randint(1, len(ACCOUNTS))))
        self._kinds = {account: ACCOUNTS[account] for account in chosen}
        self._providers = {a: Provider(a, self._faults, self._branch(), self._loop.time) for a in chosen}
        self._registry = self._a_registry()
        self._channels = make_channels(self._kinds, self._providers, self._registry)
        self._written = Written()
        self._console = Process("console")
        self._logged: list[str] = []
        self._archived: set[str] = set()
        self._came_of: dict[str, int] = {}

    def run(self) -> Result:
        """Run the seed and check every law."""
        self._databases.renew()
        gc.disable()  # what a dead process left is taken apart when the world is over, not when the collector comes
        with closing(sqlite3.connect(self._databases.file)) as record, remembered(self._logged, self._say):
            self._watch = Watch(record, self._providers, open_cursor, self._registry)
            self._seen = SeenRecord(self._databases, self._faults, self._watch, self._console)
            try:
                with idle_slowly():
                    found = self._loop.run(self._main(record), QUIET_BY)
            except Stuck as stuck:
                found = [f"it never falls quiet: {stuck}"]
            processes = [self._console, *self._hubs.processes]
            for process in processes:
                process.clear()
        gc.enable()
        failures = [*self._loop.failures, *(error for process in processes for error in process.failures)]
        found = [f"a task failed: {''.join(traceback.format_exception(error))}" for error in failures] + found
        schedule = hash((self._random.random(), self._loop.steps, round(self._loop.now * 1e6)))
        happened = dict(self._faults.happened)
        return Result(self._seed, found, happened, self._came_of, self._loop.steps, self._loop.now, schedule)

    async def _main(self, record: sqlite3.Connection) -> list[str]:
        self._hubs = Hubs(self._surroundings(), self._loop, self._branch(), self._say)
        self._webhooks = Webhooks(self._hubs.post, self._faults, self._branch(), self._written)
        self._operator = self._an_operator(record)
        at_work = self._console.start(self._operator.work(list(self._providers.values())))
        people = [asyncio.ensure_future(citizen.live()) for citizen in self._citizens()]
        trouble = asyncio.ensure_future(asyncio.sleep(TROUBLE_LASTS))
        await asyncio.wait([*people, asyncio.ensure_future(self._office(record)), trouble])
        self._faults.over = True
        self._say("nothing goes wrong any more")
        await at_work
        await self._mend()
        quiet = Quiet(record, self._seen, self._bus, self._providers, self._registry)
        left = await quiet.wait(self._loop, self._hubs, self._webhooks, self._operator)
        facts = await self._facts(record)
        self._came_of = facts.summary()
        return [*left, *breaches(facts)]

    async def _mend(self) -> None:
        """All accounts speak, and the channels read everything."""
        for provider in self._providers.values():
            provider.mended = True
        if self._operator.silenced:
            await self._operator.publish("")
            await asyncio.sleep(FOLLOWED_WITHIN)

    # -- who is there

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            bus=self._bus, databases=self._databases, faults=self._faults, random=self._random, watch=self._watch,
            now=self._now, monotonic=self._loop.time, providers=self._providers, kinds=self._kinds,
            archived=self._archived, registry=self._registry,
        )  # fmt: skip

    def _a_registry(self) -> Registry | None:
        """In half of the seeds complaints are brought there."""
        if self._random.random() < 0.5:
            return None
        askable = self._random.random() < 0.7
        registry = Registry(
            REGISTRY, self._faults, self._branch(), self._loop.time, now=self._now, askable=askable
        )  # fmt: skip
        registry.notice = self._say
        return registry

    def _an_operator(self, record: sqlite3.Connection) -> Operator:
        bus = SeenBus(self._bus, self._console, self._faults, self._branch(), self._watch)
        pools = Pools(self._console, self._faults)
        return Operator(
            self._seen,
            bus,
            pools,
            letters=record,
            now=self._now,
            random=self._branch(),
            faults=self._faults,
            registry=self._registry,
        )

    def _citizens(self) -> list[Citizen]:
        citizens: dict[tuple[str, str], Citizen] = {}
        for account, provider in self._providers.items():
            kind = self._kinds[account]
            provider.is_polled = provider.carries_reference = kind == "pigeon"
            provider.holds_sessions = kind == "radio"
            provider.notice = self._say
            provider.heard = lambda reply: citizens[reply.account, reply.conversation].hear(reply)
            if kind == "letter":
                provider.deliver = lambda item, account=account: self._webhooks.bring(account, item)  # type: ignore[misc]
            for number in range(self._random.randint(1, CITIZENS)):
                name, phone = f"{account}-{number}", f"+62812{self._random.randrange(10**8):08d}"
                citizen = Citizen(name, phone, provider, self._written, random=self._branch(), faults=self._faults)
                citizens[account, name] = citizen
                if kind == "letter":
                    citizen.by(self._webhooks)
        return list(citizens.values())

    async def _office(self, record: sqlite3.Connection) -> None:
        provider = self._providers[min(self._providers, key=lambda a: self._kinds[a] == "letter")]
        office = Office(provider.deliver, self._written, self._branch())
        handled: set[str] = set()
        while self._loop.now < TROUBLE_LASTS:
            await asyncio.sleep(5)
            for (number,) in record.execute("SELECT number FROM complaints ORDER BY number").fetchall():
                if number not in handled and self._random.random() < 0.5:
                    handled.add(number)
                    await office.handle(number, self._now)

    async def _facts(self, record: sqlite3.Connection) -> Facts:
        ledger = read_balance(self._seen, last_booked(self._seen), set())["all"]
        attempts = [attempt for provider in self._providers.values() for attempt in provider.attempts]
        return Facts(
            raws=await logged_raws(self._bus), written=self._written, attempts=sorted(attempts, key=lambda a: a.began),
            channels=dict(self._channels), logged=self._logged, replayed=self._operator.replayed,
            silenced=self._operator.silenced, edition=self._operator.edition,
            editions={hub.process.name: hub.edition for hub in self._hubs.living},
            seen=self._watch.breaches, record=record, archived=self._archived, ledger=dict(ledger),  # type: ignore[arg-type]
            registry=self._registry, national=self._national(),
            diverted=[e.topic for topic in ("slow", "aside") async for e in self._bus.read(topic, BEGINNING)],
        )  # fmt: skip

    def _national(self) -> list[NationalBalance]:
        to = [channel for channel in self._channels.values() if isinstance(channel, RegistryChannel)]
        return national_balances(self._seen, to, self._now())

    # -- small things

    def _branch(self) -> Random:
        """Randomness of its own for a part of the world, drawn from the seed."""
        return Random(self._random.random())

    def _now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.now)

    def _say(self, line: str) -> None:
        if self._trace is not None:
            self._trace(f"{self._loop.now:9.3f} {OWNER.get() or 'world'}: {line}")


def open_databases() -> Databases:
    """The database that one seed after another begins anew."""
    personal = frozenset(kind for kind, channel in KINDS.items() if channel.ids_hold_phones)
    return Databases(owners=dict.fromkeys([*ACCOUNTS, REGISTRY], "32.73"), personal_ids=personal)

"""A seed, from its first process until everything is quiet."""

from __future__ import annotations

import asyncio
import gc
import logging
import sqlite3
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from bus import MemoryBus
from sink import balance, last_booked
from tests.simulation.blocking import Pools
from tests.simulation.broker import SESSION_TIMEOUT, SeenBus
from tests.simulation.channels import KINDS
from tests.simulation.citizens import Citizen, Office, Webhooks, Written
from tests.simulation.database import Databases, SeenRecord, open_cursor
from tests.simulation.facts import Facts, logged_raws
from tests.simulation.faults import CLOCKS_DIFFER, Faults
from tests.simulation.hub import Hub, Surroundings, idle_slowly
from tests.simulation.laws import breaches
from tests.simulation.loop import Stuck, VirtualLoop
from tests.simulation.operators import Operator
from tests.simulation.process import OWNER, Process
from tests.simulation.provider import Provider
from tests.simulation.watch import Watch

BEGINNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PARTITIONS = 3
HUBS = 2
ACCOUNTS = {"letter-bandung": "letter", "letter-bogor": "letter", "pigeon": "pigeon", "radio": "radio"}
TROUBLE_LASTS = 30.0
"""Seconds; then nothing goes wrong any more."""
QUIET_BY = 900.0
"""Seconds after which everything has to be quiet."""


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
        self._loop = VirtualLoop(self._branch(), delays=self._faults.rates["step delayed"])
        self._bus = MemoryBus(PARTITIONS, clock=self._now)
        self._providers = {a: Provider(a, self._faults, self._branch(), self._loop.time) for a in ACCOUNTS}
        self._channels = {a: KINDS[kind](a, "32.73", self._providers[a]) for a, kind in ACCOUNTS.items()}
        self._written = Written()
        self._hubs: list[Hub] = []
        self._processes: list[Process] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._logged: list[str] = []
        self._archived: set[str] = set()
        self._came_of: dict[str, int] = {}

    def run(self) -> Result:
        """Run the seed and check every law."""
        self._databases.renew()
        with closing(sqlite3.connect(self._databases.file)) as record, self._logging(), idle_slowly():
            self._watch = Watch(record, self._providers, open_cursor)
            try:
                found = self._loop.run(self._main(record), QUIET_BY)
            except Stuck as stuck:
                found = [f"it never falls quiet: {stuck}"]
            for process in self._processes:
                process.clear()
        failures = [*self._loop.failures, *(error for process in self._processes for error in process.failures)]
        found = [f"a task failed: {''.join(traceback.format_exception(error))}" for error in failures] + found
        schedule = hash((self._random.random(), self._loop.steps, round(self._loop.now * 1e6)))
        return Result(
            self._seed, found, dict(self._faults.happened), self._came_of, self._loop.steps, self._loop.now, schedule
        )

    async def _main(self, record: sqlite3.Connection) -> list[str]:
        if self._faults.rates["process crashes"] or self._faults.rates["process stands still"]:
            self._loop.before_step = self._before_step
        self._faults.notice = lambda kind: self._say(kind)
        for _ in range(HUBS):
            self._start_hub()
        people = self._people(record)
        await asyncio.wait([*people, self._spawn(asyncio.sleep(TROUBLE_LASTS))])
        self._faults.over = True
        self._say("nothing goes wrong any more")
        await self._mend(record)
        why = await self._quiet(record)
        facts = await self._facts(record)
        self._came_of = facts.summary()
        self._came_of["diverted to the slow lane"] = sum(
            1 for _ in [s async for s in self._bus.read("slow", BEGINNING)]
        )
        return [*why, *breaches(facts)]

    def _people(self, record: sqlite3.Connection) -> list[asyncio.Task[None]]:
        webhooks = Webhooks(self._post, self._faults, self._branch(), self._written)
        self._webhooks = webhooks
        citizens: dict[tuple[str, str], Citizen] = {}
        for account, provider in self._providers.items():
            provider.is_polled = provider.carries_reference = ACCOUNTS[account] == "pigeon"
            if ACCOUNTS[account] == "letter":
                provider.deliver = lambda item, account=account: webhooks.bring(account, item)  # type: ignore[misc]
            for number in range(self._random.randint(1, 3)):
                name = f"{account}-{number}"
                phone = f"+62812{self._random.randrange(10**8):08d}"
                citizen = Citizen(name, phone, provider, self._written, random=self._branch(), faults=self._faults)
                citizens[account, name] = citizen
                if ACCOUNTS[account] == "letter":
                    citizen.by(webhooks)
            provider.notice = self._say
            provider.heard = lambda reply: citizens[reply.account, reply.conversation].hear(reply)
        console = Process("console")
        self._processes.append(console)
        record_, bus = SeenRecord(self._databases, self._faults, self._watch), self._seen_bus(console)
        self._operator = Operator(
            record_, bus, Pools(console, self._faults), now=self._now, random=self._branch(), faults=self._faults
        )
        self._console = console.start(self._operator.work(list(self._providers.values()), record))
        return [self._spawn(citizen.live()) for citizen in citizens.values()] + [self._spawn(self._office())]

    async def _mend(self, record: sqlite3.Connection) -> None:
        """All accounts speak again, and the channels read everything."""
        self._console.cancel()
        for provider in self._providers.values():
            provider.mended = True
        if self._operator.silenced:
            await self._operator.publish("")

    def _seen_bus(self, process: Process) -> SeenBus:
        return SeenBus(self._bus, process, self._faults, self._branch(), self._watch)

    async def _office(self) -> None:
        office = Office(self._providers["pigeon"].items.append, self._written, self._branch())
        handled: set[str] = set()
        while self._loop.now < TROUBLE_LASTS:
            await asyncio.sleep(5)
            rows = self._ask("SELECT number FROM complaints ORDER BY number")
            for (number,) in rows:
                if number not in handled and self._random.random() < 0.5:
                    handled.add(number)
                    await office.handle(number, self._now)

    async def _post(self, account: str, body: bytes) -> int | None:
        hubs = [hub for hub in self._hubs if hub.process.alive]
        if not hubs:
            return None
        hub = self._random.choice(hubs)
        status = await hub.post(account, body)
        self._say(f"{hub.process} answered {status} to {account} {body.decode()}")
        return status

    # -- processes

    def _start_hub(self) -> None:
        process = Process(f"hub-{len(self._processes)}")
        off = (self._random.random() * 2 - 1) * CLOCKS_DIFFER if self._faults.rates["step delayed"] else 0.0
        around = Surroundings(
            bus=self._bus, databases=self._databases, faults=self._faults, random=self._branch(), watch=self._watch,
            now=lambda: self._now() + timedelta(seconds=off), monotonic=self._loop.time,
            providers=self._providers, kinds=ACCOUNTS,
            archived=self._archived,
        )  # fmt: skip
        self._processes.append(process)
        hub = Hub(process, around)
        self._hubs.append(hub)
        process.start(hub.run())
        self._say(f"{process} starts")

    def _before_step(self, process: Process) -> None:
        hub = next((hub for hub in self._hubs if hub.process is process), None)
        if hub is None or self._faults.over:
            return
        if self._faults("process crashes"):
            self._say(f"{process} dies")
            process.kill()
            self._hubs.remove(hub)
            self._outside(self._start_later(self._random.random() * 8))
        elif self._faults("process stands still"):
            seconds = self._faults.between(0.5, 60)
            self._say(f"{process} stands still for {seconds:.1f} s")
            process.stand_still(self._loop.now + seconds)
            if seconds > SESSION_TIMEOUT:
                hub.bus.expel(SESSION_TIMEOUT)

    async def _start_later(self, after: float) -> None:
        await asyncio.sleep(after)
        self._start_hub()

    # -- the end

    async def _quiet(self, record: sqlite3.Connection) -> list[str]:
        """Wait until nothing is left to be done; what is left when that takes too long."""
        calm = 0
        while (left := await self._left(record)) or (calm := calm + 1) < 3:
            if left:
                calm = 0
            if self._loop.now > QUIET_BY - 60:
                return [f"it never falls quiet: {left}"]
            await asyncio.sleep(2)
        return []

    async def _left(self, record: sqlite3.Connection) -> str:
        if await self._operator.replay(record):
            return "dead letters that can be read now"
        if any(hub.process.stands_still(self._loop.now) for hub in self._hubs):
            return "a process stands still"
        if self._webhooks.busy or any(provider.busy for provider in self._providers.values()):
            return "somebody outside is busy"
        for account, provider in self._providers.items():
            if provider.is_polled and str(len(provider.items)) != self._cursor(account) and provider.items:
                return f"{account} is at {self._cursor(account)} of {len(provider.items)}"
            if ACCOUNTS[account] == "radio" and len(provider.acknowledged) < len(provider.items):
                return f"the session of {account} has not brought everything"
        behind = [f"{lag.group} on {lag.topic}: {lag.behind}" for lag in await self._bus.lag() if lag.behind]
        owed = self._ask("SELECT account, state, count(*) FROM outbox WHERE state IN ('owed', 'claimed') GROUP BY 1, 2")
        jobs = self._ask("SELECT kind, state, count(*) FROM jobs WHERE state IN ('waiting', 'claimed') GROUP BY 1, 2")
        return f"{behind} {owed} {jobs}" if behind or owed or jobs else ""

    def _cursor(self, account: str) -> str | None:
        found = self._ask("SELECT cursor FROM account_states WHERE account = ?", account)
        return open_cursor(found[0][0]) if found and found[0][0] else None

    def _ask(self, sql: str, *values: object) -> list[tuple[str, ...]]:
        with closing(sqlite3.connect(self._databases.file)) as record:
            return record.execute(sql, values).fetchall()

    async def _facts(self, record: sqlite3.Connection) -> Facts:
        seen = SeenRecord(self._databases, self._faults, self._watch)
        ledger = balance(seen, last_booked(seen), set())["all"]
        attempts = [attempt for provider in self._providers.values() for attempt in provider.attempts]
        return Facts(
            raws=await logged_raws(self._bus), written=self._written, attempts=sorted(attempts, key=lambda a: a.began),
            faults=dict(self._faults.happened), channels=dict(self._channels), logged=self._logged,
            replayed=self._operator.replayed, silenced=self._operator.silenced, edition=self._operator.edition,
            editions={hub.process.name: hub.edition for hub in self._hubs},
            seen=self._watch.breaches, record=record, archived=self._archived, ledger=dict(ledger),  # type: ignore[arg-type]
        )  # fmt: skip

    # -- small things

    def _branch(self) -> Random:
        """Randomness of its own for a part of the world, drawn from the seed."""
        return Random(self._random.random())

    def _now(self) -> datetime:
        return BEGINNING + timedelta(seconds=self._loop.now)

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task = self._loop.create_task(work)  # type: ignore[arg-type]
        self._tasks.append(task)
        return task

    def _outside(self, work: object) -> None:
        """Start this in the world, whatever process is about to run."""
        token = OWNER.set(None)
        self._spawn(work)
        OWNER.reset(token)

    def _say(self, line: str) -> None:
        if self._trace is not None:
            process = OWNER.get()
            self._trace(f"{self._loop.now:9.3f} {process or 'world'}: {line}")

    @contextmanager
    def _logging(self) -> Iterator[None]:
        handler = _Remembers(self._logged, self._say)
        root = logging.getLogger()
        before, root.handlers, level = root.handlers, [handler], root.level
        root.setLevel(logging.INFO)
        gc.disable()  # what a dead process left is taken apart when the world is over, not when the collector comes
        try:
            yield
        finally:
            gc.enable()
            root.handlers = before
            root.setLevel(level)


class _Remembers(logging.Handler):
    """Keeps every line, to be searched for what is personal."""

    def __init__(self, lines: list[str], say: Callable[[str], None]) -> None:
        super().__init__()
        self._lines, self._say = lines, say

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        if record.exc_info:
            line += f" {record.exc_info[1]!r}"
        self._lines.append(line)
        self._say(f"log: {line}")


def open_databases() -> Databases:
    """The database that one seed after another begins anew."""
    personal = frozenset(kind for kind, channel in KINDS.items() if channel.ids_hold_phones)
    return Databases(owners=dict.fromkeys(ACCOUNTS, "32.73"), personal_ids=personal)

"""The processes of the hub: they start, die, stand still and start anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

from tests.simulation.broker import SESSION_TIMEOUT
from tests.simulation.faults import CLOCKS_DIFFER, Faults
from tests.simulation.hub import Hub, Surroundings
from tests.simulation.loop import VirtualLoop
from tests.simulation.process import OWNER, Process

HUBS = 2
STARTED_WITHIN = 8.0
"""Seconds after its death that a process is started anew."""
SHORTEST_STANDSTILL, SHORTEST_IN_A_CALL, LONGEST_STANDSTILL = 0.5, 12.0, 40.0
"""Seconds; more than a lease lasts."""


class Hubs:
    """All processes that ever were, and the living ones. `say` is told what happens."""

    def __init__(self, around: Surroundings, loop: VirtualLoop, random: Random, say: Callable[[str], None]) -> None:
        self.processes: list[Process] = []
        self.living: list[Hub] = []
        self._hub_of: dict[Process, Hub] = {}
        self._around, self._loop, self._random, self._say = around, loop, random, say
        self._faults: Faults = around.faults
        self._starting: list[asyncio.Task[None]] = []
        if self._faults.rates["process crashes"] or self._faults.rates["process stands still"]:
            loop.before_step = self._before_step
        for _ in range(HUBS):
            self._start()

    async def post(self, account: str, body: bytes) -> int | None:
        """A webhook to one of them: the status; None where none lives."""
        if not self.living:
            return None
        hub = self._random.choice(self.living)
        status = await hub.post(account, body)
        self._say(f"{hub.process} answered {status} to {account} {body.decode()}")
        return status

    @property
    def one_stands_still(self) -> bool:
        return any(hub.process.stands_still(self._loop.now) for hub in self.living)

    def _start(self) -> None:
        process = Process(f"hub-{len(self.processes)}")
        clocks_differ = self._faults.rates["step delayed"] > 0
        off = timedelta(seconds=(self._random.random() * 2 - 1) * CLOCKS_DIFFER if clocks_differ else 0.0)
        hub = Hub(process, self._around.seen_by(Random(self._random.random()), lambda: self._around.now() + off))
        self.processes.append(process)
        self.living.append(hub)
        self._hub_of[process] = hub
        process.stall = lambda: self._stand_still(hub, SHORTEST_IN_A_CALL)
        process.start(hub.run())
        self._say(f"{process} starts")

    def _before_step(self, process: Process) -> None:
        if self._faults.over:
            return
        hub = self._hub_of.get(process)
        if hub is None:
            return
        if self._faults("process crashes"):
            self._say(f"{process} dies")
            process.kill()
            self.living.remove(hub)
            del self._hub_of[process]
            self._start_later(self._random.random() * STARTED_WITHIN)
        elif self._faults("process stands still"):
            self._stand_still(hub, SHORTEST_STANDSTILL)

    def _stand_still(self, hub: Hub, shortest: float) -> None:
        seconds = self._faults.between(shortest, LONGEST_STANDSTILL)
        self._say(f"{hub.process} stands still for {seconds:.1f} s")
        hub.process.stand_still(self._loop.now + seconds)
        if seconds > SESSION_TIMEOUT:
            hub.bus.expel(SESSION_TIMEOUT)

    def _start_later(self, after: float) -> None:
        async def start() -> None:
            await asyncio.sleep(after)
            self._start()

        token = OWNER.set(None)  # the process that is about to run is the dead one
        self._starting.append(self._loop.create_task(start()))
        OWNER.reset(token)

"""People at the console: they publish editions of the accounts, mend what made letters dead, and replay those."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from random import Random

from bus import decode_event
from schemas import Retry
from sink import Record, load_dead_event, release_account
from sink.editions import publish_edition
from sink.forward_claims import NEEDS_PERSON
from sink.forward_queue import FOLLOWUP, FORWARD, reference_of
from sink.forward_repair import decide_again, decide_stands
from tests.simulation.blocking import Pools
from tests.simulation.broker import SeenBus
from tests.simulation.channels import ODD
from tests.simulation.faults import Faults
from tests.simulation.provider import Provider
from tests.simulation.registry import Registry
from tests.simulation.registry_channel import OWNER, RegistryChannel

WAITING = f"""
    SELECT d.id, d.raw FROM dead d JOIN outcomes o ON o.raw = d.raw AND o.item_index = d.item_index
    WHERE d.code = '{ODD}' AND o.outcome = 'dead' ORDER BY d.id
"""
UNDECIDED = f"""
    SELECT j.id, j.state, j.step, j.kind, c.number FROM jobs j JOIN complaints c ON c.id = j.complaint
    WHERE j.kind IN ('{FORWARD}', '{FOLLOWUP}')
    AND (j.state = 'failed' OR (j.state = 'unknown' AND j.code = '{NEEDS_PERSON}')) ORDER BY j.id
"""


class Operator:
    """One person, with a console of its own that never dies."""

    def __init__(
        self,
        record: Record,
        bus: SeenBus,
        pools: Pools,
        *,
        letters: sqlite3.Connection,
        now: Callable[[], datetime],
        random: Random,
        faults: Faults,
        registry: Registry | None,
    ) -> None:
        self._record, self._bus, self._pools, self._letters = record, bus, pools, letters
        self._now, self._random, self._faults, self._registry = now, random, faults, registry
        self.edition = ""
        """The newest one: the accounts that are silent."""
        self.silenced: set[str] = set()
        """Accounts that ever were."""
        self.replayed: set[str] = set()
        """Raw ids."""

    async def work(self, providers: Sequence[Provider]) -> None:
        """Now and then do something, until nothing goes wrong any more."""
        while not self._faults.over:
            await asyncio.sleep(2 + self._random.random() * 8)
            if self._faults("edition published"):
                accounts = [p.account for p in providers if self._random.random() < 0.3]
                self.silenced |= set(accounts)
                await self.publish(" ".join(accounts))
            if self._faults("reader mended"):
                for provider in providers:
                    provider.mended = True
            if self._faults("dead letters replayed"):
                await self.replay()
            if self._faults("accounts released"):
                await self.release()
            if self._faults("forwards decided"):
                await self.decide()

    async def publish(self, accounts: str) -> None:
        """A new edition: these accounts are silent."""
        self.edition = accounts
        await self._insist(
            lambda: self._pools.io(publish_edition, self._record, "accounts", accounts, "operator", self._now())
        )

    async def release(self) -> int:
        """Let the stages go on with the accounts that they put aside; how many there are."""
        held = self._letters.execute("SELECT DISTINCT account FROM aside WHERE released_at IS NULL").fetchall()
        for (account,) in sorted(held):
            await self._insist(
                lambda account=account: self._pools.io(release_account, self._record, account, self._now())  # type: ignore[misc]
            )
        return len(held)

    async def replay(self) -> int:
        """Publish the events of the letters again that are dead for what was mended; how many there are."""
        waiting = self._letters.execute(WAITING).fetchall()
        for letter, raw in waiting:
            self.replayed.add(raw)
            await self._insist(lambda letter=letter: self._again(letter))  # type: ignore[misc]
        return len(waiting)

    async def decide(self) -> None:
        """Say what became of the forwards that wait for a person, by what stands there."""
        for job, state, step, kind, number in self._letters.execute(UNDECIDED).fetchall():
            reference = number if kind == FORWARD else reference_of(number, job)
            registry = self._registry
            if registry is None or registry.on_its_way(reference):
                continue
            registry.decided.add(reference)
            done = state == "unknown" and registry.was_done(step, reference)
            native = next((native for known, native in registry.created if known == number), None)
            with suppress(Retry):  # what was not done is looked at again
                if not done:
                    await self._pools.io(decide_again, self._record, [job], self._now())
                elif kind == FORWARD and native is not None:
                    to = RegistryChannel(registry.account, OWNER, registry)
                    await self._pools.io(decide_stands, self._record, job, native, to, self._now())

    async def _again(self, letter: str) -> None:
        dead = await self._pools.io(load_dead_event, self._record, letter)
        if dead is not None:  # another letter of the same item may have closed it
            await self._bus.publish([decode_event(dead.of_topic, dead.event, None)])

    async def _insist(self, act: Callable[[], object]) -> None:
        while True:
            try:
                await act()  # type: ignore[misc]
            except Retry:
                await asyncio.sleep(0.5)
            else:
                return

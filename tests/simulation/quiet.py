"""When a seed is over: nothing is left to be done, by anybody."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping

from bus import MemoryBus
from bus._aside import lane_name
from hub.ledger import waiting_aside
from sink import Record, list_asides
from sink.forward_claims import NEEDS_PERSON, NOT_THERE_YET, REFUSED_THERE
from sink.forward_queue import FORWARD
from tests.simulation.citizens import Webhooks
from tests.simulation.database import open_cursor
from tests.simulation.hubs import Hubs
from tests.simulation.loop import VirtualLoop
from tests.simulation.operators import Operator
from tests.simulation.provider import Provider
from tests.simulation.registry import Registry

QUIET_BY = 900.0
"""Virtual seconds after which everything has to be quiet."""
LOOK_EVERY, LOOKS = 1.5, 2
"""Seconds between two looks, and how many in a row have to find nothing."""
_OWED = "SELECT account, state, count(*) FROM outbox WHERE state IN ('owed', 'claimed') GROUP BY 1, 2"
OPEN_JOBS = f"""
    SELECT j.kind, j.id, j.state, j.code FROM jobs j
    LEFT JOIN jobs f ON f.complaint = j.complaint AND f.kind = '{FORWARD}'
        AND j.code IN ('{NOT_THERE_YET}', '{REFUSED_THERE}')
    WHERE (j.state IN ('waiting', 'claimed') OR (j.state = 'unknown' AND j.code <> '{NEEDS_PERSON}'))
    AND (f.state IS NULL OR NOT (f.state = 'failed' OR (f.state = 'unknown' AND f.code = '{NEEDS_PERSON}')))
"""
"""But what waits for a complaint about which a person has to decide."""


class Quiet:
    """Looks at everybody who might still do something."""

    def __init__(
        self, record: sqlite3.Connection, seen: Record, bus: MemoryBus, providers: Mapping[str, Provider],
        registry: Registry | None,
    ) -> None:  # fmt: skip
        self._record, self._seen, self._bus, self._providers = record, seen, bus, providers
        self._registry = registry

    async def wait(self, loop: VirtualLoop, hubs: Hubs, webhooks: Webhooks, operator: Operator) -> list[str]:
        """Wait until nothing is left; what is left when that takes too long."""
        calm = 0
        while calm < LOOKS:
            left = await self._left(hubs, webhooks, operator)
            calm = 0 if left else calm + 1
            if left and loop.now > QUIET_BY - 60:
                return [f"it never falls quiet: {left}"]
            await asyncio.sleep(LOOK_EVERY)
        return []

    async def _left(self, hubs: Hubs, webhooks: Webhooks, operator: Operator) -> str:
        if await operator.release() or await operator.replay():
            return "an operator has work"
        if hubs.one_stands_still:
            return "a process stands still"
        if webhooks.busy or any(provider.busy for provider in self._providers.values()):
            return "somebody outside is busy"
        return self._outside_has() or self._registry_has() or await self._inside_has()

    def _outside_has(self) -> str:
        for account, provider in self._providers.items():
            reached = self._cursor(account)
            if provider.is_polled and provider.items and reached != str(len(provider.items)):
                return f"{account} is at {reached} of {len(provider.items)}"
            if provider.holds_sessions and len(provider.acknowledged) < len(provider.items):
                return f"the session of {account} has not brought everything"
        return ""

    def _registry_has(self) -> str:
        registry = self._registry
        if registry is None:
            return ""
        if registry.busy:
            return "the registry is busy"
        for native, cursor in self._record.execute("SELECT native, cursor FROM forwarded"):
            if int(cursor or 0) < len(registry.news[native]):
                return f"{native} was looked at up to {cursor} of {len(registry.news[native])}"
        return ""

    async def _inside_has(self) -> str:
        behind = [f"{lag.group} on {lag.topic}: {lag.behind}" for lag in await self._bus.lag() if lag.behind]
        lanes = [lane_name(row.stage, row.account, row.since) for row in list_asides(self._seen)]
        aside = await waiting_aside(self._bus, lanes)
        owed, jobs = self._record.execute(_OWED).fetchall(), self._record.execute(OPEN_JOBS).fetchall()
        return f"{behind} {aside} {owed} {jobs}" if behind or aside or owed or jobs else ""

    def _cursor(self, account: str) -> str | None:
        found = self._record.execute("SELECT cursor FROM account_states WHERE account = ?", (account,)).fetchone()
        return open_cursor(found[0]) if found and found[0] else None

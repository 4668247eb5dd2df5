"""Replies of accounts that send nothing for long: a closed one, or one whose fault (a lapsed token, a spent quota)
stays. They go to another verified address of their citizen where there is one; the others stay owed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hub.accounts import Accounts
from hub.running.backend import Backend
from sink.account_states import account_faults
from sink.outbox_moves import ReplyPlanner, move_stuck
from sink.outbox_queries import count_unsent

EVERY = 600.0
"""Seconds."""
PATIENCE = timedelta(hours=24)
"""So long an account may be at fault, and a reply may wait for one that is closed."""
CLOSED = "account_closed"


class StuckReplies:
    """Looks through them again and again; any number of processes do."""

    def __init__(self, backend: Backend, accounts: Accounts, planner: ReplyPlanner) -> None:
        self._backend, self._accounts, self._planner = backend, accounts, planner

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            await self._backend.timing.sleep(EVERY)
            await self.step()

    async def step(self) -> None:
        """All that are stuck now. Raises Retry."""
        causes, after = await self._causes(), ""
        while causes:
            now = self._backend.timing.now()
            reached = await self._backend(
                move_stuck, self._planner, causes, before=now - PATIENCE, now=now, after_id=after
            )
            if reached is None:
                return
            after = reached

    async def _causes(self) -> Mapping[str, str]:
        """Accounts that owe replies and send nothing for long, and why."""
        owing = {row.account for row in await self._backend(count_unsent) if row.state == "owed"}
        since = self._backend.timing.now() - PATIENCE
        faults = await self._backend(account_faults) if owing else {}
        causes = {name: fault.code for name, fault in faults.items() if name in owing and fault.since <= since}
        closed = {name for name in owing if name not in self._accounts or self._accounts.state(name) == "closed"}
        return causes | dict.fromkeys(closed, CLOSED)

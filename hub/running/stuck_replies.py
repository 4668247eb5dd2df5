"""Replies of accounts that send nothing for long: a closed one, or one whose fault (a lapsed token, a spent quota)
stays. They go to another verified address of their citizen where there is one; the others stay owed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hub.accounts import Accounts
from hub.running.backend import Backend
from sink.account_faults import sending_faults
from sink.outbox_moves import Position, ReplyPlanner, move_stuck, stuck_replies
from sink.outbox_queries import count_unsent

EVERY = 600.0
"""Seconds."""
STUCK_AFTER = timedelta(hours=24)
"""So long an account may be at fault, and a reply may wait for one that is closed."""
CLOSED = "account_closed"
PAGE, PAGES = 200, 10
"""Replies that are looked at together, and how often in one round for an account."""


class StuckReplies:
    """Looks through them again and again; any number of processes do."""

    def __init__(self, backend: Backend, accounts: Accounts, planner: ReplyPlanner) -> None:
        self._backend, self._accounts, self._planner = backend, accounts, planner
        self._reached: dict[str, Position] = {}
        """How far the last round came, by account."""

    async def run(self) -> None:
        """For ever. Raises Retry."""
        while True:
            await self._backend.timing.sleep(EVERY)
            await self.step()

    async def step(self) -> None:
        """One round. Raises Retry."""
        causes = await self._causes()
        self._reached = {account: at for account, at in self._reached.items() if account in causes}
        for account, code in causes.items():
            await self._look_through(account, code)

    async def _look_through(self, account: str, code: str) -> None:
        """The oldest first; after the last the next round begins anew: an address may have become known."""
        now = self._backend.timing.now()
        for _ in range(PAGES):
            after = self._reached.get(account)
            page = await self._backend(stuck_replies, account, now - STUCK_AFTER, after, PAGE)
            await self._backend(move_stuck, self._planner, [one.id for one in page], code, now)
            if len(page) < PAGE:
                self._reached.pop(account, None)
                return
            self._reached[account] = page[-1]

    async def _causes(self) -> Mapping[str, str]:
        """Accounts that owe replies and send nothing for long, and why."""
        owing = {row.account for row in await self._backend(count_unsent) if row.state == "owed"}
        since = self._backend.timing.now() - STUCK_AFTER
        faults = await self._backend(sending_faults) if owing else {}
        causes = {name: fault.code for name, fault in faults.items() if name in owing and fault.since <= since}
        closed = {name for name in owing if name not in self._accounts or self._accounts.state(name) == "closed"}
        return causes | dict.fromkeys(closed, CLOSED)

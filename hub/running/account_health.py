"""How each account fares: pauses after failures, and the account faults that `doctor`, `channels` and `/metrics` show.

Sending, polling, holding a session and fetching fail apart from one another: a spent quota of polls stops no answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from hub.repeated_lines import RepeatedLines
from hub.running.account_edits import edited_since
from hub.running.backend import Backend
from hub.running.backoff import Backoff, Random
from hub.running.own_faults import OwnFaults
from schemas import AccountFault, Retry
from sink.account_faults import account_faults, clear_account_fault, set_account_fault

Ability = Literal["send", "poll", "session", "connection", "fetch", "forward"]
"""`connection`: one of several that a session holds; the others work."""
WORKING: frozenset[Ability] = frozenset({"send", "poll", "session", "connection", "fetch"})
FORWARDING: frozenset[Ability] = frozenset({"forward", "poll"})
"""Abilities of the two stages that work for accounts: each shows and ends faults of its own only."""
DEAD_AFTER = 60.0
"""Seconds without any success after which polls, sessions, forwards and sends that fail are the account's fault: a
provider that refuses, hangs or answers nonsense is named, as a lapsed token is."""
LONGEST_WAIT = timedelta(hours=1)
"""What failed for an account is tried again within this time."""
log = logging.getLogger(__name__)
_CALLS_OF_ACCOUNT = frozenset({"poll", "session", "forward"})
ITEMS_OF_ACCOUNT = 3
"""So many different replies must fail meanwhile, and none go out: fewer may each be at fault themselves."""
_Key = tuple[str, str]
"""An account and one of its abilities."""


class _Failing(NamedTuple):
    """An ability that has not worked since."""

    since: float
    items: set[str]
    """What failed; no more than are asked about."""


class _Change(NamedTuple):
    """What the record should say of an ability of an account."""

    fault: AccountFault | None
    retry_at: datetime | None = None


class AccountHealth:
    """Pauses of this process's accounts by ability; faults are written to the record when they change."""

    def __init__(self, backend: Backend, random: Random, abilities: Collection[str] = WORKING) -> None:
        self._backend, self._random, self._abilities = backend, random, abilities
        self._backoffs: dict[tuple[str, Ability], Backoff] = {}
        self._failing: dict[tuple[str, Ability], _Failing] = {}
        self._own_faults: dict[tuple[str, Ability], OwnFaults] = {}
        self._lines = RepeatedLines(log, backend.timing.monotonic)
        self._recorded: set[_Key] = set()
        """Of which the record holds a fault that is ours to end."""
        self._known: frozenset[str] = frozenset()
        self._changes: dict[_Key, _Change] = {}
        self._changed = asyncio.Event()

    def pause_left(self, account: str, ability: Ability) -> float:
        """Seconds; 0: try."""
        backoff = self._backoffs.get((account, ability))
        return backoff.left(self._backend.timing.monotonic()) if backoff else 0.0

    def probing(self, account: str, ability: Ability) -> bool:
        """One try at a time, until one works."""
        backoff = self._backoffs.get((account, ability))
        return backoff is not None and backoff.probing

    def worked(self, account: str, ability: Ability, template: str = "") -> None:
        """It works, as an item of this template shows: no pause, and no fault of this ability."""
        self._failing.pop((account, ability), None)
        if own_faults := self._own_faults.get((account, ability)):
            own_faults.worked(template)
        if backoff := self._backoffs.get((account, ability)):
            backoff.worked()
        self.mended(account, ability)

    def mended(self, account: str, ability: Ability) -> None:
        """No fault of this ability any more; pauses stay until it is known to work."""
        if (account, ability) in self._recorded or (account, ability) in self._changes:
            self._change((account, ability), _Change(None))

    def set_fault(self, account: str, ability: Ability, fault: AccountFault | None) -> None:
        """The fault of an ability that nobody here tries; None: it works."""
        if fault is None:
            self.mended(account, ability)
        else:
            self._change((account, ability), _Change(fault))

    def is_own(self, account: str, ability: Ability, fault: Exception | None, item: str, template: str = "") -> bool:
        """Is a fault of the account rather that of the item which met it, as others of its template go through? A
        fault that ends by itself is the account's."""
        if not isinstance(fault, AccountFault) or fault.after is not None:
            return False
        return self._own_faults.setdefault((account, ability), OwnFaults()).met(item, template)

    def failed(self, account: str, ability: Ability, fault: Exception, item: str = "") -> float:
        """It failed, for this reply; returns the seconds of the pause."""
        backoff = self._backoffs.setdefault((account, ability), Backoff(self._random))
        after = fault.after if isinstance(fault, Retry | AccountFault) else None
        at_once = isinstance(fault, AccountFault) or ability not in {"send", "forward"}
        pause = backoff.failed(self._backend.timing.monotonic(), after=after, at_once=at_once)
        failing = self._failing.setdefault((account, ability), _Failing(self._backend.timing.monotonic(), set()))
        if len(failing.items) < ITEMS_OF_ACCOUNT:
            failing.items.add(item)
        if not isinstance(fault, AccountFault):
            fault = self._dead(ability, fault, failing) or fault
        if isinstance(fault, AccountFault):
            line = f"account {account} cannot {ability}: {fault.reason}; trying again"
            self._lines.write(logging.WARNING, line)
            self._change((account, ability), _Change(fault, self._backend.timing.now() + timedelta(seconds=pause)))
        return pause

    def _dead(self, ability: Ability, fault: Exception, failing: _Failing) -> AccountFault | None:
        """The fault of an account of which nothing has worked for long."""
        of_account = ability in _CALLS_OF_ACCOUNT or (ability == "send" and len(failing.items) >= ITEMS_OF_ACCOUNT)
        if not of_account or self._backend.timing.monotonic() - failing.since < DEAD_AFTER:
            return None
        words = fault.reason if isinstance(fault, Retry) else type(fault).__name__
        return AccountFault("unreachable", f"no {ability} has worked for long: {words}")

    def edited(self, account: str) -> None:
        """A new edition of it holds: it is tried at once."""
        for key in {key for key in (*self._backoffs, *self._own_faults) if key[0] == account}:
            self._backoffs.pop(key, None)
            self._failing.pop(key, None)
            self._own_faults.pop(key, None)
        for known in {known for known in (*self._recorded, *self._changes) if known[0] == account}:
            self._change(known, _Change(None))

    async def learn(self, held: Collection[str]) -> set[str]:
        """Where an account among these is new here, which faults the record holds of processes that had it before.
        Returns which of the new ones have a new edition that no such process saw: these are tried at once. Raises
        Retry."""
        taken = set(held) - self._known
        edited: set[str] = set()
        if taken:
            found = await self._backend(account_faults)
            ours = [(name, one) for name, faults in found.items() for one in faults if one.ability in self._abilities]
            self._recorded |= {(name, one.ability) for name, one in ours}
            latest = self._backend.timing.now() - LONGEST_WAIT
            since = {account: min([latest, *(one.since for name, one in ours if name == account)]) for account in taken}
            edited = await self._backend(edited_since, since)
            for account in edited:
                self.edited(account)
        self._known = frozenset(held)
        return edited

    async def run(self) -> None:
        """Write the changes, for ever. Raises Retry."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            for key in list(self._changes):
                await self._write(key, self._changes[key])

    def _change(self, key: _Key, change: _Change) -> None:
        self._changes[key] = change
        self._changed.set()

    async def _write(self, key: _Key, change: _Change) -> None:
        account, ability = key
        try:
            if change.fault is not None:
                await self._backend(
                    set_account_fault, account, change.fault.code, change.fault.detail, ability=ability,
                    now=self._backend.timing.now(), retry_at=change.retry_at,
                )  # fmt: skip
                self._recorded.add(key)
            elif key in self._recorded:
                await self._backend(clear_account_fault, account, ability)
                self._recorded.discard(key)
        except BaseException:
            self._changed.set()  # it is still to be written
            raise
        if self._changes.get(key) is change:
            del self._changes[key]

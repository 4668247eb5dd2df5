"""Laws that can only be seen while a seed runs: they are checked after each transaction and each publish."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from schemas import Event, Raw
from sink.forward_claims import POOL
from sink.forward_queue import FORWARDS
from sink.job_claims import WORKER_LOST
from sink.leases import lease_name
from sink.outbox_claims import SENDER_LOST
from tests.simulation.provider import Provider
from tests.simulation.registry import Registry

_LEASE = f"CASE WHEN kind IN {FORWARDS} THEN '{lease_name('', POOL)}' || account ELSE account END"
CLAIMED = {
    "outbox": "SELECT id, account, epoch, attempts FROM outbox WHERE state = 'claimed'",
    "jobs": f"SELECT id, {_LEASE}, epoch, attempts FROM jobs WHERE state = 'claimed'",
}


class Claim(NamedTuple):
    """Of a reply or a job: what it stands on."""

    lease: str
    epoch: int
    attempts: int


class Watch:
    """Looks at leases and cursors after each commit, and at what a session acknowledges."""

    def __init__(
        self, record: sqlite3.Connection, providers: dict[str, Provider], open_cursor: Callable[[str], str],
        registry: Registry | None,
    ) -> None:  # fmt: skip
        self.breaches: list[str] = []
        self._record, self._open = record, open_cursor
        self._providers = providers
        self._holders: dict[tuple[str, int], str] = {}
        self._epochs: dict[str, int] = {}
        self._sealed: dict[str, str] = {}
        self._cursors: dict[str, int] = {}
        self._process_of: dict[str, str] = {}
        """By holder."""
        self._in_hand: dict[str, Mapping[str, Claim]] = {"outbox": {}, "jobs": {}}
        """By table and id, what is claimed."""
        self._positions: dict[str, set[str]] = {account: set() for account in providers}
        """By account, the items (as JSON) that stand in the log."""
        self._registry = registry
        self._looked: dict[str, int] = {}
        if registry is not None:
            self._positions[registry.account] = set()
        for account, provider in providers.items():
            provider.taken_over = self._acknowledged(account)

    def stored(self, events: Sequence[Event]) -> None:
        """These events stand in the log from now on."""
        for event in events:
            if isinstance(event, Raw) and event.account in self._positions:
                self._positions[event.account] |= _items(event)

    def committed(self, by: str) -> None:
        """A process wrote to the record."""
        before = dict(self._epochs)
        for account, holder, epoch in self._record.execute("SELECT account, holder, epoch FROM leases"):
            if holder and self._holders.setdefault((account, epoch), holder) != holder:
                self.breaches.append(f"epoch {epoch} of {account} is held by {holder} and by another")
            if epoch < self._epochs.get(account, 0):
                self.breaches.append(f"the epoch of {account} went back to {epoch}")
            self._epochs[account] = epoch
            self._process_of.setdefault(holder, by)
        for table, sql in CLAIMED.items():
            self._claims(table, {id: Claim(*claim) for id, *claim in self._record.execute(sql)}, by, before)
        for account, cursor in self._record.execute("SELECT account, cursor FROM account_states"):
            if cursor is not None and cursor != self._sealed.get(account):
                self._sealed[account] = cursor
                self._moved(account, int(self._open(cursor)))

        if self._registry is not None:
            self._forwarded(self._registry)

    def _claims(self, table: str, now: Mapping[str, Claim], by: str, epochs: Mapping[str, int]) -> None:
        """A claim is made under the epoch of now; and while its epoch lasts, only its process lets go of it."""
        before, self._in_hand[table] = self._in_hand[table], now
        for id, claim in now.items():
            if claim != before.get(id) and claim.epoch != self._epochs.get(claim.lease):
                self.breaches.append(f"{id} of {claim.lease} was claimed under epoch {claim.epoch}, which is over")
        for id, claim in before.items():
            if claim != now.get(id) and claim.epoch == epochs.get(claim.lease):
                self._let_go(table, id, claim, by)

    def _let_go(self, table: str, id: str, claim: Claim, by: str) -> None:
        holder = self._process_of[self._holders[claim.lease, claim.epoch]]
        if holder == by:
            return
        ((code,),) = self._record.execute(f"SELECT code FROM {table} WHERE id = ?", (id,))
        if code in (SENDER_LOST, WORKER_LOST):
            self.breaches.append(f"{by} gave up {id} of {claim.lease}, which {holder} had in hand")

    def _forwarded(self, registry: Registry) -> None:
        for native, cursor in self._record.execute("SELECT native, cursor FROM forwarded WHERE cursor IS NOT NULL"):
            if (position := int(cursor)) != self._looked.get(native):
                self._looked[native] = position
                stored = self._positions[registry.account]
                missing = [item for item in registry.news[native][:position] if _text(item) not in stored]
                if missing:
                    self.breaches.append(f"{native} was looked at up to {position}, and {missing} is not in the log")

    def _moved(self, account: str, cursor: int) -> None:
        if self._providers[account].is_polled:
            missing = self._missing(account, cursor)
            if missing:
                self.breaches.append(f"the cursor of {account} is at {cursor}, and {missing} is not in the log")
            if cursor < self._cursors.get(account, 0):
                self.breaches.append(f"the cursor of {account} went back from {self._cursors[account]} to {cursor}")
        self._cursors[account] = cursor

    def _missing(self, account: str, cursor: int) -> str | None:
        items, stored = self._providers[account].items, self._positions[account]
        return next((text for item in items[:cursor] if (text := _text(item)) not in stored), None)

    def _acknowledged(self, account: str) -> Callable[[int], None]:
        def check(position: int) -> None:
            item = _text(self._providers[account].items[position - 1])
            if item not in self._positions[account]:
                self.breaches.append(f"a session of {account} acknowledged {item}, which is not in the log")

        return check


def _items(raw: Raw) -> set[str]:
    try:
        return {_text(item) for item in json.loads(raw.body)["items"]}
    except (ValueError, KeyError, TypeError):
        return set()


def _text(item: object) -> str:
    return json.dumps(item, sort_keys=True)

"""The store that says which accounts each stage has put aside."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol


class AsideAccount(NamedTuple):
    """An account that a stage put aside."""

    since: datetime
    """When its row was made: it names the lane."""
    released_at: datetime | None = None
    """None: it is held."""


class AsideStore(Protocol):
    """Which accounts are put aside, for all processes of a stage. Every method raises Retry."""

    async def put_aside(self, stage: str, account: str, code: str, detail: str, at: datetime) -> None:
        """Make the account's row, or hold it again where it has one (`since` stays); durable on return."""
        ...

    async def accounts(self, stage: str) -> Mapping[str, AsideAccount]:
        """Every row of the stage, held or released."""
        ...

    async def delete_released(self, stage: str, account: str, released_before: datetime) -> None:
        """Delete the row, unless it is held or was released later."""
        ...


class MemoryAsides:
    """An AsideStore for one process, and for tests."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], AsideAccount] = {}

    async def put_aside(self, stage: str, account: str, code: str, detail: str, at: datetime) -> None:
        known = self._rows.get((stage, account))
        self._rows[stage, account] = AsideAccount(known.since if known else at)

    async def accounts(self, stage: str) -> Mapping[str, AsideAccount]:
        return {account: row for (name, account), row in self._rows.items() if name == stage}

    async def delete_released(self, stage: str, account: str, released_before: datetime) -> None:
        row = self._rows.get((stage, account))
        if row and row.released_at and row.released_at < released_before:
            del self._rows[stage, account]

    def release(self, account: str, at: datetime) -> None:
        """The account is mended: every stage goes on with it."""
        for (stage, name), row in self._rows.items():
            if name == account and row.released_at is None:
                self._rows[stage, name] = row._replace(released_at=at)

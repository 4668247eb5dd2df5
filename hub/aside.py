"""The accounts that stages have put aside, in the record, so that every process of a stage knows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bus import AsideAccount
from hub.running.pools import RunInThread
from sink.aside import delete_aside, list_asides, put_account_aside
from sink.record import Record


class RecordAsides:
    """A `bus.AsideStore`. Every method raises Retry."""

    def __init__(self, record: Record, io: RunInThread) -> None:
        self._record, self._io = record, io

    async def put_aside(self, stage: str, account: str, code: str, detail: str, at: datetime) -> None:
        """Hold the account."""
        await self._io(put_account_aside, self._record, stage, account, code=code, detail=detail, at=at)

    async def accounts(self, stage: str) -> Mapping[str, AsideAccount]:
        """Every row of the stage, held or released."""
        rows = await self._io(list_asides, self._record, stage)
        return {row.account: AsideAccount(row.since, row.released_at) for row in rows}

    async def delete_released(self, stage: str, account: str, released_before: datetime) -> None:
        """Delete the row, unless it is held or was released later."""
        await self._io(delete_aside, self._record, stage, account, released_before)

"""What is kept no longer: abandoned uploads, old days of the archive, receipts that nobody waits for, old requests."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hub.running.pools import RunInThread
from hub.settings import Settings
from hub.web.uploads_store import UploadStore
from sink.receipts import forget_early
from sink.requests import forget_requests

if TYPE_CHECKING:
    from hub.opening import Storage

IDEMPOTENCY_KEYS = timedelta(days=90)
"""No caller repeats a request later than that."""
EARLY_RECEIPTS = timedelta(days=7)
"""A receipt that waited for so long is about a reply that this hub never sent."""


async def prune(settings: Settings, storage: Storage, io: RunInThread, now: datetime) -> None:
    """Remove each of them. Raises the first fault, after all were tried: a folder that cannot be read must not let the
    others grow."""
    ends = await asyncio.gather(
        io(_sweep, settings.data / "uploads", now),
        io(storage.archive.prune, settings.archive_days, now),
        io(forget_early, storage.record, now - EARLY_RECEIPTS),
        io(forget_requests, storage.record, now - IDEMPOTENCY_KEYS),
        return_exceptions=True,
    )
    for end in ends:
        if isinstance(end, BaseException):
            raise end


def _sweep(uploads: Path, now: datetime) -> None:
    if uploads.is_dir():  # a process without a door has none
        UploadStore(uploads, 0).sweep(now)

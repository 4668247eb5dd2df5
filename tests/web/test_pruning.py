"""What is kept no longer goes, whatever becomes of the rest."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

import pytest
from uuid_utils import uuid7

from hub.running.pruning import IDEMPOTENCY_KEYS, prune
from sink import remember_request
from tests.web.conftest import Site


async def test_a_folder_that_cannot_be_swept_lets_nothing_else_grow(quiet: Site) -> None:
    storage, io = quiet.opened.storage, quiet.opened.outside.pools.io
    no_upload = quiet.settings.data / "uploads" / "ab" / ("0" * 32)
    no_upload.mkdir(parents=True)
    os.utime(no_upload, (0, 0))
    first, later = str(uuid7()), str(uuid7())
    assert remember_request(storage.record, "caller", "key", "body", first) == (first, True)
    with pytest.raises(OSError, match="0000"):
        await prune(quiet.settings, storage, io, datetime.now(UTC) + IDEMPOTENCY_KEYS + timedelta(minutes=1))
    assert remember_request(storage.record, "caller", "key", "other", later) == (later, True), "it was forgotten"

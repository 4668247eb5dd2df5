"""The supervisor of the workers, without any."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hub.running import workers
from hub.settings import load_settings


async def test_a_machine_too_full_to_start_a_worker_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = []
    begun = asyncio.Event()

    async def live(*_: object) -> int:
        lives.append(1)
        if len(lives) == 1:
            raise BlockingIOError("no more processes")
        begun.set()
        await asyncio.Event().wait()
        return 0

    monkeypatch.setattr(workers, "_run", live)
    monkeypatch.setattr(workers, "SHORTEST", 0.01)
    async with workers.worker_processes(load_settings({"data": str(tmp_path)}, {}), ("reader",), 1), asyncio.timeout(5):
        await begun.wait()
    assert len(lives) == 2

"""The findings of `doctor` about a spool."""

from __future__ import annotations

from pathlib import Path

from bus import MemoryBus, Spool
from hub.commands._doctor_host import check_spool
from hub.commands._finding import Finding
from hub.settings import Settings, load_settings
from tests.bus.events import raw
from tests.bus.faulty import Faulty


def _settings(folder: Path, bus: str) -> Settings:
    return load_settings({"data": str(folder), "bus": bus}, {})


async def test_doctor_counts_what_waits_in_a_spool(tmp_path: Path) -> None:
    assert list(check_spool(_settings(tmp_path, "memory://"))) == []
    assert list(check_spool(_settings(tmp_path, "kafka://h:1"))) == [
        Finding("spool", "empty; 1,024 MiB of it while the broker is unavailable")
    ]
    async with MemoryBus() as memory, Spool(Faulty(memory, "refuses"), tmp_path / "spool.db", 2**30) as spool:
        await spool.publish([raw(1), raw(2)])
        _finds(tmp_path, "kafka://h:1", "2 events wait for the broker", wrong=False)
    _finds(tmp_path, "kafka://h:1", "2 events wait for the broker", wrong=False)
    _finds(tmp_path, "memory://", "2 events wait from when the bus was another", wrong=True)


def _finds(folder: Path, bus: str, words: str, *, wrong: bool) -> None:
    [found] = check_spool(_settings(folder, bus))
    assert found.words.startswith(words)
    assert found.wrong is wrong

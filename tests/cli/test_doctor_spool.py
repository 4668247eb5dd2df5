"""What `doctor` says of a spool."""

from __future__ import annotations

from pathlib import Path

from bus import MemoryBus, Spool
from hub.commands.doctor import Finding, _spool
from hub.settings import Settings, load
from tests.bus.events import raw
from tests.bus.faulty import Faulty


def _told(folder: Path, bus: str) -> Settings:
    return load({"data": str(folder), "bus": bus}, {})


async def test_doctor_tells_what_waits_in_a_spool(tmp_path: Path) -> None:
    assert list(_spool(_told(tmp_path, "memory://"))) == []
    assert list(_spool(_told(tmp_path, "kafka://h:1"))) == [
        Finding("spool", "empty; 1,024 MiB of it while the broker is away")
    ]
    async with MemoryBus() as memory, Spool(Faulty(memory, "refuses"), tmp_path / "spool.db", 2**30) as spool:
        await spool.publish([raw(1), raw(2)])
        _says(tmp_path, "kafka://h:1", "2 events wait for the broker", wrong=False)
    _says(tmp_path, "kafka://h:1", "2 events wait for the broker", wrong=False)
    _says(tmp_path, "memory://", "2 events wait from when the bus was another", wrong=True)


def _says(folder: Path, bus: str, words: str, *, wrong: bool) -> None:
    [found] = _spool(_told(folder, bus))
    assert found.words.startswith(words)
    assert found.wrong is wrong

"""Several processes on one log: killed, stopped, idle, far apart."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import statistics
from pathlib import Path
from time import perf_counter

import pytest

from bus import SqliteBus, _membership
from bus.turnstile import Turnstile
from tests.bus.events import AT, consume, everything, raw, soon
from tests.bus.processes import line, worker
from tests.services.pausing import pause_process

pytestmark = pytest.mark.slow
LONG_AGO = AT.replace(year=2020)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Without a look at open files: a killed process leaves its own."""
    return tmp_path / "bus.db"


async def life(log: Path, first: int, until: int) -> list[int]:
    """Let a worker publish and pump until it has printed so many numbers, and kill it; the numbers."""
    async with worker("work", log, str(first)) as process:
        printed = [await line(process) for _ in range(until)]
        process.kill()
        rest, _ = await process.communicate()
    return [int(number) for number in printed + rest.decode().split()]


async def lives(log: Path, firsts: itertools.count[int], chance: random.Random) -> list[int]:
    return [n for _ in range(5) for n in await life(log, next(firsts) * 1_000_000, chance.randrange(50, 400))]


async def test_two_processes_that_are_killed_lose_nothing(log: Path) -> None:
    firsts, chance = itertools.count(1), random.Random(3)
    async with asyncio.timeout(120):
        accepted = [*itertools.chain(*await asyncio.gather(*(lives(log, firsts, chance) for _ in range(2))))]
    async with worker("echo", log), SqliteBus(log) as bus:
        while not (lags := await bus.lag()) or any(lag.behind for lag in lags):
            await asyncio.sleep(0.05)
        messages = [event async for event in bus.read("messages", LONG_AGO)]
        read = [int(event.event().native_id) for event in messages]  # type: ignore[attr-defined]
        keys = [event.key for event in messages]
    assert len(accepted) > 500
    assert not set(accepted) - set(read)
    assert first_sights_are_in_order(keys, read)


def first_sights_are_in_order(keys: list[str], numbers: list[int]) -> bool:
    """Redelivered events come again; but nothing new overtakes within a key."""
    last: dict[str, int] = {}
    seen: set[int] = set()
    for key, number in zip(keys, numbers, strict=True):
        if number not in seen and number < last.get(key, -1):
            return False
        seen.add(number)
        last[key] = max(number, last.get(key, -1))
    return True


async def test_the_partitions_of_a_killed_process_are_taken_at_once(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_membership, "TTL", 600.0)
    async with SqliteBus(log) as bus:
        await bus.publish([raw(1)])
        async with worker("hold", log) as process:
            assert await line(process) == "taken"
            async with bus.subscribe("raw", "reader") as batches:
                waiting = asyncio.create_task(soon(batches))
                done, _ = await asyncio.wait([waiting], timeout=0.3)
                assert not done
                process.kill()
                await bus.commit(await waiting)


async def test_the_next_process_cleans_up_after_a_killed_one(log: Path) -> None:
    async with worker("hold", log), SqliteBus(log) as bus:
        async with worker("echo", log) as process:
            assert await line(process) == "ready"
        await bus.publish([raw(1)])
    async with SqliteBus(log):
        pass
    assert not list(log.with_name("bus.db.members").iterdir())


async def test_a_commit_by_a_process_that_was_taken_for_dead_is_refused(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with SqliteBus(log) as bus:
        await bus.publish([raw(1)])
        async with worker("hold", log) as process:
            assert await line(process) == "taken"
            with Turnstile(log):  # so that it is not stopped inside
                pause_process(process.pid)
            monkeypatch.setattr(_membership, "TTL", 0.1)
            await everything(bus, "reader", 1)
            monkeypatch.undo()
            process.send_signal(signal.SIGCONT)
            assert process.stdin
            process.stdin.write(b"go on\n")
            assert await line(process) == "lost"
        assert not any(lag.behind for lag in await bus.lag())


async def test_another_process_is_woken(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = []
    async with SqliteBus(log) as bus, worker("echo", log) as process:
        assert await line(process) == "ready"
        async with bus.subscribe("messages", "check") as batches:
            for number in range(200):
                started = perf_counter()
                await bus.publish([raw(number)])
                await consume(bus, batches, 1)
                times.append((perf_counter() - started) / 2)
    p10, p50 = sorted(times)[20], statistics.median(times[20:])
    with capsys.disabled():
        print(f"\npublish to deliver between processes: p50 {p50 * 1000:.1f} ms, max {max(times[20:]) * 1000:.1f} ms")
    assert p10 < 0.2  # the ticker would take 0.5 for each


async def test_an_idle_process_sleeps(log: Path) -> None:
    async with SqliteBus(log) as bus, worker("idle", log) as process:
        assert await line(process) == "ready"
        before, written = switches(process.pid), Path(f"{log}-wal").stat().st_mtime_ns
        await asyncio.sleep(4)
        assert switches(process.pid) - before <= 2 * 4 + 2
        assert Path(f"{log}-wal").stat().st_mtime_ns == written
        assert bus.partitions == 4


def switches(pid: int) -> int:
    """How often the process's threads went to sleep and woke up again."""
    statuses = [status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0]) for status in statuses)

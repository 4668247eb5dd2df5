"""The start: seconds from calling `up` to its first answer, empty and with a log of a million messages behind it.

python -m bench.start [--runs 5] [--messages 1000000]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.programs import answers, free_port, machine, prepared, running
from bus import SqliteBus
from schemas import Raw


async def fill(path: Path, messages: int) -> None:
    """A log with that many raw messages that nobody has read yet."""
    at = datetime.now(UTC)
    async with SqliteBus(path, partitions=4) as bus:
        for first in range(0, messages, 2000):
            await bus.publish([
                Raw(id=f"bench-{n}", account="file", channel="file", owner="32.73", received_at=at,
                    conversation=str(n), body=b'{"id":"%d","text":"Jalan rusak di depan pasar, mohon diperbaiki."}' % n)
                for n in range(first, first + 2000)
            ])  # fmt: skip


def start(folder: Path) -> float:
    """Seconds to the first answer."""
    port = free_port()
    words = ("hub", "up", "--data", str(folder), "--listen", f"127.0.0.1:{port}")
    with running(*words) as program:
        seconds = answers(port, 60)
        program.terminate()
    return seconds


def main() -> None:
    """Print both medians."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--messages", type=int, default=1_000_000)
    told = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as where:
        empty, full = prepared(Path(where) / "empty"), prepared(Path(where) / "full")
        print(f"empty: {statistics.median(start(empty) for _ in range(told.runs)):.2f} s")
        asyncio.run(fill(full / "bus.db", told.messages))
        seconds = statistics.median(start(full) for _ in range(told.runs))
        print(f"with {told.messages:,} messages behind it: {seconds:.2f} s")


if __name__ == "__main__":
    main()

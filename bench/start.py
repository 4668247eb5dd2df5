"""The start: seconds from calling `up` to its first answer, empty and with a log of a million messages behind it.

python -m bench.start [--runs 5] [--messages 1000000]
"""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench._programs import answers, prepared, running
from bench._table import options, tabulate
from bus import SqliteBus
from schemas import Body, Raw
from sink.blobs import Blobs
from tests.services.ports import free_port


async def fill(data: Path, messages: int) -> None:
    """A log with that many raw messages that nobody has read yet."""
    at = datetime.now(UTC)
    async with SqliteBus(data / "bus.db", partitions=4, bodies=Blobs(data / "blobs")) as bus:
        for first in range(0, messages, 2000):
            await bus.publish([_raw(n, at) for n in range(first, min(first + 2000, messages))])


def _raw(n: int, at: datetime) -> Raw:
    body = Body(b'{"id":"%d","text":"Jalan rusak di depan pasar, mohon diperbaiki."}' % n)
    return Raw(
        id=f"bench-{n}", account="file", channel="file", owner="32.73", received_at=at, conversation=str(n), body=body
    )


def start(data: Path) -> float:
    """Seconds to the first answer."""
    port = free_port()
    with running("hub", "up", "--data", str(data), "--listen", f"127.0.0.1:{port}") as program:
        seconds = answers(port, 60)
        program.terminate()
    return seconds


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(messages=1_000_000)
    with tempfile.TemporaryDirectory() as where:
        empty, full = prepared(Path(where) / "empty"), prepared(Path(where) / "full")
        asyncio.run(fill(full, chosen.messages))
        columns = {"empty s": ".2f", f"with {chosen.messages:,} messages s": ".2f"}
        tabulate(columns, lambda _: (start(empty), start(full)), chosen.runs)


if __name__ == "__main__":
    main()

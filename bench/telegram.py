"""Messages a second from Telegram by long polling, durable before each offset is confirmed; and the cost of reading.

    python -m bench.telegram [--runs 5] [--updates 20000]

`accounts`: `run accounts` on SQLite, 100 updates a poll, each poll's Raws and the cursor synced before the next. `up`:
the whole pipeline beside it. Read: an update taken apart and read, in one thread.
"""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from bench._cpu import cpu_of
from bench._programs import prepared, running, seconds_of, timed_peer
from bench._table import options, tabulate
from bench._updates import update
from connectors.telegram import TelegramChannel, TelegramSettings
from schemas import Body, Raw
from tests.services.ports import free_port

COLUMNS = {"accounts msg/s": ",.0f", "processor ms a msg": ".2f", "up msg/s": ",.0f", "read us a msg": ".1f"}
ACCOUNT = """
[telegram]
kind = "telegram"
owner = "32.73"
state = "silent"
token = "1708:bench"
mode = "poll"
api_url = "http://127.0.0.1:{port}"
"""


def polled(updates: int, *words: str) -> tuple[float, float]:
    """Messages a second, and milliseconds of processor for each."""
    with timed_peer("bench._telegram_api", updates) as (port, process), tempfile.TemporaryDirectory() as where:
        folder = prepared(Path(where), ACCOUNT.format(port=port))
        with running("hub", *words, "--data", str(folder)) as program:
            rate = updates / seconds_of(process)
            return rate, cpu_of(program.pid) * 1000 / updates


def microseconds_to_read(count: int = 20_000) -> float:
    """Of processor, an update, each in a Raw of its own as a poll stores it."""
    door = TelegramChannel("telegram", "32.73", TelegramSettings())
    at = datetime.now(UTC)
    raws = [
        Raw(
            id=str(number), account="telegram", channel="telegram", owner="32.73", received_at=at,
            body=Body(msgspec.json.encode(update(number))),
        )
        for number in range(1, count + 1)
    ]  # fmt: skip
    began = time.thread_time()
    for raw in raws:
        for _ in door.parse(raw):
            pass
    return (time.thread_time() - began) * 1e6 / count


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(updates=20_000)

    def run(_: int) -> tuple[float, ...]:
        accounts, cpu = polled(chosen.updates, "run", "accounts")
        up, _cpu = polled(chosen.updates, "up", "--listen", f"127.0.0.1:{free_port()}")
        return accounts, cpu, up, microseconds_to_read()

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

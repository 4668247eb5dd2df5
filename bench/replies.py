"""Replies a second to a provider that answers in 5 ms, by one `accounts` process on SQLite.

    python -m bench.replies [--runs 5] [--accounts 4] [--replies 10000]

Baseline, in the same run: the bare HTTP client (aiohttp) that sends the same requests to the same provider, as many at
a time.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from bench._cpu import cpu_of
from bench._owed import Outbox, accounts_file, outbox
from bench._programs import running
from bench._table import options, tabulate
from connectors import Speaks
from tests.services.ports import free_port

ANSWERS_AFTER = 5
"""Milliseconds."""
COLUMNS = {
    "bare client/s": ",.0f", "replies/s": ",.0f", "ratio": ".2f", "processor ms a reply: bare": ".2f", "ours": ".2f",
}  # fmt: skip
MESSAGE = {
    "messaging_product": "whatsapp", "recipient_type": "individual", "to": "6281300000001", "type": "text",
    "text": {"body": "Laporan Anda diterima dengan nomor 1234567897. " * 4, "preview_url": False},
    "biz_opaque_callback_data": "5597a23a-4d61-5b0e-8bd2-574694387689",
}  # fmt: skip


async def bare(port: int, at_once: int, requests: int) -> float:
    """Requests a second."""
    url, left = f"http://127.0.0.1:{port}/v23.0/1/messages", iter(range(requests))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def send() -> None:
            for _ in left:
                async with session.post(url, json=MESSAGE, headers={"Authorization": "Bearer bench"}) as response:
                    await response.read()

        start = time.perf_counter()
        await asyncio.gather(*(send() for _ in range(at_once)))
        return requests / (time.perf_counter() - start)


def ours(data: Path, owed: Outbox, replies: int) -> tuple[float, float]:
    """Replies a second, from the first that was sent to the last, and milliseconds of processor for each."""
    with running("hub", "run", "accounts", "--data", str(data)) as program:
        while owed.states().get("sent", 0) < replies:
            time.sleep(0.5)
        cpu = cpu_of(program.pid)
    times = [sent for _, _, sent in owed.sent()]
    return replies / (max(times) - min(times)).total_seconds(), cpu * 1000 / replies


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(accounts=4, replies=10_000)

    def run(_: int) -> tuple[float, ...]:
        port = free_port()
        channels = accounts_file([f"http://127.0.0.1:{port}/v23.0"] * chosen.accounts)
        with tempfile.TemporaryDirectory() as where, running("bench._provider", str(port), str(ANSWERS_AFTER)):
            time.sleep(1)
            used = time.process_time()
            rate = asyncio.run(bare(port, chosen.accounts * Speaks.send_at_once, chosen.replies))
            used = time.process_time() - used
            with outbox(Path(where), channels) as owed:
                owed.enqueue(range(chosen.accounts), chosen.replies)
                own, cpu = ours(Path(where), owed, chosen.replies)
        return rate, own, own / rate, used * 1000 / chosen.replies, cpu

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

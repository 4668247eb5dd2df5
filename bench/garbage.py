"""One account sends garbage: how long the messages of another account are on their way into the record.

    python -m bench.garbage [--runs 5] [--garbage 300] [--rate 50] [--seconds 15]

`up` takes webhooks of both accounts at steady rates; those of one are signed and cannot be read, and all of them die
until the guard puts the account aside. Baseline: the same without garbage. Goal: p99 at most a second more.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from functools import partial
from pathlib import Path

import uvloop

from bench._load import Webhooks, run_open
from bench._measured import latencies
from bench._programs import CHANNELS, hub
from bench._table import options, tabulate
from bench.latency import watch

BAD = "bad-secret"
BAD_ACCOUNT = f"""
[bad]
kind = "whatsapp"
owner = "32.73"
state = "silent"
app_secret = "{BAD}"
verify_token = "bench"
"""
COLUMNS = {"alone: p50 ms": ".0f", "p99 ms": ".0f", "beside garbage: p50 ms": ".0f", "p99 ms ": ".0f"}


class Garbage(Webhooks):
    """Webhooks that are cut off in the middle."""

    def body(self, numbers: object) -> bytes:
        return b'{"object": "whatsapp_business_account", "entry": [{"changes", ' + b"x" * 800


def send(port: int, rate: float, seconds: float) -> None:
    """Garbage at that rate."""
    run_open(port, Garbage("/in/bad", BAD), rate, seconds)


def measure(garbage: float, rate: float, seconds: float) -> tuple[float, float, float, float]:
    """p50 and p99 in milliseconds of the other account's messages, alone and beside so much garbage a second."""
    with tempfile.TemporaryDirectory() as where, hub(Path(where), "up", channels=CHANNELS + BAD_ACCOUNT) as port:
        data = Path(where)
        measured = partial(latencies, port, data, partial(watch, data / "record.db"), rate)
        uvloop.run(measured(2))
        alone = uvloop.run(measured(seconds))
        sender = multiprocessing.Process(target=send, args=(port, garbage, seconds))
        sender.start()
        beside = uvloop.run(measured(seconds))
        sender.join()
    return *alone, *beside


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(garbage=300.0, rate=50.0, seconds=15.0)
    tabulate(COLUMNS, lambda _: measure(chosen.garbage, chosen.rate, chosen.seconds), chosen.runs)


if __name__ == "__main__":
    main()

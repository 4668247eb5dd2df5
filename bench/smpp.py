"""Parts of long texts a second, taken durably through one bind: ours, and Kannel's where it is installed.

    python -m bench.smpp [--runs 5] [--parts 15000] [--window 100]

The same centre delivers three-part texts, each of another citizen, the parts of 30 texts mixed, so many parts at a time
without a response. Ours: `run accounts` on SQLite, every part stored and synced before its response, and the texts
joined; then the whole of `up`. Kannel (Debian: kannel): bearerbox with its spool on disk, handing each part to a sink
by smsbox.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from bench._cpu import cpu_of
from bench._programs import prepared, running, seconds_of, timed_peer
from bench._sink import Sink
from bench._table import options, tabulate
from tests.services.kannel import KannelPorts, SmppLogin, kannel_config
from tests.services.ports import free_port

COLUMNS = {
    "Kannel acks/s": ",.0f", "handed over/s": ",.0f", "missing": ",.0f", "accounts parts/s": ",.0f", "ratio": ".2f",
    "processor ms a part": ".2f", "up parts/s": ",.0f",
}  # fmt: skip
ACCOUNT = """
[seluler]
kind = "smpp"
owner = "32.73"
state = "silent"
hosts = ["127.0.0.1:{port}"]
system_id = "bench"
password = "bench"
address = "1708"
"""
QUIET = {"log-level": 4}
GET_URL = '"http://127.0.0.1:{port}/?from=%p&to=%P&text=%b&udh=%u"'


def ours(parts: int, window: int, *words: str) -> tuple[float, float]:
    """Parts a second, and milliseconds of processor for each."""
    with timed_peer("bench._smsc", parts, window) as (port, process), tempfile.TemporaryDirectory() as where:
        folder = prepared(Path(where), ACCOUNT.format(port=port))
        with running("hub", *words, "--data", str(folder)) as program:
            rate = parts / seconds_of(process)
            return rate, cpu_of(program.pid) * 1000 / parts


def kannels(parts: int, window: int) -> tuple[float, float, int]:
    """Responses a second, parts that reached the sink a second, and parts that never did."""
    if not shutil.which("bearerbox"):
        return float("nan"), float("nan"), 0
    with (
        timed_peer("bench._smsc", parts, window) as (port, process),
        tempfile.TemporaryDirectory() as where,
        Sink(parts) as sink,
    ):
        config = Path(where, "kannel.conf")
        config.write_text(
            kannel_config(
                Path(where), KannelPorts.free(), SmppLogin(port, "bench", "bench"),
                {
                    "core": QUIET | {"sms-combine-concatenated-mo": "false"},
                    "smsbox": QUIET | {"mo-recode": "true"},
                    "sms-service": {
                        "get-url": GET_URL.format(port=sink.port), "max-messages": 0, "omit-empty": "true",
                    },
                },
            )
        )  # fmt: skip
        boxes = [subprocess.Popen([shutil.which("bearerbox") or "", str(config)], stderr=subprocess.DEVNULL)]
        try:
            time.sleep(1)
            boxes.append(subprocess.Popen([shutil.which("smsbox") or "", str(config)], stderr=subprocess.DEVNULL))
            acknowledged = parts / seconds_of(process)
            return acknowledged, sink.rate(), sink.missing
        finally:
            for box in reversed(boxes):
                box.terminate()
                box.wait(20)


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(parts=15_000, window=100)

    def run(_: int) -> tuple[float, ...]:
        kannel, handed, missing = kannels(chosen.parts, chosen.window)
        accounts, cpu = ours(chosen.parts, chosen.window, "run", "accounts")
        up, _cpu = ours(chosen.parts, chosen.window, "up", "--listen", f"127.0.0.1:{free_port()}")
        return kannel, handed, missing, accounts, accounts / handed, cpu, up

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

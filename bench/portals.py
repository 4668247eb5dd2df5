"""Many portals in one hub, some of them dead: from a row's commit in a portal to its complaint in the record.

    python -m bench.portals [--portals 200] [--dead 20] [--seconds 180] [--every 10]

The hub is one `up` on SQLite that polls each portal every so many seconds; the live ones are one made-up server, each
under a path of its own, and each gets a row now and then. The dead refuse, hang, trickle, or answer 500, as many of
each. First all are alive, then some are dead: the delays of the others must be the same. At the end `channels --json`
and `doctor` must name the dead and nobody else. Exit 1 where they do not, or where a row of a live portal is missing.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench._programs import hub, machine
from connectors import HttpResponse
from tests.fakes.server import Fault, Received, Server, answer
from tests.services.ports import free_port

WITHIN = 60.0
"""Seconds after the last row until all must be here."""
ACCOUNT = """
[portal-{n:03d}]
kind = "portal"
owner = "34.04"
manifest = "{manifest}"
url = "{url}/p{n:03d}"
poll_every = "{every}s"
"""
MANIFEST = """
name = "Portal"
url = "http://127.0.0.1:9"
[streams.laporan]
path = "/laporan"
items = "data"
[streams.laporan.watermark]
field = "diubah"
parameter = "sejak"
[streams.laporan.message]
id = "nomor"
text = "isi"
"""


class Delays(NamedTuple):
    """Of the rows of the live portals, in seconds."""

    rows: int
    missing: int
    median: float
    slowest_of_hundred: float
    longest: float


class Portals(Server):
    """Live portals: rows by portal, and when each was committed."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.rows: dict[str, list[dict[str, str]]] = {}
        self.committed: dict[str, float] = {}

    def add(self, portal: str) -> None:
        rows, at = self.rows.setdefault(portal, []), datetime.now(UTC)
        number = f"{portal}-{len(rows)}"
        self.committed[number] = at.timestamp()
        rows.append({"nomor": number, "isi": f"Lampu jalan mati, laporan {number}", "diubah": at.isoformat()})

    def _respond(self, received: Received) -> HttpResponse:
        self.received.clear()
        since = datetime.fromisoformat(received.params["sejak"])
        rows = self.rows.get(received.path.split("/")[1], ())
        return answer(200, {"data": [row for row in rows if datetime.fromisoformat(row["diubah"]) >= since]})


@contextmanager
def dead_urls() -> Iterator[list[str]]:
    """One that refuses, one that hangs, one that trickles, one that answers 500."""
    with ExitStack() as stack:
        servers = [Server(lambda _, fault=fault: fault) for fault in (Fault.HANG, Fault.TRICKLE, answer(500, "rusak"))]
        yield [f"http://127.0.0.1:{free_port()}", *(stack.enter_context(server).url for server in servers)]


def measured(given: argparse.Namespace, dead: int) -> tuple[Delays, bool]:
    """With so many dead; whether exactly these are named."""
    with tempfile.TemporaryDirectory() as where, Portals() as live, dead_urls() as gone:
        folder = Path(where)
        (folder / "portal.toml").write_text(MANIFEST)
        names = [f"p{n:03d}" for n in range(given.portals)]
        tables = [
            ACCOUNT.format(n=n, manifest=folder / "portal.toml", every=given.every,
                           url=gone[n % len(gone)] if n < dead else live.url)
            for n in range(given.portals)
        ]  # fmt: skip
        with hub(folder / "hub", "up", channels="".join(tables)):
            time.sleep(2 * given.every)
            _fill(live, names[dead:], given.seconds)
            delays = _delays(live, folder / "hub" / "record.db")
            return delays, _named(folder / "hub", given.portals) == {f"portal-{n:03d}" for n in range(dead)}


def _fill(live: Portals, names: list[str], seconds: float) -> None:
    random, until = Random(1), time.monotonic() + seconds
    while time.monotonic() < until:
        live.add(random.choice(names))
        time.sleep(0.1)


def _delays(live: Portals, record: Path) -> Delays:
    until, found = time.monotonic() + WITHIN, {}
    while len(found) < len(live.committed) and time.monotonic() < until:
        time.sleep(1)
        found = _recorded(record)
    delays = sorted(found[number] - at for number, at in live.committed.items() if number in found)
    cut = statistics.quantiles(delays, n=100)
    return Delays(len(delays), len(live.committed) - len(delays), statistics.median(delays), cut[98], delays[-1])


def _recorded(record: Path) -> dict[str, float]:
    """When each row's complaint was written."""
    sql = "SELECT c.external_ids, a.since FROM complaints c JOIN assignments a ON a.complaint = c.id"
    with closing(sqlite3.connect(f"file:{record}?mode=ro", uri=True, timeout=30)) as connection:
        return {
            next(iter(json.loads(ids).values())): datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
            for ids, at in connection.execute(sql)
        }  # fmt: skip


def _named(data: Path, portals: int) -> set[str]:
    """The accounts that `channels --json` and `doctor` both name."""
    words = [sys.executable, "-m", "hub"]
    listed = subprocess.run([*words, "channels", "--json", "--data", data], capture_output=True, text=True, check=True)
    named = {one["account"] for one in json.loads(listed.stdout) if one["health"] != "ok" and one["kind"] == "portal"}
    doctor = subprocess.run([*words, "doctor", "--data", data], capture_output=True, text=True, check=False).stdout
    bad = {
        line.split()[2].rstrip(":") for line in doctor.splitlines() if "channel portal-" in line and "unreach" in line
    }
    print(f"     channels names {len(named)}, doctor {len(bad)} of {portals}", flush=True)
    return named if named == bad else set()


def main() -> None:
    """Print a row without dead ones and a row with them."""
    parser = argparse.ArgumentParser()
    for name, default in {"portals": 200, "dead": 20, "seconds": 180, "every": 10}.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"[{default}]")
    given = parser.parse_args()
    print(machine())
    good = True
    for dead in (0, given.dead):
        delays, named = measured(given, dead)
        good = good and named and not delays.missing
        print(
            f"{dead:3} dead: {delays.rows} rows, {delays.missing} missing; seconds: median {delays.median:.1f}, "
            f"1 % over {delays.slowest_of_hundred:.1f}, longest {delays.longest:.1f}; the dead named: {named}",
            flush=True,
        )
    sys.exit(not good)


if __name__ == "__main__":
    main()

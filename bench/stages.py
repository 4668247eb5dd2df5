"""Milliseconds of processor a message, stage by stage, on Kafka and PostgreSQL: what a real machine is sized with.

    python -m bench.stages [--messages 20000]

The door takes signed WhatsApp webhooks as fast as it can; then the stages, each a process of its own, once one of each
and once two, work off what waits, and send the answers to a gateway. What a process costs to start and to wait is
measured on an empty road, and taken off.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench.load import Webhooks, run_closed
from bench.programs import answers, free_port, machine
from bench.stack import Stack, flags, stack
from bench.usage import cpu_of
from tests.fakes.graph import Graph
from tests.programs import APP_SECRET, channels
from tests.services.postgres import plain

STAGES = ("reader", "matcher", "router", "sink", "speakers")
IDLE = 10.0
"""Seconds."""


@contextmanager
def stage(name: str, words: Sequence[str]) -> Iterator[int]:
    """`satupintu run NAME` while the context lasts; its process id."""
    program = subprocess.Popen([sys.executable, "-m", "hub", "run", name, *words], stderr=subprocess.DEVNULL)
    try:
        yield program.pid
    finally:
        program.terminate()
        program.wait(30)


def idle(servers: Stack, folder: Path) -> dict[str, tuple[float, float]]:
    """Seconds of processor that each stage takes to start, and in each second that it waits, on an empty road."""
    words = ["--data", str(folder), *flags(*servers.fresh())]
    found = {}
    for name in STAGES:
        with stage(name, words) as pid:
            time.sleep(IDLE / 2)
            begun = cpu_of(pid)
            time.sleep(IDLE)
            waiting = (cpu_of(pid) - begun) / IDLE
            found[name] = (begun - waiting * IDLE / 2, waiting)
    return found


def fill(servers: Stack, words: Sequence[str], messages: int) -> tuple[int, dict[str, float]]:
    """Put that many messages on the road; how many it took, and what that cost: milliseconds a message."""
    port, before = free_port(), servers.cpu()
    webhooks = Webhooks("/in/whatsapp", APP_SECRET, senders=10**7)
    program = subprocess.Popen([sys.executable, "-m", "hub", "run", "door", *words, "--listen", f"127.0.0.1:{port}"])
    try:
        answers(port)
        begun, taken = cpu_of(program.pid), 0
        while taken < messages:
            result = run_closed(port, webhooks, 1)
            if result.refused:
                raise RuntimeError(f"{result.refused} requests were not answered 200")
            taken += len(result.latencies)
        used = cpu_of(program.pid) - begun
    finally:
        program.terminate()
        program.wait(30)
    after = servers.cpu()
    return taken, {"door": used * 1000 / taken, "Kafka, door": (after[0] - before[0]) * 1000 / taken}


def drain(servers: Stack, words: Sequence[str], processes: int, messages: int) -> tuple[float, dict[str, float]]:
    """Work it off; seconds from the start of the processes, and milliseconds a message by stage."""
    before, start = servers.cpu(), time.monotonic()
    with ExitStack() as running:
        pids = {n: [running.enter_context(stage(n, words)) for _ in range(processes)] for n in STAGES}
        _until_answered(words, messages)
        seconds = time.monotonic() - start
        used = {name: sum(map(cpu_of, of)) for name, of in pids.items()}
    after = servers.cpu()
    costs = {name: seconds_ * 1000 for name, seconds_ in used.items()}
    costs["Kafka, stages"], costs["PostgreSQL"] = (after[0] - before[0]) * 1000, (after[1] - before[1]) * 1000
    return seconds, costs


def _until_answered(words: Sequence[str], messages: int) -> None:
    record = plain(words[words.index("--record") + 1])
    with psycopg.connect(record, autocommit=True) as connection:
        while True:
            try:
                done = connection.execute("SELECT count(*) FROM outbox WHERE state = 'sent'").fetchone()
            except psycopg.errors.UndefinedTable:
                done = (0,)
            if done and done[0] >= messages:
                return
            time.sleep(0.5)


def sizes(servers: Stack, bus: str, record: str, messages: int) -> tuple[float, float]:
    """Bytes a message on all topics of that prefix (one copy), and in the record."""
    prefix = bus.rpartition("/")[2]
    logs = servers.kafka.folder.glob(f"node-1/log/{prefix}.*/*.log")
    with psycopg.connect(plain(record)) as connection:
        kept = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return sum(_written(log) for log in logs) / messages, (kept or [0])[0] / messages


def _written(log: Path) -> int:
    return log.stat().st_blocks * 512  # the file itself may be laid out ahead


def run(servers: Stack, folder: Path, graph: str, processes: int, messages: int) -> tuple[float, dict[str, float]]:
    """Messages a second, and milliseconds a message by stage."""
    folder.mkdir()
    (folder / "channels.toml").write_text(channels(graph=graph))
    waits = idle(servers, folder)
    bus, record = servers.fresh()
    words = ["--data", str(folder), *flags(bus, record)]
    taken, costs = fill(servers, words, messages)
    seconds, used = drain(servers, words, processes, taken)
    for name, spent in used.items():
        begin, waiting = waits.get(name, (0.0, 0.0))
        off = (begin + waiting * seconds) * processes * 1000 if name in waits else 0.0
        costs[name] = max(0.0, spent - off) / taken
    ledger = subprocess.run([sys.executable, "-m", "hub", "ledger", "--json", *words], check=True, capture_output=True)
    books = json.loads(ledger.stdout)["all"]
    if books["lost"] or books["recorded"] + books["added"] != taken:
        raise RuntimeError(f"the ledger says {books}")
    costs["bytes on topics"], costs["bytes in the record"] = sizes(servers, bus, record, taken)
    return taken / seconds, costs


def main() -> None:
    """Print a column for one and for two processes of each stage."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=20_000)
    told = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as where, stack(Path(where)) as servers, Graph("tests-access") as graph:
        found = [run(servers, Path(where) / f"hub{n}", graph.graph_url, n, told.messages) for n in (1, 2)]
    print("ms of processor a message      one process each   two of each")
    for name in found[0][1]:
        print(f"{name:30} {found[0][1][name]:16,.3f} {found[1][1][name]:13,.3f}")
    print(f"{'messages a second, all of it':30} {found[0][0]:16,.0f} {found[1][0]:13,.0f}")


if __name__ == "__main__":
    main()

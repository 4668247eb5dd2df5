"""Milliseconds of processor a message, stage by stage, on Kafka and PostgreSQL: by this a real machine is sized.

    python -m bench.stages [--messages 20000] [--fields 0]

The ingress takes signed WhatsApp webhooks as fast as it can; then the stages, each a process of its own, once one of
each and once two, work off what waits, and send the answers to a gateway. The cost of starting and of waiting is
measured on an empty pipeline, and taken off. `--fields 1` prints also which fields take the bytes on the topics.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from bench._bytes import bytes_by_field, bytes_of_tables, bytes_of_topics
from bench._cpu import cpu_of
from bench._load import Webhooks, run_closed
from bench._programs import answers, machine
from bench._servers import Servers, flags, servers
from bench._table import options
from tests.fakes.graph import Graph
from tests.programs import APP_SECRET, channels
from tests.services.ports import free_port
from tests.services.postgres import plain

STAGES = ("reader", "matcher", "router", "sink", "accounts")
IDLE = 10.0
"""Seconds."""
SENT = "SELECT count(*) FROM outbox WHERE state IN ('sent', 'delivered', 'read')"


@contextmanager
def stage(name: str, words: Sequence[str]) -> Iterator[int]:
    """`satupintu run NAME` while the context lasts; its process id."""
    program = subprocess.Popen([sys.executable, "-m", "hub", "run", name, *words], stderr=subprocess.DEVNULL)
    try:
        yield program.pid
    finally:
        program.terminate()
        program.wait(30)


def idle(running: Servers, data: Path) -> dict[str, tuple[float, float]]:
    """Seconds of processor that each stage takes to start, and in each second that it waits."""
    words = ["--data", str(data), *flags(*running.fresh())]
    found = {}
    for name in STAGES:
        with stage(name, words) as pid:
            time.sleep(IDLE / 2)
            begun = cpu_of(pid)
            time.sleep(IDLE)
            waiting = (cpu_of(pid) - begun) / IDLE
            found[name] = (begun - waiting * IDLE / 2, waiting)
    return found


def fill(running: Servers, words: Sequence[str], messages: int) -> tuple[int, dict[str, float]]:
    """Have at least that many messages taken in; how many, and the milliseconds that each cost."""
    port, before = free_port(), running.cpu()
    webhooks = Webhooks("/in/whatsapp", APP_SECRET, senders=10**7)
    program = subprocess.Popen([sys.executable, "-m", "hub", "run", "door", *words, "--listen", f"127.0.0.1:{port}"])
    try:
        answers(port)
        begun, taken = cpu_of(program.pid), 0
        while taken < messages:
            taken += len(run_closed(port, webhooks, 1).all_taken().latencies)
        used = cpu_of(program.pid) - begun
    finally:
        program.terminate()
        program.wait(30)
    after = running.cpu()
    return taken, {"door": used * 1000 / taken, "Kafka, door": (after[0] - before[0]) * 1000 / taken}


def drain(running: Servers, words: Sequence[str], processes: int, messages: int) -> tuple[float, dict[str, float]]:
    """Work it off; seconds from the start of the processes, and the milliseconds of processor by stage."""
    before, start = running.cpu(), time.monotonic()
    with ExitStack() as stack:
        pids = {name: [stack.enter_context(stage(name, words)) for _ in range(processes)] for name in STAGES}
        _until_answered(words, messages)
        seconds = time.monotonic() - start
        costs = {name: sum(map(cpu_of, own)) * 1000 for name, own in pids.items()}
    after = running.cpu()
    costs["Kafka, stages"], costs["PostgreSQL"] = (after[0] - before[0]) * 1000, (after[1] - before[1]) * 1000
    return seconds, costs


def _until_answered(words: Sequence[str], messages: int) -> None:
    record = plain(words[words.index("--record") + 1])
    with psycopg.connect(record, autocommit=True) as connection:
        while True:
            try:
                done = connection.execute(SENT).fetchone()
            except psycopg.errors.UndefinedTable:
                done = (0,)
            if done and done[0] >= messages:
                return
            time.sleep(0.5)


def run(running: Servers, data: Path, graph: str, processes: int, messages: int, fields: int) -> dict[str, float]:
    """Milliseconds a message by stage, then bytes a message, then messages a second."""
    data.mkdir()
    (data / "channels.toml").write_text(channels(graph=graph))
    waits = idle(running, data)
    bus, record = running.fresh()
    words = ["--data", str(data), *flags(bus, record)]
    taken, costs = fill(running, words, messages)
    seconds, used = drain(running, words, processes, taken)
    for name, spent in used.items():
        begin, waiting = waits.get(name, (0.0, 0.0))
        off = (begin + waiting * seconds) * processes * 1000 if name in waits else 0.0
        costs[name] = max(0.0, spent - off) / taken
    _check(words, taken)
    if fields:
        _print_bytes("field", {name: size / taken for name, size in bytes_by_field(bus).items() if size > taken})
    return costs | _sizes(running, bus, record, taken) | {"messages a second, all of it": taken / seconds}


def _sizes(running: Servers, bus: str, record: str, messages: int) -> dict[str, float]:
    topics, (whole, tables) = bytes_of_topics(running.kafka.folder, bus), bytes_of_tables(record)
    _print_bytes("topic", {name: size / messages for name, size in topics.items()})
    _print_bytes("table", {name: size / messages for name, size in tables.items() if size > messages})
    return {"bytes on topics": sum(topics.values()) / messages, "bytes in the record": whole / messages}


def _print_bytes(what: str, sizes: Mapping[str, float]) -> None:
    print(f"bytes a message by {what}")
    for name, size in sorted(sizes.items(), key=lambda pair: -pair[1]):
        print(f"  {name:50} {size:8,.0f}")


def _check(words: Sequence[str], taken: int) -> None:
    printed = subprocess.run([sys.executable, "-m", "hub", "ledger", "--json", *words], check=True, capture_output=True)
    ledger = json.loads(printed.stdout)["all"]
    if ledger["lost"] or ledger["recorded"] + ledger["added"] != taken:
        raise RuntimeError(f"the ledger shows {ledger}")


def main() -> None:
    """Print a column for one and for two processes of each stage."""
    chosen = options(messages=20_000, fields=0)
    print(machine())
    with tempfile.TemporaryDirectory() as where, servers(Path(where)) as running, Graph("tests-access") as graph:
        found = [
            run(running, Path(where) / f"hub{n}", graph.graph_url, n, chosen.messages, chosen.fields) for n in (1, 2)
        ]
    print("ms of processor a message      one process each   two of each")
    for name, value in found[0].items():
        print(f"{name:30} {value:16,.3f} {found[1][name]:13,.3f}")


if __name__ == "__main__":
    main()

"""The fault drill: the whole hub under steady load while its parts are killed, paused, cut off, and given a wrong time.

    python -m bench.faults --short          about two minutes; part of `make test`
    python -m bench.faults                  200 kills on three brokers, about an hour

After each kind of fault the load pauses until the pipeline is empty; then the load's own list is compared with the
record, the ledger, the export, and the replies that the providers took (`bench/drill/checks.py`). Exit 1 if anything
that must be nothing is something; the folder with all logs is kept then.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from bench.drill.faults import Round, long_form, short_form, without_broker
from bench.drill.load import Load
from bench.drill.providers import Gateway, Meta, Providers
from bench.drill.rounds import Drill, Row
from bench.drill.stack import Stack
from bench.drill.table import details, markdown, write
from tests.programs import channels
from tests.services.ports import free_port


class Way(NamedTuple):
    """The size of a drill."""

    nodes: int
    """Of the broker; 0: SQLite for a bus."""
    rate: float
    """Messages a second."""
    seed: int
    pauses: tuple[float, float]
    """Least and most seconds from a heal to the next fault."""


LONG = Way(nodes=3, rate=200, seed=1708, pauses=(0.3, 1.5))
SHORT = Way(nodes=1, rate=60, seed=1708, pauses=(0.3, 1.0))


def drill(rounds: Sequence[Round], way: Way, folder: Path, on_row: Callable[[list[Row]], None]) -> list[Row]:
    """A row for each round; `on_row` gets all so far. The folder holds all logs."""
    say = _logger(folder)
    with ExitStack() as stack:
        port = free_port()
        load = Load(port, way.rate, way.seed)
        meta = stack.enter_context(Meta("tests-access", way.seed, load.report))
        gateway = stack.enter_context(Gateway(way.seed))
        say("starting the stack")
        hub = stack.enter_context(Stack(folder, channels(gateway.send_url, meta.graph_url), port, way.nodes))
        stack.callback(load.end)
        load.begin()
        running = stack.enter_context(Drill(hub, load, Providers(meta, gateway), way.seed, say))
        rows: list[Row] = []
        for one in rounds:
            rows.append(running.run(one, way.pauses))
            on_row(rows)
        return rows


def _logger(folder: Path) -> Callable[[str], None]:
    began, log = time.monotonic(), folder / "drill.log"

    def say(words: str) -> None:
        line = f"{time.strftime('%X')} {time.monotonic() - began:7.1f} s  {words}"
        with log.open("a") as file:
            file.write(line + "\n")
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{line[:110]}")
            sys.stderr.flush()

    return say


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="ten kills on one node")
    parser.add_argument("--rate", type=float, help="messages a second")
    parser.add_argument("--nodes", type=int, help="of the broker; 0 for SQLite")
    parser.add_argument("--seed", type=int, default=1708)
    parser.add_argument("--only", metavar="PATTERN", help="rounds whose names match")
    parser.add_argument("--most", type=int, default=1000, metavar="N", help="each fault so often at most")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this file")
    parser.add_argument("--folder", type=Path, help="where it works; kept")
    return parser.parse_args()


def _rounds(chosen: argparse.Namespace, way: Way) -> list[Round]:
    rounds = short_form() if chosen.short else long_form()
    if not chosen.short:
        random.Random(way.seed).shuffle(rounds)
    if way.nodes == 0:
        rounds = [r for r in without_broker(rounds) if r.faults]
    rounds = [r._replace(faults=[(fault, min(times, chosen.most)) for fault, times in r.faults]) for r in rounds]
    return [r for r in rounds if not chosen.only or re.search(chosen.only, r.name)]


def main() -> None:
    chosen = _options()
    way = SHORT if chosen.short else LONG
    way = way._replace(
        seed=chosen.seed, rate=chosen.rate or way.rate, nodes=way.nodes if chosen.nodes is None else chosen.nodes
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="faults-"))
    folder.mkdir(parents=True, exist_ok=True)

    def write_table(rows: list[Row]) -> None:
        if chosen.write:
            write(chosen.write, markdown(rows))

    rows = drill(_rounds(chosen, way), way, folder, write_table)
    print(f"\n{markdown(rows)}")
    wrong = list(details(rows))
    print("\n".join(wrong), file=sys.stderr)
    if wrong:
        sys.exit(f"{len(wrong)} things are wrong; all logs are in {folder}")
    if not chosen.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

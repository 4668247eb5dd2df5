"""`python -m tests.simulation --seeds 1..2000`: run seeds, print those that break a law, and what remains of them.

    --seed N [--trace]       one seed; with its schedule
    --seeds A..B             many, and how long they took
    --jobs N                 in so many processes
    --without KIND;KIND      with these kinds of fault turned off
    --sabotage NAME          with a safeguard taken away; it ends at the first seed that notices
    --sabotages              each safeguard in turn: how many seeds it took

A seed that fails is run again with each kind of fault turned off, one after the other: those that are not needed are
left off (not with a safeguard taken away: there it counts only that a seed fails). It replays exactly wherever
PYTHONHASHSEED is the same; the program sees to that.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from tests.simulation.database import Databases
from tests.simulation.faults import RATES
from tests.simulation.sabotage import SABOTAGES, sabotaged
from tests.simulation.world import Result, World, open_databases

HASH_SEED = "0"
PART = 100
"""Seeds that a process runs before the next takes over."""


def main(arguments: Sequence[str]) -> int:
    """Exit code 1 where a law was broken, or where a sabotage was not noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=_seeds, default=range(1, 101))
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--without", default="")
    parser.add_argument("--sabotage", choices=sorted(SABOTAGES))
    parser.add_argument("--sabotages", action="store_true")
    given = parser.parse_args(arguments)
    seeds = given.seeds if given.seed is None else [given.seed]
    without = [kind for kind in given.without.split(";") if kind]
    if given.jobs > 1:
        return _in_parts(given.seeds, given.jobs, arguments)
    with closing(open_databases()) as databases:
        gc.freeze()
        if given.sabotages:
            return _all_sabotages(databases, seeds)
        if given.sabotage:
            with sabotaged(given.sabotage):
                return int(bool(_run(databases, seeds, without, trace=given.trace, first_only=True)))
        return int(bool(_run(databases, seeds, without, trace=given.trace)))


def _in_parts(seeds: range, jobs: int, arguments: Sequence[str]) -> int:
    """A hundred seeds at a time, so many processes at once; of the arguments the last count."""
    parts = [seeds[first : first + PART] for first in range(0, len(seeds), PART)]
    command = [sys.executable, "-m", "tests.simulation", *arguments, "--jobs", "1", "--seeds"]
    with ThreadPoolExecutor(jobs) as pool:
        codes = pool.map(lambda part: subprocess.call([*command, f"{part[0]}..{part[-1]}"]), parts)
        return max(codes)


def _seeds(text: str) -> range:
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def _run(
    databases: Databases, seeds: Iterable[int], without: Sequence[str], *, trace: bool, first_only: bool = False
) -> list[Result]:
    began, failed, number = time.process_time(), list[Result](), 0
    faults: Counter[str] = Counter()
    came_of: Counter[str] = Counter()
    for seed in seeds:
        number += 1
        result = _seed(databases, seed, without, trace=trace)
        faults.update(result.faults)
        came_of.update(result.came_of)
        if result.breaches:
            failed.append(result)
            needless = [] if first_only else list(_needless(databases, result, without))
            _print_failure(result, needless)
            if first_only:
                break
    took = time.process_time() - began
    print(f"{number} seeds, {len(failed)} failed, {took:.1f} s of processor time, {took / max(number, 1):.3f} s each")
    print("came of it: " + ", ".join(f"{times} {kind}" for kind, times in came_of.most_common()))
    print("faults: " + ", ".join(f"{times} x {kind}" for kind, times in faults.most_common()))
    return failed


def _seed(databases: Databases, seed: int, without: Sequence[str], *, trace: bool = False) -> Result:
    result = World(seed, databases, without=without, trace=print if trace else None).run()
    gc.collect()
    if trace:
        print(f"{result.steps} steps, {result.seconds:.0f} virtual seconds, schedule {result.schedule:x}")
    return result


def _print_failure(result: Result, needless: Sequence[str]) -> None:
    print(f"seed {result.seed} fails: python -m tests.simulation --seed {result.seed} --trace", end="")
    print(f' --without "{";".join(needless)}"' if needless else "")
    for line in result.breaches[:10]:
        print(f"    {line}")
    kept = {kind: times for kind, times in result.faults.items() if kind not in needless}
    print(f"    faults: {kept}", flush=True)


def _needless(databases: Databases, result: Result, without: Sequence[str]) -> Iterator[str]:
    """Kinds of fault without which the seed breaks the same law."""
    laws = {line.partition(":")[0] for line in result.breaches}
    off = list(without)
    for kind in RATES:
        if kind in result.faults and kind not in off:
            again = _seed(databases, result.seed, [*off, kind])
            if laws & {line.partition(":")[0] for line in again.breaches}:
                off.append(kind)
                yield kind


def _all_sabotages(databases: Databases, seeds: Iterable[int]) -> int:
    missed = 0
    for name in SABOTAGES:
        with sabotaged(name):
            found = next(
                ((n, r) for n, r in enumerate((_seed(databases, s, ()) for s in seeds), 1) if r.breaches), None
            )
        missed += found is None
        print(
            f"{name}: " + (f"noticed by seed {found[1].seed}: {found[1].breaches[0]}" if found else "NOT noticed"),
            flush=True,
        )
    return missed


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "tests.simulation", *sys.argv[1:]])
    sys.exit(main(sys.argv[1:]))

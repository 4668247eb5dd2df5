"""A round: faults of one kind under load, then silence, then every check. One row of the table."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.drill.checks import CHECKS, Kept, Told, disordered, in_doubt, unbalanced
from bench.drill.faults import Round, Scene
from bench.drill.load import Load
from bench.drill.look import Look
from bench.drill.stack import Stack
from bench.drill.watch import Watch

EMPTY_WITHIN = 600.0
"""Seconds after the load's last yes within which the road has to be empty."""
BEFORE = 3.0
"""Seconds: what was accepted so shortly before a fault may still have been on the road."""
QUIET = 2.5
"""Seconds without a change after which a claimed reply is one that nobody finishes."""
CHANNELS = ("whatsapp", "sms")


@dataclass
class Row:
    """What came of a round."""

    name: str
    what: str
    times: int
    accepted: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """By check, what is wrong and was not before."""
    doubt: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By channel: replies in doubt, and how many of them never left."""
    caught_up: float = 0.0
    empty: float = 0.0
    refused: int = 0
    gap: float = 0.0

    @property
    def sound(self) -> bool:
        return not any(self.wrong.values())


class Drill:
    """Runs rounds on a stack that is up; `sent` tells how often each reply was sent, `say` is told what happens."""

    def __init__(
        self, stack: Stack, load: Load, sent: Callable[[], Mapping[str, int]], seed: int, say: Callable[[str], None]
    ) -> None:
        self._stack, self._load, self._sent, self._say = stack, load, sent, say
        self._chance = random.Random(seed)
        self._look = Look(stack.record, Path(stack.env["SATUPINTU_DATA"]) / "keys.toml", stack.hub)
        self._watch = Watch(self._look)
        self._known: set[str] = set()
        self._clock = stack.folder / "clock"
        self._clock.write_text("+0\n")

    def __enter__(self) -> Drill:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watch.end()

    def run(self, round_: Round, pauses: tuple[float, float]) -> Row:
        """The row; `pauses` are the least and most seconds from a heal to the next fault."""
        row = Row(round_.name, round_.what, round_.times)
        began, accepted, refused = datetime.now(UTC), self._load.accepted, self._load.answers[503]
        if round_.under_faketime:
            self._stack.restart(faketime(self._clock))
        self._watch.fresh()
        self._load.resume()
        self._inflict(round_, pauses)
        row.gap = self._load.gap
        self._say(f"the longest gap in accepting, {row.gap:.1f} s, ended at {self._load.gap_ended}")
        row.empty, emptied = self._silence()
        row.caught_up = self._watch.longest
        row.accepted, row.refused = self._load.accepted - accepted, self._load.answers[503] - refused
        self._check(row, began)
        if not emptied:
            row.wrong["not empty"] = [f"the road was not empty {EMPTY_WITHIN:.0f} s after the load's pause"]
        if round_.under_faketime:
            self._stack.restart({})
        return row

    def _inflict(self, round_: Round, pauses: tuple[float, float]) -> None:
        scene = Scene(self._stack, self._chance, time.sleep, self._clock, self._say)
        faults = [fault for fault, times in round_.faults for _ in range(times)]
        self._chance.shuffle(faults)
        for n, fault in enumerate(faults, 1):
            time.sleep(self._chance.uniform(*pauses))
            began = time.monotonic()
            self._say(f"{round_.name} {n}/{len(faults)}: {fault.__name__}")
            fault(scene)
            self._watch.healed(self._load.since(began - BEFORE))
        self._load.wait_for_yes(EMPTY_WITHIN)
        time.sleep(pauses[1])

    def _silence(self) -> tuple[float, bool]:
        """Pause the load and wait until nothing is on the road; the seconds it took, and whether it is."""
        self._say("the load pauses; waiting for the road to be empty")
        began = time.monotonic()
        self._load.pause(EMPTY_WITHIN)
        seen, since, told = None, began, began
        while time.monotonic() < began + EMPTY_WITHIN:
            now = self._look.still()
            if now != seen:
                seen, since = now, time.monotonic()
            elif now and time.monotonic() > since + QUIET and self._all_there(now) and self._road_is_empty():
                return since - began, True
            if time.monotonic() > told + 5:
                told = time.monotonic()
                self._say(f"still on the road: {now}; {self._stack.behind()}")
            time.sleep(0.3)
        return time.monotonic() - began, False

    def _road_is_empty(self) -> bool:
        return not self._look.books()["all"]["on_the_road"]

    def _all_there(self, now: Sequence[int]) -> bool:
        """Silence at the door, and an outcome for all that it took."""
        outcomes, owed, _, _ = now
        if not self._load.pause(0):
            return False
        told = self._load.told()
        expected = sum(t.yes for t in told.messages.values()) + told.malformed.yes
        return not owed and outcomes >= expected + 2 * sum(t.yes for t in told.statuses.values())

    def _check(self, row: Row, began: datetime) -> None:
        self._say("checking")
        told, kept = self._load.told()._replace(sent=self._sent()), self._look.kept()
        found = {name: list(check(told, kept)) for name, check in CHECKS.items()}
        found["unbalanced"] = list(unbalanced(told, kept, self._look.books()))
        found["disordered"] = list(disordered(self._look.exported(began)))
        found["wrong answers"] = [f"{status}: {n} times" for status, n in self._load.answers.items()
                                  if status not in (0, 200, 503)]  # fmt: skip
        found["ended by itself"] = list(self._stack.surprises)
        row.wrong = {name: [what for what in wrong if f"{name} {what}" not in self._known]
                     for name, wrong in found.items()}  # fmt: skip
        self._known.update(f"{name} {what}" for name, wrong in found.items() for what in wrong)
        row.doubt = self._doubt(told, kept)

    def _doubt(self, told: Told, kept: Kept) -> dict[str, tuple[int, int]]:
        fresh = {id: channel for id, channel in in_doubt(kept).items() if f"doubt {id}" not in self._known}
        self._known.update(f"doubt {id}" for id in fresh)
        counted = {}
        for channel in CHANNELS:
            of = [id for id, its in fresh.items() if its == channel]
            counted[channel] = (len(of), sum(not told.sent.get(id) for id in of))
        return counted


SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds)\n"
"""Under libfaketime 0.9.10 the call behind `time.sleep` fails, whatever the offset: it would end threads of ours."""


def faketime(clock: Path) -> dict[str, str]:
    """The environment in which programs read their clock's offset from that file."""
    mended = clock.parent / "mended"
    mended.mkdir(exist_ok=True)
    (mended / "sitecustomize.py").write_text(SLEEP)
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        raise SystemExit("the clock faults need libfaketime (Debian: apt-get install libfaketime)")
    return {
        "LD_PRELOAD": str(library),
        "PYTHONPATH": str(mended),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }

"""A round: faults of one kind under load, then a pause until the pipeline is empty, then every check. One row of the
table."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.drill.checks import CHECKS, Recorded, Sent, disordered, in_doubt, unbalanced
from bench.drill.faults import Round, Scene
from bench.drill.load import Load
from bench.drill.providers import Providers
from bench.drill.recorded import CHANNELS, Progress, RecordReader
from bench.drill.recovery import Recovery
from bench.drill.stack import Stack

EMPTY_WITHIN = 600.0
"""Seconds after the load's pause within which the pipeline has to be empty."""
BEFORE = 3.0
"""Seconds: what was accepted so shortly before a fault may still have been in flight."""
QUIET = 2.5
"""Seconds without a change after which nothing is expected any more."""


@dataclass
class Row:
    """The result of a round."""

    name: str
    what: str
    times: int
    accepted: int = 0
    wrong: dict[str, list[str]] = field(default_factory=dict)
    """By check: all that is wrong and was not before."""
    doubt: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By channel: replies in doubt, and how many of them no provider took."""
    unexplained: int = 0
    """Of those in doubt, for how many the providers gave no reason: their sender was killed, or lost its lease."""
    caught_up: float = 0.0
    empty: float = 0.0
    refused: int = 0
    gap: float = 0.0

    @property
    def sound(self) -> bool:
        return not any(self.wrong.values())


class Drill:
    """Runs rounds on a stack that is up; `say` logs a line."""

    def __init__(self, stack: Stack, load: Load, providers: Providers, seed: int, say: Callable[[str], None]) -> None:
        self._stack, self._load, self._providers, self._say = stack, load, providers, say
        self._random = random.Random(seed)
        self._reader = RecordReader(stack.record, Path(stack.env["SATUPINTU_DATA"]) / "keys.toml", stack.hub)
        self._recovery = Recovery(self._reader)
        self._known: set[str] = set()
        self._clock = stack.folder / "clock"
        self._clock.write_text("+0\n")

    def __enter__(self) -> Drill:
        self._recovery.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._recovery.end()

    def run(self, round_: Round, pauses: tuple[float, float]) -> Row:
        """The row; `pauses` are the least and most seconds from a heal to the next fault."""
        row = Row(round_.name, round_.what, round_.times)
        began, accepted, refused = datetime.now(UTC), self._load.accepted, self._load.answers[503]
        if round_.under_faketime:
            self._stack.restart(faketime(self._clock))
        self._recovery.restart()
        self._load.resume()
        self._inflict(round_, pauses)
        row.gap = self._load.gap
        self._say(f"the longest gap in accepting, {row.gap:.1f} s, ended at {self._load.gap_ended}")
        row.empty, emptied = self._emptied()
        row.caught_up = self._recovery.longest
        row.accepted, row.refused = self._load.accepted - accepted, self._load.answers[503] - refused
        self._check(row, began)
        if not emptied:
            row.wrong["not empty"] = [f"the pipeline was not empty {EMPTY_WITHIN:.0f} s after the load's pause"]
        if round_.under_faketime:
            self._stack.restart({})
        return row

    def _inflict(self, round_: Round, pauses: tuple[float, float]) -> None:
        scene = Scene(self._stack, self._random, time.sleep, self._clock, self._say)
        faults = [fault for fault, times in round_.faults for _ in range(times)]
        self._random.shuffle(faults)
        for n, fault in enumerate(faults, 1):
            time.sleep(self._random.uniform(*pauses))
            began = time.monotonic()
            self._say(f"{round_.name} {n}/{len(faults)}: {fault.__name__}")
            fault(scene)
            self._recovery.healed(self._load.since(began - BEFORE))
        self._load.wait_for_accepted(EMPTY_WITHIN)
        time.sleep(pauses[1])

    def _emptied(self) -> tuple[float, bool]:
        """Pause the load and wait until nothing is in flight; the seconds it took, and whether nothing is."""
        self._say("the load pauses; waiting for the pipeline to be empty")
        began = time.monotonic()
        self._load.pause(EMPTY_WITHIN)
        seen, since, said = None, began, began
        while time.monotonic() < began + EMPTY_WITHIN:
            now = self._reader.progress()
            if now != seen:
                seen, since = now, time.monotonic()
            elif now and time.monotonic() > since + QUIET and self._all_there(now) and self._is_empty():
                return since - began, True
            if time.monotonic() > said + 5:
                said = time.monotonic()
                self._say(f"still in flight: {now}; {self._stack.behind()}")
            time.sleep(0.3)
        return time.monotonic() - began, False

    def _is_empty(self) -> bool:
        return not self._reader.ledger()["all"]["in_flight"]

    def _all_there(self, now: Progress) -> bool:
        """Nothing is posted any more, nothing owed or claimed, and all that was accepted has an outcome."""
        if not self._load.pause(0) or now.owed:
            return False
        sent = self._load.sent()
        expected = sum(t.accepted for t in sent.messages.values()) + sent.malformed.accepted
        return now.outcomes >= expected + 2 * sum(t.accepted for t in sent.statuses.values())

    def _check(self, row: Row, began: datetime) -> None:
        self._say("checking")
        sent = self._load.sent()._replace(replies=self._providers.times)
        recorded = self._reader.recorded(sent.messages)
        found = {name: list(check(sent, recorded)) for name, check in CHECKS.items()}
        found["unbalanced"] = list(unbalanced(sent, recorded, self._reader.ledger()))
        found["disordered"] = list(disordered(self._reader.exported(began, sent.messages)))
        found["wrong answers"] = [f"{status}: {n} times" for status, n in self._load.answers.items()
                                  if status not in (0, 200, 503)]  # fmt: skip
        found["ended by itself"] = list(self._stack.surprises)
        row.wrong = {name: [what for what in wrong if f"{name} {what}" not in self._known]
                     for name, wrong in found.items()}  # fmt: skip
        self._known.update(f"{name} {what}" for name, wrong in found.items() for what in wrong)
        self._count_doubt(row, sent, recorded)

    def _count_doubt(self, row: Row, sent: Sent, recorded: Recorded) -> None:
        new = {id: channel for id, channel in in_doubt(recorded).items() if f"doubt {id}" not in self._known}
        self._known.update(f"doubt {id}" for id in new)
        row.unexplained = len(new.keys() - self._providers.unclear)
        for channel in CHANNELS:
            own = [id for id, of in new.items() if of == channel]
            row.doubt[channel] = (len(own), sum(not sent.replies.get(id) for id in own))


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

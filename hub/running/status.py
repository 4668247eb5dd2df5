"""Which pumps and loops are at work, in this process and in its workers, and what they have done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bus import Counts


class Doing(msgspec.Struct):
    """A pump or a loop."""

    counts: Counts | None = None
    """None: a loop, which counts nothing."""
    stopped: str | None = None
    """Why; None while it runs."""


class Report(msgspec.Struct):
    """What a process says of itself."""

    doing: dict[str, Doing]
    cpu: float
    """Seconds since the process began."""
    memory: int
    """Bytes resident; 0 where the system does not tell."""


@dataclass
class AtWork:
    """The pumps and loops of this process by name, and the last report of each worker by its number."""

    here: dict[str, Doing] = field(default_factory=dict)
    workers: dict[str, Report] = field(default_factory=dict)

    def stages(self) -> Iterator[tuple[str, str, Doing]]:
        """Name, worker ("" is this process), and what it does."""
        for worker, doing in [("", self.here), *((number, told.doing) for number, told in self.workers.items())]:
            yield from ((name, worker, what) for name, what in doing.items())

    def report(self) -> Report:
        """This process, now."""
        return Report(dict(self.here), time.process_time(), _resident())


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0

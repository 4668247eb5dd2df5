"""Which stages and loops run, in this process and in its workers, and what they have done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bus import StageCounts


class StageStatus(msgspec.Struct):
    """A stage or a loop."""

    counts: StageCounts | None = None
    """None: a loop, which counts nothing."""
    stopped: str | None = None
    """Why; None while it runs."""


class ProcessReport(msgspec.Struct):
    """What a process reports of itself."""

    stages: dict[str, StageStatus]
    cpu: float
    """Seconds since the process began."""
    memory: int
    """Bytes resident; 0 where the system does not tell."""


@dataclass
class ProcessStatus:
    """The stages and loops of this process by name, and the last report of each worker by its number."""

    here: dict[str, StageStatus] = field(default_factory=dict)
    workers: dict[str, ProcessReport] = field(default_factory=dict)

    def stages(self) -> Iterator[tuple[str, str, StageStatus]]:
        """Name, worker ("" is this process), and status."""
        for worker, stages in [("", self.here), *((number, report.stages) for number, report in self.workers.items())]:
            yield from ((name, worker, stage) for name, stage in stages.items())

    def report(self) -> ProcessReport:
        """This process, now."""
        return ProcessReport(dict(self.here), time.process_time(), _resident())


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0

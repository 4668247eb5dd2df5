"""A door of its own, to be killed: `python -m tests.bus.spooler FOLDER LANE FIRST` publishes numbered Raws of seven
citizens of that lane through a spool, over a bus that is unavailable half of the time, and prints each number once it
is accepted."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from bus import Spool, SqliteBus
from bus._drain import DrainSettings
from tests.bus.events import raw
from tests.bus.faulty import Faulty

CITIZENS = 7


async def main(folder: Path, lane: str, first: int) -> None:
    chance = random.Random(first)
    pace = DrainSettings(size=20, timeout=0.2, first_wait=0.01, longest_wait=0.05)
    async with SqliteBus(folder / "far.db") as log:
        remote = Faulty(log, "refuses")
        remote.before = lambda: setattr(remote, "mood", chance.choice(("well", "refuses", "late")))
        async with (
            Spool(remote, folder / "spool.db", 2**30, within=0.05, pace=pace) as spool,
            asyncio.TaskGroup() as tasks,
        ):
            for which in range(CITIZENS):
                tasks.create_task(citizen(spool, which, lane, first))


async def citizen(spool: Spool, which: int, lane: str, first: int) -> None:
    for number in range(first + which, first + 90_000, CITIZENS):
        await spool.publish([raw(number, f"{lane}-{which}")])
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))

"""A door of its own, to be killed: `python -m tests.bus.spooler FOLDER LANE FIRST` publishes numbered Raws of seven
citizens of that lane through a spool, over a bus that is away half of the time, and says each number once it is
accepted."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from bus import Spool, SqliteBus, _drain
from tests.bus.events import raw
from tests.bus.faulty import Faulty

CITIZENS = 7


async def main(folder: Path, lane: str, first: int) -> None:
    chance = random.Random(first)
    _drain.FIRST_WAIT, _drain.LONGEST_WAIT, _drain.PATIENCE, _drain.SIZE = 0.01, 0.05, 0.2, 20
    async with SqliteBus(folder / "far.db") as log:
        far = Faulty(log, "refuses")
        far.before = lambda: setattr(far, "mood", chance.choice(("well", "refuses", "late")))
        async with Spool(far, folder / "spool.db", 2**30, within=0.05) as spool, asyncio.TaskGroup() as tasks:
            for which in range(CITIZENS):
                tasks.create_task(citizen(spool, which, lane, first))


async def citizen(spool: Spool, which: int, lane: str, first: int) -> None:
    for number in range(first + which, first + 90_000, CITIZENS):
        await spool.publish([raw(number, f"{lane}-{which}")])
        print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))

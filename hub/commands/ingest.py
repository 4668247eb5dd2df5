"""`ingest`: a file of NDJSON or CSV, the whole road, until each of its rows has an outcome.

Its stages stand beside those of a running `up` as members of the same groups, and share the work. At most 2,000 rows of
the file are on the road at a time, so that citizens who write meanwhile stand behind a short queue.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path

import click
from uuid_utils import uuid7

from connectors import Channel
from hub.commands import at_hub, data, say
from hub.commands._files import Files
from connectors._rows import Named, at_line, named, opened, raw_of, rows
from hub.commands._waiting import Waiting, first_of
from hub.running.serve import children, working
from hub.settings import WrongCall, nearest
from hub.wiring import Hub
from schemas import Raw

ON_THE_ROAD = 2000
AT_ONCE = 500
PAUSE = 0.05
"""Seconds between two looks: the rows on the road last longer than that, and a look is not free."""
STAGES = ("reader", "matcher", "router", "sink")


@click.command()
@click.argument("file")
@click.option("--account", metavar="NAME", help="The account of kind file. [the first one]")
def ingest(file: str, account: str | None) -> None:
    """A file of NDJSON or CSV, the whole road. Wrong rows are named by line, and are dead. Prints the file's ledger.

    \b
    Example:
      satupintu ingest reports.csv --account file
    """
    with opened(file) as stream:
        found = named(rows(file, stream))
        tally = at_hub(lambda hub: bring(hub, found, channel_of(hub, account), Path(file).parent), begins=True)
    data(tally)


def channel_of(hub: Hub, account: str | None) -> Channel:
    """The account that rows come in by. Raises WrongCall."""
    own = [name for name, channel in hub.accounts.items() if channel.kind == "file"]
    if not own:
        raise WrongCall(f'{hub.settings.channels} has no account of kind file: add [file], kind = "file", owner = "00"')
    if account and account not in own:
        raise WrongCall(f"{account} is no account of kind file{nearest(account, own)}: name one of {', '.join(own)}")
    return hub.accounts[account or own[0]]


async def bring(hub: Hub, found: Iterator[Named], channel: Channel, folder: Path) -> dict[str, int]:
    """Put the rows on the road and wait for what becomes of them: the ledger of just these."""
    files, waiting = Files(hub.blobs, folder), Waiting(hub)
    first = list(islice(found, ON_THE_ROAD))
    hands = 1 if hub.shared and len(first) == ON_THE_ROAD else 0  # a file worth one
    async with working(hub, STAGES) as stages, children(hub.settings, STAGES, hands):
        found = chain(first, found)
        road = asyncio.create_task(_road(hub, found, waiting, lambda rows: _raws(rows, channel, files)))
        await first_of(road, stages)
        await waiting.counted()
    return waiting.ledger()


async def _road(
    hub: Hub, found: Iterator[Named], waiting: Waiting, raws_of: Callable[[Sequence[Named]], list[Raw]]
) -> None:
    progress = Progress()
    while batch := list(islice(found, AT_ONCE)):
        while len(waiting) + len(batch) > ON_THE_ROAD:
            await _look(waiting, progress)
        raws = await hub.running.pools.disk(raws_of, batch)
        await waiting.publish(raws, [row.line for row in batch])
    while waiting:
        await _look(waiting, progress)
    progress.end()


async def _look(waiting: Waiting, progress: Progress) -> None:
    ended = await waiting.look()
    for line, fate in ended:
        if fate.outcome == "dead":
            say(at_line(line, fate.reason or "dead"))
    progress.more(len(ended))
    if len(ended) < AT_ONCE:
        await asyncio.sleep(PAUSE)


def _raws(rows: Sequence[Named], channel: Channel, files: Files) -> list[Raw]:
    at = datetime.now(UTC)
    return [files.laid(raw_of(row, channel, id=str(uuid7()), at=at, body=files.body(row))) for row in rows]


class Progress:
    """How many rows are done, on a terminal only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._done = 0

    def more(self, rows: int) -> None:
        """So many more are done."""
        self._done += rows
        if self._shown and rows:
            pace = self._done / max(time.monotonic() - self._begun, 0.001)
            click.echo(f"\r{self._done:,} rows, {pace:,.0f} a second ", err=True, nl=False)

    def end(self) -> None:
        """The last row is done."""
        if self._shown:
            click.echo(err=True)

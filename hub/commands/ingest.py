"""`ingest`: a file of NDJSON, CSV or XLSX through the whole pipeline, until each of its rows has an outcome.

Its stages join the groups of a running `up` and share the work. At most 2,000 rows of the file are in flight at a time,
so that citizens who write meanwhile wait behind a short queue.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import click
from uuid_utils import uuid7

from connectors import Channel
from connectors._rows import NamedRow, raw_from_row
from hub.accounts import Accounts
from hub.clock import utc_now
from hub.commands import print_json, print_message, with_hub
from hub.commands._row_attachments import RowAttachments
from hub.commands._row_items import file_account
from hub.commands._rows import rows_of
from hub.commands._waiting import AT_ONCE, RowsInFlight, wait_or_stage_error
from hub.running.due import DueWork
from hub.running.serve import run_stages, worker_processes
from hub.running.status import ProcessStatus
from hub.settings import UsageError, did_you_mean, sqlite_path
from normalizer import ID_USED_BEFORE
from schemas import Raw
from sink import ItemOutcome

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from hub.settings import Settings

IN_FLIGHT = 2000
PAUSE = 0.1
"""Seconds between two looks: rows are in flight for longer, and a look has its cost."""
STAGES = ("reader", "matcher", "router", "sink")
KIND = "file"


@click.command()
@click.argument("file")
@click.option("--account", metavar="NAME", help="The account of kind file. [the first one]")
def ingest(file: str, account: str | None) -> None:
    """A file of NDJSON, CSV or XLSX through the whole pipeline. Wrong rows are named by line, are dead and counted; the
    others go on, and the call ends with 0. Prints the file's ledger.

    \b
    Example:
      satupintu ingest reports.csv --account file
    """
    with rows_of(file, file_account(account).settings.columns) as rows:
        try:
            ledger = with_hub(partial(ingest_rows, rows, account, Path(file).parent), first_start=True)
        except KeyboardInterrupt:
            print_message("stopped. Run the same command again: it goes on, and no row is recorded twice.")
            raise
    print_json(ledger)


def account_for(accounts: Accounts, account: str | None, file: Path) -> Channel:
    """The account that rows come in by. Raises UsageError."""
    own = [name for name, channel in accounts.items() if channel.kind == KIND]
    if not own:
        raise UsageError(f'{file} has no account of kind file: add [file], kind = "file", owner = "00"')
    if account and account not in own:
        raise UsageError(
            f"{account} is no account of kind file{did_you_mean(account, own)}: name one of {', '.join(own)}"
        )
    return accounts[account or own[0]]


async def ingest_rows(
    rows: Iterator[NamedRow], account: str | None, folder: Path, settings: Settings, opened: OpenHub
) -> dict[str, int]:
    """Publish the rows and wait for what becomes of them: the ledger of just these."""
    storage, pools = opened.storage, opened.outside.pools
    channel = account_for(opened.current.accounts, account, settings.channels)
    private = (settings.data, settings.keys, settings.channels, *embedded_folders(settings))
    attachments = RowAttachments(storage.blobs, folder, private)
    in_flight = RowsInFlight(opened.transport.bus, storage.record, pools)
    first = list(islice(rows, IN_FLIGHT))
    helpers = 1 if settings.shared and len(first) == IN_FLIGHT else 0  # a file worth one
    status = ProcessStatus()
    async with run_stages(settings, opened, status, STAGES) as stages, worker_processes(settings, STAGES, helpers):
        raws_of = partial(pools.io, partial(_raws, channel=channel, attachments=attachments))
        own = asyncio.create_task(_publish(chain(first, rows), in_flight, raws_of))
        await wait_or_stage_error(own, stages)
        await in_flight.booked()
    await DueWork(storage.record, pools.io, opened.current, utc_now).step()
    return in_flight.ledger()


def embedded_folders(settings: Settings) -> Iterator[Path]:
    """The folders of the embedded databases."""
    for url in (settings.record, settings.bus):
        if url.startswith("sqlite:"):
            yield sqlite_path(url)


async def _publish(rows: Iterator[NamedRow], in_flight: RowsInFlight, raws_of: Callable[..., object]) -> None:
    progress, remarks = Progress(), Remarks()
    try:
        while batch := list(islice(rows, AT_ONCE)):
            while len(in_flight) + len(batch) > IN_FLIGHT:
                await _report_ended(in_flight, progress, remarks)
            raws = await raws_of(batch)  # type: ignore[misc]
            await in_flight.publish(raws, [row.line for row in batch])
        while in_flight:
            await _report_ended(in_flight, progress, remarks)
    finally:
        remarks.say(before=None)
    progress.end()


async def _report_ended(in_flight: RowsInFlight, progress: Progress, remarks: Remarks) -> None:
    ended = await in_flight.ended()
    for line, outcome in ended:
        if remark := _remark(line, outcome):
            remarks.add(line, remark)
    remarks.say(before=in_flight.oldest_line())
    progress.add(len(ended))
    if len(ended) < AT_ONCE:
        await asyncio.sleep(PAUSE)


def _remark(line: int, outcome: ItemOutcome) -> str | None:
    reason = outcome.reason or ""
    if outcome.outcome == "dead":
        return reason if reason.startswith("line ") else f"line {line}: {reason or 'dead'}"
    if outcome.outcome in ("recorded", "added") and ID_USED_BEFORE in reason:
        return f"line {line}: its id came before with other words, or of somebody else: {outcome.outcome} on its own"
    return None


class Remarks:
    """What is said of rows, in the order of their lines: rows end in any order."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, str]] = []

    def add(self, line: int, words: str) -> None:
        """To be said once the lines before it have an outcome."""
        heapq.heappush(self._waiting, (line, words))

    def say(self, *, before: int | None) -> None:
        """Those of lines before this one; None: all."""
        while self._waiting and (before is None or self._waiting[0][0] < before):
            print_message(heapq.heappop(self._waiting)[1])


def _raws(rows: Sequence[NamedRow], *, channel: Channel, attachments: RowAttachments) -> list[Raw]:
    at = utc_now()
    return [raw_from_row(row, channel, id=str(uuid7()), at=at, files=attachments.files_of(row)) for row in rows]


class Progress:
    """How many rows are done, on a terminal only."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._begun = time.monotonic()
        self._done = 0

    def add(self, rows: int) -> None:
        """So many more are done."""
        self._done += rows
        if self._shown and rows:
            rate = self._done / max(time.monotonic() - self._begun, 0.001)
            click.echo(f"\r{self._done:,} rows, {rate:,.0f} a second ", err=True, nl=False)

    def end(self) -> None:
        """The last row is done."""
        if self._shown:
            click.echo(err=True)

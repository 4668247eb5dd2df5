"""`export`: the recorded complaints, one JSON line each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from hub.commands import DateTimeParam, print_json, with_record

if TYPE_CHECKING:
    from sink import Record


@click.command()
@click.option("--since", type=DateTimeParam(), help="Received at or after: a date, or an RFC 3339 time.")
def export(since: datetime | None) -> None:
    """Complaints as NDJSON, the reporter masked.

    \b
    Example:
      satupintu export --since 2025-07-01 > july.ndjson
    """
    from sink import export as complaints

    def write(record: Record) -> None:
        for complaint in complaints(record, since):
            print_json(complaint)

    with_record(write)

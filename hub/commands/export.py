"""`export`: the recorded complaints, one JSON line each."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from hub.commands import DateTimeParam, load_call_settings, print_json, with_record
from hub.commands._stated import named_category, named_place
from hub.settings import read_toml

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

    with_fields = _accounts_with_fields()

    def write(record: Record) -> None:
        for complaint in complaints(record, since, with_fields=with_fields):
            stated = {"place": named_place(complaint["place"]), "category": named_category(complaint["category"])}
            print_json(complaint | stated)

    with_record(write)


def _accounts_with_fields() -> frozenset[str]:
    """The accounts whose messages keep unknown fields that may leave."""
    from connectors import KindsWhere

    path = load_call_settings().channels
    tables = read_toml(path, "the channels file") if path.exists() else {}  # no account is built: no secret is needed
    keeping = KindsWhere(lambda channel: channel.keeps_unknown_fields)
    return frozenset(name for name, table in tables.items() if isinstance(table, dict) and table.get("kind") in keeping)

"""`search_record`: messages and complaints by anything that somebody has in hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from hub.commands import load_call_settings, print_message, with_record
from hub.commands._table import print_rows

if TYPE_CHECKING:
    from sink.find import SearchResult
    from sink.record import Record

SHOWN = ("by", "number", "account", "at", "outcome", "status", "reason", "title")


@click.command()
@click.argument("text")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="At most so many, the newest first. [50]")
def find(text: str, limit: int) -> None:
    """Find a report by its number, a phone, a provider's id or words: a JSON line each; on a terminal a table. Phones
    are asked for, never printed.

    \b
    Example:
      satupintu find 0812-3456-7890
    """
    rows = [row._asdict() for row in with_record(lambda record: _found(record, text, limit))]
    print_rows(rows, SHOWN, limit)
    if not rows:
        print_message("nothing is found by that")
        click.get_current_context().exit(1)


def _found(record: Record, text: str, limit: int) -> list[SearchResult]:
    from hub.commands._accounts import current_accounts
    from normalizer import to_e164
    from sink.find import search_record as search

    own = load_call_settings()
    snapshot = current_accounts(own)
    accounts = [(kind, name) for name, c in snapshot.channels.items() for kind in _kinds_in(c.kind)] if snapshot else []
    phone = to_e164(text)
    return search(record, text, phones=[phone] if phone else [], accounts=accounts, limit=limit)


def _kinds_in(kind: str) -> Iterable[str]:
    """The kinds that ids of an account of that kind begin with: a row of a file names its own."""
    from connectors import kinds

    return kinds() if kind == "file" else (kind,)

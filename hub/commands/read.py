"""`read`: rows to messages; nothing is stored."""

from __future__ import annotations

import click

from hub.commands import print_json
from hub.commands._row_items import messages_of_rows


@click.command()
@click.argument("file", default="-")
def read(file: str) -> None:
    """Rows of NDJSON or CSV to messages: what was written, and what the reader made of it.

    \b
    Example:
      satupintu read rows.ndjson
    """
    for batch in messages_of_rows(file):
        for message in batch:
            print_json(message)

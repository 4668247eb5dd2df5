"""`match`: rows to complaints; nothing is stored, each call starts empty."""

from __future__ import annotations

import click

from hub.commands import print_json
from hub.commands._row_items import matched_rows


@click.command()
@click.argument("file", default="-")
def match(file: str) -> None:
    """Rows to complaints: which message opens one, joins one, was here before, is none.

    \b
    Example:
      satupintu match rows.ndjson
    """
    for batch in matched_rows(file):
        for matched in batch:
            print_json(matched)

"""`file map`: a proposal of what the columns of a table mean, to be looked at and pasted into `channels.toml`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.commands import print_message, printable
from hub.commands._rows import open_file
from hub.settings import UsageError

if TYPE_CHECKING:
    from connectors._rows.proposal import Proposal


@click.group()
def file() -> None:
    """Tables of offices: what their columns mean.

    \b
    Example:
      satupintu file map rekap.xlsx
    """


@file.command("map")
@click.argument("name", metavar="FILE")
def map_(name: str) -> None:
    """Print an account of kind file whose `columns` say what the headings of a CSV or XLSX mean, and beside it each
    column and why. It is a proposal: look at it. Nothing is taken in.

    \b
    Example:
      satupintu file map rekap.xlsx
    """
    from connectors._rows import UnreadableFile
    from connectors._rows.proposal import propose_columns

    try:
        with open_file(name) as stream:
            proposal = propose_columns(name, stream)
    except UnreadableFile as error:
        raise UsageError(printable(str(error))) from None
    click.echo(_account(name, proposal))
    print_message(f"headings in line {proposal.line}, {proposal.rows} rows looked at")
    if not any(column.field == "text" for column in proposal.columns):
        print_message('no column holds the words of reports: add text = "HEADING" to columns')


def _account(name: str, proposal: Proposal) -> str:
    stem = "".join(c if c.isascii() and c.isalnum() else "-" for c in Path(name).stem.lower()).strip("-") or "rekap"
    wanted = ", ".join(f"{one.field} = {_quoted(one.heading)}" for one in proposal.columns if one.field)
    lines = [
        f"[{stem}]",
        'kind = "file"',
        'owner = "00"                # the code of your region',
        f"columns = {{ {wanted} }}",
    ]
    if proposal.day_first:
        lines.append('dates = "day-first"')
    lines += [f"# {printable(one.heading)}: {one.field or '-'} ({one.why})" for one in proposal.columns]
    return "\n".join(lines)


def _quoted(heading: str) -> str:
    """As TOML and JSON both have it."""
    return json.dumps(" ".join(heading.split()), ensure_ascii=False)

"""`quality`: how well words are read, on a folder of labelled complaints."""

from __future__ import annotations

from pathlib import Path

import click

from hub.commands import print_message
from hub.settings import UsageError

PARTS = ("match", "category", "class", "office")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="These tables alone.")
def quality(folder: Path, only: tuple[str, ...]) -> None:
    """Tables of quality on a folder of labelled complaints (files as docs/quality.md names them; one that is missing is
    left out), with 95 % intervals. What is learned is asked about rows that it did not see.

    \b
    Example:
      satupintu quality ./data
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name one with labelled complaints")
    from hub.quality.figures import as_markdown
    from hub.quality.folder import Folder
    from hub.quality.learned import category_lines, class_lines
    from hub.quality.offices import office_lines
    from hub.quality.pairs import pair_lines

    given = Folder(folder)
    tables = {"match": pair_lines, "category": category_lines, "class": class_lines, "office": office_lines}
    found = False
    for name in only or PARTS:
        print_message(f"{name} …")
        lines = list(tables[name](given))
        found |= bool(lines)
        click.echo(f"## {name}\n\n{as_markdown(lines) if lines else 'no rows'}\n")
    if not found:
        raise UsageError(f"{folder} holds none of the files that these tables are made of: docs/quality.md names them")

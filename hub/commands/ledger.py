"""`ledger`: what came in, and what became of it; an alarm when something is lost."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hub.commands import OutOfBalance, print_json, print_message, with_hub
from hub.commands._table import format_table

if TYPE_CHECKING:
    from hub.ledger import Ledger
    from hub.opening import OpenHub
    from hub.settings import Settings


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def ledger(*, as_json: bool) -> None:
    """What came in, and what became of it, by account. Exit 1 when something is lost on two looks.

    \b
    Example:
      satupintu ledger --json
    """
    figures, losers = with_hub(_read)
    if as_json:
        print_json(figures)
    else:
        sys.stdout.write(as_table(figures))
    if losers:
        raise OutOfBalance(
            f"{figures['all']['lost']} lost, of {', '.join(losers)}: keep the data folder as it is, run satupintu "
            "doctor and read the log"
        )


def as_table(ledger: dict[str, Any]) -> str:
    """The ledger as a table for people."""
    from sink.ledger import COLUMNS

    rows = [*sorted(ledger["accounts"].items()), ("all", ledger["all"])]
    return format_table(
        ("account", *COLUMNS), [[name, *(str(row[column]) for column in COLUMNS)] for name, row in rows]
    )


async def _read(settings: Settings, opened: OpenHub) -> tuple[Ledger, list[str]]:
    from hub.intake import spool_path
    from hub.ledger import read_ledger_twice, read_ledger_with_spool

    if settings.bus.startswith("memory:"):
        print_message("a memory:// bus is seen by its own process only: what is in flight there counts as lost here")
    storage, spool = opened.storage, spool_path(settings)
    return await read_ledger_twice(
        lambda: read_ledger_with_spool(
            storage.record, opened.transport.bus, opened.outside.pools, spool, bodies=storage.blobs
        )
    )

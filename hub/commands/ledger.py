"""`ledger`: what came in, and what became of it; an alarm when something is lost."""

from __future__ import annotations

import sys
from typing import Any

import click

from hub.commands import OutOfBalance, at_hub, data, say
from hub.commands._table import table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for scripts.")
def ledger(*, as_json: bool) -> None:
    """What came in, and what became of it, by account. Exit 1 when something is lost on two looks.

    \b
    Example:
      satupintu ledger --json
    """
    from hub.ledger import Ledger, look, two_looks
    from hub.wiring import Hub

    async def work(hub: Hub) -> tuple[Ledger, list[str]]:
        if hub.settings.bus.startswith("memory:"):
            say("a memory:// bus is seen by its own process only: what is on the road there counts as lost here")
        return await two_looks(lambda: look(hub))

    books, losers = at_hub(work)
    if as_json:
        data(books)
    else:
        sys.stdout.write(written(books))
    if losers:
        raise OutOfBalance(
            f"{books['all']['lost']} lost, of {', '.join(losers)}: keep the data folder as it is, run satupintu doctor "
            "and read the log"
        )


def written(books: dict[str, Any]) -> str:
    """The ledger as a table for people."""
    from sink.ledger import COLUMNS

    rows = [*sorted(books["accounts"].items()), ("all", books["all"])]
    return table(("account", *COLUMNS), [[name, *(str(row[column]) for column in COLUMNS)] for name, row in rows])

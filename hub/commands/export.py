"""`export`: the complaints on record, one JSON line each."""

from __future__ import annotations

from datetime import datetime

import click

from hub.commands import Moment, at_hub, data


@click.command()
@click.option("--since", type=Moment(), help="Received at or after: a date, or an RFC 3339 time.")
def export(since: datetime | None) -> None:
    """Complaints as NDJSON, the reporter masked.

    \b
    Example:
      satupintu export --since 2025-07-01 > july.ndjson
    """
    from hub.wiring import Hub
    from sink import export as complaints

    async def work(hub: Hub) -> None:
        def lines() -> None:
            for complaint in complaints(hub.record, since):
                data(complaint)

        await hub.running.pools.disk(lines)

    at_hub(work)

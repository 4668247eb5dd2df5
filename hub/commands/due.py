"""`due`: what is due or overdue, and the clocks of one report."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import click

from hub.commands import RegionParam, print_json, with_record
from hub.commands._table import print_rows
from hub.settings import UsageError

SHOWN = ("number", "clock", "due_day", "office_id", "provisional")
NOTICE = ("seq", "number", "what", "clock", "due_day", "office_id")


@click.command()
@click.argument("number", required=False)
@click.option("--within", type=click.IntRange(0), default=0, metavar="DAYS", help="Due within so many days. [overdue]")
@click.option("--region", type=RegionParam(), metavar="CODE", help="Only of that region and of those in it.")
@click.option("--office", metavar="ID", help="Only of that office.")
@click.option("--notices", type=click.IntRange(0), metavar="SEQ", help="What offices were told after that one.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, help="At most so many. [1000]")
def due(
    number: str | None, *, within: int, region: str | None, office: str | None, notices: int | None, limit: int
) -> None:
    """What is overdue, or due soon: a JSON line each; on a terminal a table. With a number: every clock of that report,
    and the holidays that each due date skips.

    \b
    Example:
      satupintu due --region 32.73 --within 3
      satupintu due 1708000011
      satupintu due --office dinas-perhubungan --notices 0
    """
    from hub.clock import utc_now
    from sink.due_queries import clocks_of_report, due_clocks, notices_after

    if number is not None:
        clocks = with_record(partial(clocks_of_report, number=number))
        if not clocks:
            raise UsageError(f"no report has the number {number}, or it came just now: look for it with satupintu find")
        for clock in clocks:
            print_json(clock)
        return
    if notices is not None:
        told = with_record(partial(notices_after, seq=notices, office=office, limit=limit))
        print_rows([notice._asdict() for notice in told], NOTICE, limit)
        return
    before = utc_now() + timedelta(days=within)
    found = with_record(partial(due_clocks, before=before, region=region, office=office, limit=limit))
    print_rows([clock._asdict() for clock in found], SHOWN, limit)

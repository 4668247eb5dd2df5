"""`rewind`: let consumer groups read again from a time, on every bus, without a foreign tool."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from hub.commands import DateTimeParam, OutOfBalance, print_json, print_message, with_hub
from hub.settings import UsageError, did_you_mean
from hub.stages import TABLE

if TYPE_CHECKING:
    from hub.opening import OpenHub


@click.command()
@click.argument("groups", nargs=-1, metavar="[GROUP...]")
@click.option(
    "--to", "to", type=DateTimeParam(), required=True, help="Published at or after: a date, or an RFC 3339 time."
)
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def rewind(groups: tuple[str, ...], to: datetime, *, apply: bool) -> None:
    """Let groups (none named: those of all stages) read again what was published since then. Stop the processes that
    read for them first: stages bear an event twice, so nothing is recorded or sent twice.

    \b
    Example:
      satupintu rewind sink --to 2025-07-01T08:00:00+07:00 --apply
    """
    for line in with_hub(lambda _, opened: _rewind(opened, groups, to, apply=apply)):
        print_json(line)
    if not apply:
        print_message("nothing was done: add --apply to do it")


async def _rewind(opened: OpenHub, groups: tuple[str, ...], to: datetime, *, apply: bool) -> list[dict[str, object]]:
    from bus import GroupInUse, rewind_group

    bus = opened.transport.bus
    known = {lag.group for lag in await bus.lag()}
    groups = groups or tuple(row.name for row in TABLE if row.name in known)
    if unknown := [group for group in groups if group not in known]:
        raise UsageError(
            f"{unknown[0]} is no group of this bus{did_you_mean(unknown[0], known)}: it has {', '.join(sorted(known))}"
        )
    done: list[dict[str, object]] = []
    for group in groups:
        try:
            behind = {"behind": await rewind_group(bus, group, to)} if apply else {}  # not known before
        except GroupInUse:
            raise OutOfBalance(f"{group} is in use: stop the processes that read for it first") from None
        done.append({"group": group, "to": to, **behind, "applied": apply})
    return done

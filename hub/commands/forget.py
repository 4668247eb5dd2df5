"""`forget`: a consumer group that is no longer used holds back no retention and shows in no lag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.commands import OutOfBalance, print_json, with_hub
from hub.settings import UsageError, did_you_mean
from hub.stages import TABLE

if TYPE_CHECKING:
    from hub.opening import OpenHub


@click.command()
@click.argument("group")
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def forget(group: str, *, apply: bool) -> None:
    """Forget a consumer group of the bus, such as that of a stage of an earlier release. A group of that name would
    start at the oldest event again.

    \b
    Example:
      satupintu forget speakers --apply
    """
    if group in {row.name for row in TABLE}:
        raise UsageError(f"{group} is the group of a stage of this release: it is not forgotten")
    print_json(with_hub(lambda _, opened: _forget(opened, group, apply=apply)))


async def _forget(opened: OpenHub, group: str, *, apply: bool) -> dict[str, object]:
    from bus import GroupInUse, forget_group

    groups: dict[str, int] = {}
    for lag in await opened.transport.bus.lag():
        groups[lag.group] = groups.get(lag.group, 0) + lag.behind
    if group not in groups:
        raise UsageError(
            f"{group} is no group of this bus{did_you_mean(group, groups)}: it has {', '.join(sorted(groups))}"
        )
    if apply:
        try:
            await forget_group(opened.transport.bus, group)
        except GroupInUse:
            raise OutOfBalance(f"{group} is in use: stop the processes that read for it first") from None
    return {"group": group, "behind": groups[group], "applied": apply}

"""`replay`: reads again what came in, with today's reader and settings, and prints what would change, or changes it.

It shows no citizen's words: ids, names of fields, and values only of fields that hold none.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click
import msgspec

from hub.commands import DateTimeParam, OutOfBalance, print_json, print_message, with_hub
from hub.settings import UsageError, did_you_mean

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from hub.rereading import ReadingChange, RereadSpan
    from hub.settings import Settings

WORDLESS = frozenset({"outcome", "kind", "report_class", "category", "office", "needs_investigation", "incident_date"})
"""Fields whose values may be shown."""


@click.command()
@click.option("--since", type=DateTimeParam(), required=True, help="Received at or after: a date, or an RFC 3339 time.")
@click.option("--until", type=DateTimeParam(), help="Received before.")
@click.option("--account", metavar="NAME", help="Only what came in there.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each item that would change.")
@click.option("--apply", is_flag=True, help="Do it: what an officer has touched stays.")
def replay(since: datetime, until: datetime | None, account: str | None, *, as_json: bool, apply: bool) -> None:
    """Read again what came in, and print what would change: how many, which, how. It changes readings, never a number,
    a reply or what was received. An item that was dead and can be read now goes through the pipeline. Exit 1 when a
    file of the archive is damaged.

    \b
    Example:
      satupintu replay --since 2025-07-01 --account sms
    """
    from hub.rereading import RereadSpan

    work = partial(_replay, span=RereadSpan(since, until, account), as_json=as_json, apply=apply)
    items, changed, damages = with_hub(work)
    click.echo(f"{changed} of {items} {'changed' if apply else 'would change'}", err=as_json)
    if damages:
        raise OutOfBalance("not all of the archive could be read again: bring the files named above back, then replay")


async def _replay(
    settings: Settings, opened: OpenHub, *, span: RereadSpan, as_json: bool, apply: bool
) -> tuple[int, int, int]:
    """How many items were read again, how many changed, and how many damages of the archive were met."""
    from hub.clock import utc_now
    from hub.rereading import raws_in, reread
    from normalizer import Reader

    storage, transport, current, outside = opened
    if span.account is not None and span.account not in current.accounts:
        near = did_you_mean(span.account, current.accounts)
        raise UsageError(f"{span.account} is no account of this hub{near}: satupintu channels shows them")
    reader = Reader(current.accounts.readable, current.models.knowledge(), current.models, annotates=False)
    items = changed = 0
    damages: list[str] = []
    async for raws in raws_in(span, storage.archive, transport.bus, on_damage=damages.append):
        work = partial(reread, storage.record, reader, storage.blobs, raws, now=utc_now, apply=apply)
        batch = await outside.pools.io(work)
        if apply and batch.revived:
            await transport.bus.publish(batch.revived)
        items, changed = items + batch.items, changed + len(batch.changes)
        for change in batch.changes:
            print_json(_shown(change)) if as_json else click.echo(_line(change))
    for damage in damages:
        print_message(f"archive: {damage}")
    return items, changed, len(damages)


def _shown(change: ReadingChange) -> dict[str, Any]:
    fields = {name: _values(name, *values) for name, values in change.fields.items()}
    return {
        "raw": change.raw, "item_index": change.item_index, "number": change.number, "changes": fields,
        "applied": change.applied, "reason": change.reason,
    }  # fmt: skip


def _values(field: str, before: Any, after: Any) -> dict[str, Any]:
    if field not in WORDLESS:
        return {}
    return {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after)}


def _line(change: ReadingChange) -> str:
    fields = _shown(change)["changes"]
    how = ", ".join(f"{n} {v['before']} -> {v['after']}" if v else n for n, v in fields.items())
    return f"{change.number or change.raw}: {how}"

"""`replay`: reads again what came in, with today's reader and settings, and prints what would change. It changes
nothing, and shows no citizen's words: ids, names of fields, and values only where they are ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import msgspec

from hub.commands import Moment, at_hub, data
from hub.settings import WrongCall
from schemas import Dead, Event, Message, Raw, Receipt

if TYPE_CHECKING:
    from hub.wiring import Hub

AT_ONCE = 500
OURS = frozenset({"kind", "report_class", "begins", "command", "refusal", "category", "office", "tags", "anonymous",
                  "secret", "owner", "needs_investigation", "incident_date", "refers_to"})  # fmt: skip
"""Fields whose values may be shown."""
NO_MESSAGE = {"dead": "dead", "receipt": "receipt", "empty": "empty"}
_raw = msgspec.json.Decoder(Raw).decode


class Span(NamedTuple):
    """What is read again."""

    since: datetime
    until: datetime | None
    account: str | None

    def holds(self, raw: Raw) -> bool:
        """By the time of receipt."""
        return (
            self.since <= raw.received_at
            and (self.until is None or raw.received_at < self.until)
            and self.account in (None, raw.account)
        )


@click.command()
@click.option("--since", type=Moment(), required=True, help="Received at or after: a date, or an RFC 3339 time.")
@click.option("--until", type=Moment(), help="Received before.")
@click.option("--account", metavar="NAME", help="Only what came in there.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each item that would change.")
@click.option("--apply", is_flag=True, help="Comes with the reader's own release.")
def replay(since: datetime, until: datetime | None, account: str | None, *, as_json: bool, apply: bool) -> None:
    """Read again what came in, and print what would change: how many, which, how.

    \b
    Example:
      satupintu replay --since 2025-07-01 --account sms
    """
    if apply:
        raise WrongCall("--apply comes with the reader's own release: without it, replay prints what would change")

    async def work(hub: Hub) -> tuple[int, int]:
        if account is not None and account not in hub.accounts:
            raise WrongCall(f"{account} is no account in {hub.settings.channels}: satupintu channels shows them")
        items = changed = 0
        async for batch in _raws(hub, Span(since, until, account)):
            read, changes = await hub.running.pools.disk(_compare, hub, batch)
            items, changed = items + read, changed + len(changes)
            for change in changes:
                data(change) if as_json else click.echo(_line(change))
        return items, changed

    items, changed = at_hub(work)
    click.echo(f"{changed} of {items} would change", err=as_json)


async def _raws(hub: Hub, span: Span) -> AsyncIterator[list[Raw]]:
    """What stands on the bus since then."""
    batch: dict[str, Raw] = {}
    async for stored in hub.bus.read(Raw.topic, span.since):
        raw = _raw(stored.value)
        if span.holds(raw):
            batch[raw.id] = raw
        if len(batch) == AT_ONCE:
            yield list(batch.values())
            batch = {}
    if batch:
        yield list(batch.values())


def _compare(hub: Hub, raws: Sequence[Raw]) -> tuple[int, list[dict[str, Any]]]:
    """How many items there are now, and those that would be otherwise."""
    from hub.clock import now
    from hub.reading import with_body
    from normalizer import read
    from sink.outcomes import fates, readings

    ids, number = [raw.id for raw in raws], count()
    brought = (with_body(hub.blobs, raw) for raw in raws)  # one body at a time
    items = read(brought, hub.accounts.get, now=now, new_id=lambda: str(next(number)))
    ends = {(fate.raw, fate.index): fate.outcome for fate in fates(hub.record, ids)}
    kept = readings(hub.record, ids)
    changes = [_change(item, ends, kept) for item in items]
    return len(items), [change for change in changes if change is not None]


def _change(
    item: Event, ends: dict[tuple[str, int], str], kept: dict[tuple[str, int], Message]
) -> dict[str, Any] | None:
    place = (getattr(item, "raw", ""), getattr(item, "index", 0))
    end, before = ends.get(place), kept.get(place)
    if end is None:
        return None  # still on the road: it is read for the first time
    if (was := NO_MESSAGE.get(end, "message")) != (now := _is(item)):
        return _told(place, item, {"outcome": {"was": was, "now": now}})
    if not isinstance(item, Message) or before is None:
        return None
    fields = _otherwise(before, item)
    return _told(place, item, fields) if fields else None


def _is(item: Event) -> str:
    if isinstance(item, Dead):
        return "dead"
    if isinstance(item, Receipt):
        return "empty" if item.state == "empty" else "receipt"
    return "message"


def _otherwise(before: Message, now: Message) -> dict[str, Any]:
    """The fields of the reading that differ; what the record keeps apart because it is personal is not compared."""
    from sink.rows import bare

    was, will = msgspec.to_builtins(before), msgspec.to_builtins(bare(now))
    names = [n for n in sorted({*was, *will} - {"reader"}) if was.get(n) != will.get(n)]
    return {n: {"was": was.get(n), "now": will.get(n)} if n in OURS else {} for n in names}


def _told(place: tuple[str, int], item: Event, fields: dict[str, Any]) -> dict[str, Any]:
    message = item.id if isinstance(item, Message) else None
    return {"raw": place[0], "index": place[1], "message": message, "changes": fields}


def _line(change: dict[str, Any]) -> str:
    how = ", ".join(f"{n} {v['was']} -> {v['now']}" if v else n for n, v in change["changes"].items())
    return f"{change['message'] or change['raw']}: {how}"

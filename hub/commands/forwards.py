"""`forwards`: what is on its way into other systems, and what a person decides about it."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import TYPE_CHECKING

import click

from hub.commands import DateTimeParam, OutOfBalance, print_json, with_hub, with_record
from hub.commands._table import print_rows
from hub.settings import Settings, UsageError

if TYPE_CHECKING:
    from hub.opening import OpenHub

log = logging.getLogger(__name__)
SHOWN = ("id", "account", "number", "state", "step", "attempts", "code", "reason")
STATES = ("waiting", "claimed", "unknown", "failed", "done")


@click.group()
def forwards() -> None:
    """Complaints, and what is said about them, on their way into LAPOR! and other systems.

    \b
    Example:
      satupintu forwards list --state unknown
    """


@forwards.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those. [all but done]")
@click.option("--account", metavar="NAME", help="Only to this account.")
@click.option("--limit", type=click.IntRange(1), default=1000, help="At most so many, the newest first. [1000]")
def list_command(state: str | None, account: str | None, limit: int) -> None:
    """The forwards, a JSON line each; on a terminal a table. Without a citizen's words. `needs_person`: nothing tells
    whether LAPOR! took it; look there for our number, then say `stands` or `again`.

    \b
    Example:
      satupintu forwards list --state failed
    """
    from sink.forward_repair import list_forwards

    states = (state,) if state else STATES[:-1]
    found = with_record(lambda record: list_forwards(record, states, account, limit=limit), account=account)
    rows = [row._asdict() for row in found]
    print_rows(rows, SHOWN, limit)


@forwards.command()
@click.argument("id", metavar="ID")
def show(id: str) -> None:
    """Everything about one: its steps, the words that leave, the other system's own last words. It is logged.

    \b
    Example:
      satupintu forwards show forward/lapor/0b0c…
    """
    from sink.forward_repair import show_forward

    found = with_record(lambda record: show_forward(record, id))
    if found is None:
        raise UsageError(f"there is no forward {id}: see satupintu forwards list")
    log.warning("%s looked at the words of forward %s", os.environ.get("USER") or f"uid {os.getuid()}", id)
    print_json(found)


@forwards.command()
@click.argument("id", metavar="ID")
@click.argument("native", metavar="[N]", default="")
def stands(id: str, native: str) -> None:
    """It stands there as N: the create that was not answered was done. Nothing is sent again. Of an answer or addition
    (followup/…) there is no N: it stands there.

    \b
    Example:
      satupintu forwards stands forward/lapor/0b0c… 7123456
      satupintu forwards stands followup/lapor/0b0c…/01a2….0000
    """

    async def work(settings: Settings, opened: OpenHub) -> bool:
        from hub.clock import utc_now
        from sink.forward_repair import decide_stands

        account = id.split("/")[1] if id.count("/") >= 2 else ""
        to = next((c for c in opened.current.accounts.snapshot.forwarding if c.account == account), None)
        if to is None:
            raise UsageError(f"{id} names no account that leads out: see satupintu forwards list")
        return await opened.outside.pools.io(decide_stands, opened.storage.record, id, native.strip(), to, utc_now())

    if not with_hub(work):
        raise OutOfBalance(
            f"{id} is not in doubt and has not failed, or N is missing (of forward/…) or too much (of followup/…): "
            "see satupintu forwards list"
        )
    print_json({"id": id, "stands": native.strip() or None})


@forwards.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
def again(ids: tuple[str, ...]) -> None:
    """It was not done: do it again, from the step at which it stopped. A complaint that stands there all the same
    stands there twice then.

    \b
    Example:
      satupintu forwards again forward/lapor/0b0c…
    """
    from hub.clock import utc_now
    from sink.forward_repair import decide_again

    done = with_record(lambda record: decide_again(record, ids, utc_now()))
    for id in done:
        print_json({"id": id, "again": True})
    if missing := set(ids) - set(done):
        raise OutOfBalance(f"not in doubt and not failed, so not done again: {', '.join(sorted(missing))}")


@forwards.command()
@click.argument("account", metavar="ACCOUNT")
@click.option("--since", type=DateTimeParam(), required=True, help="Queued at or after: a date, or an RFC 3339 time.")
@click.option("--until", type=DateTimeParam(), help="Queued before. [now]")
def replay(account: str, since: datetime, until: datetime | None) -> None:
    """Send to an office's webhook again what was queued for it in that time, whether it arrived or failed. The events
    have their old ids, and are marked `replayed`.

    \b
    Example:
      satupintu forwards replay dinas-pu --since 2026-11-26
    """
    from hub.clock import utc_now
    from sink.forward_repair import replay_forwards

    now = utc_now()
    done = with_record(lambda record: replay_forwards(record, account, since, until or now, now), account=account)
    print_json({"account": account, "replayed": done.forwards, "more_since": done.more_since})

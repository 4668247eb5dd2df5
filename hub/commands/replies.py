"""`replies`: the answers that wait, failed or may not have arrived, and the wish to send some of them again."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import click

from hub.commands import OutOfBalance, print_json, print_message, with_record
from hub.commands._table import print_rows
from hub.settings import UsageError
from schemas import ReplyState

if TYPE_CHECKING:
    from sink.record import Record

SHOWN = ("id", "account", "number", "template", "state", "created_at", "attempts", "code", "reason")
STATES = click.Choice(get_args(ReplyState))


@click.group()
def replies() -> None:
    """The answers to citizens: what is owed, failed, unknown, and why.

    \b
    Example:
      satupintu replies list --state failed
    """


@replies.command("list")
@click.option("--state", type=STATES, help="Only those. [owed, claimed, failed, unknown]")
@click.option("--account", metavar="NAME", help="Only of this account.")
@click.option("--limit", type=click.IntRange(1), default=1000, help="At most so many, the newest first. [1000]")
def list_command(state: ReplyState | None, account: str | None, limit: int) -> None:
    """The replies, a JSON line each; on a terminal a table. Without a citizen's words or address.

    \b
    Example:
      satupintu replies list --account sms | jq -r .code | sort | uniq -c
    """
    from sink.outbox_queries import list_replies

    found = with_record(lambda record: list_replies(record, state, account, limit=limit), account=account)
    rows = [row._asdict() for row in found]
    print_rows(rows, SHOWN, limit)


@replies.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--state", type=click.Choice(["failed", "unknown"]), help="All in that state.")
@click.option("--account", metavar="NAME", help="With --state: only of this account.")
@click.option("--dry-run", is_flag=True, help="Only print which ones it would be.")
def resend(ids: tuple[str, ...], state: ReplyState | None, account: str | None, *, dry_run: bool) -> None:
    """Owe replies again that failed or may not have arrived. The person may get an `unknown` one twice.

    \b
    Example:
      satupintu replies resend --state failed --account sms
    """
    if bool(ids) == bool(state):
        raise UsageError("name the replies by their ids, or all of a state by --state failed or --state unknown")
    work = partial(_would_resend if dry_run else _resend, ids=ids, state=state, account=account)
    resent = with_record(work, account=account)
    for id in resent:
        print_json({"id": id, "resent": not dry_run})
    if missing := set(ids) - set(resent):
        raise OutOfBalance(f"not failed and not unknown, so not sent again: {', '.join(sorted(missing))}")


@replies.command()
@click.argument("ids", nargs=-1, metavar="ID...", required=True)
@click.option("--dry-run", is_flag=True, help="Only print which ones it would be.")
def dismiss(ids: tuple[str, ...], *, dry_run: bool) -> None:
    """Take failed or unknown replies off the list: the citizen was reached by another way, by telephone for example.
    The report's timeline says so.

    \b
    Example:
      satupintu replies dismiss 0f4c…
    """
    from hub.clock import utc_now
    from sink.outbox_queries import dismiss_replies

    dismissed = with_record(partial(dismiss_replies, ids=ids, now=utc_now(), dry_run=dry_run))
    for id in dismissed:
        print_json({"id": id, "dismissed": not dry_run})
    if missing := set(ids) - set(dismissed):
        raise OutOfBalance(f"not failed and not unknown, so not dismissed: {', '.join(sorted(missing))}")


@replies.command("mark-unknown")
@click.option("--account", metavar="NAME", help="Only of this account.")
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def mark_unknown(account: str | None, *, apply: bool) -> None:
    """Make all owed replies `unknown`: after the restore of an older backup they may have been sent already. Stop the
    stage `accounts` first. Receipts settle some later; `resend` sends those that were not sent.

    \b
    Example:
      satupintu replies mark-unknown --apply
    """
    from sink.outbox_queries import mark_unknown as mark

    for id in with_record(partial(mark, account=account, dry_run=not apply), account=account):
        print_json({"id": id, "applied": apply})
    if not apply:
        print_message("nothing was done: add --apply to do it")


def _resend(record: Record, **which: Any) -> list[str]:
    from hub.clock import utc_now
    from sink.outbox_queries import resend_replies

    return resend_replies(record, now=utc_now(), **which)


def _would_resend(record: Record, *, ids: tuple[str, ...], state: ReplyState | None, account: str | None) -> list[str]:
    from sink.outbox_queries import RESENDABLE, list_replies

    rows = list_replies(record, state, account, limit=1_000_000)
    return [row.id for row in rows if (state or row.id in ids) and row.state in RESENDABLE]

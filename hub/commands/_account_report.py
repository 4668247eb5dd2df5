"""How each account fares, of the record: for `channels` and `doctor`."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import NamedTuple

from hub.accounts import Account, Snapshot
from sink.account_states import AccountState, list_account_states
from sink.aside import AsideRow, accounts_aside
from sink.outbox_queries import count_unsent
from sink.record import Record


class Report(NamedTuple):
    """As `channels --json` prints it."""

    health: str
    """`ok`, or what is wrong and what to do."""
    last_message_at: datetime | None
    """When it last took something in."""
    last_error: str | None
    waiting: int
    """Replies that are owed."""


NOTHING_KNOWN = Report("ok", None, None, 0)


def account_reports(record: Record, snapshot: Snapshot) -> dict[str, Report]:
    """By account. Raises Retry."""
    states, aside = list_account_states(record), accounts_aside(record)
    waiting: Counter[str] = Counter()
    for count in count_unsent(record):
        if count.state in ("owed", "claimed"):
            waiting[count.account] += count.replies
    return {
        name: _report(account, states.get(name), [row for row in aside if row.account == name], waiting[name])
        for name, account in snapshot.accounts.items()
    }


def unclaimed_addresses(record: Record) -> dict[tuple[str, str], datetime]:
    """Kind and address of the provider for which messages came and no account is there, and when. Raises Retry."""
    rows = list_account_states(record)
    found = {name: state.last_in_at for name, state in rows.items() if " " in name}
    return {(name.partition(" ")[0], name.partition(" ")[2]): at for name, at in found.items() if at is not None}


def _report(account: Account, state: AccountState | None, aside: list[AsideRow], waiting: int) -> Report:
    fault = state.fault if state else None
    held = [row for row in aside if row.released_at is None]
    error = f"{fault.code}: {fault.detail}" if fault else None
    if held and error is None:
        error = f"{held[0].code}: {held[0].detail or ''}"
    return Report(_health(account, error if fault else None, held), state.last_in_at if state else None, error, waiting)


def _health(account: Account, fault: str | None, held: list[AsideRow]) -> str:
    if account.state == "closed":
        return "closed: refuses with 503"
    if held:
        stages = ", ".join(row.stage for row in held)
        return f"put aside by {stages}: mend the cause, then satupintu channels release {account.channel.account}"
    if fault:
        return f"cannot work for it ({fault}): what is owed waits"
    if account.state == "silent":
        return "silent: owes no answers"
    if account.channel.missing_setting:
        return f"takes in, cannot answer: set {account.channel.missing_setting}"
    return "ok"

"""What `doctor` says of the way into the national record: does every complaint stand there once?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hub.commands._doctor_pipeline import is_started
from hub.commands._finding import Finding
from hub.settings import Settings, UsageError

if TYPE_CHECKING:
    from sink.forward_law import NationalBalance

LATE = timedelta(hours=26)
"""A complaint that is not there after a day and a night has to be looked into."""


def check_forwards(own: Settings) -> Iterator[Finding]:
    """A line for each account into the national record."""
    from hub.accounts import Accounts
    from hub.edited_files import channels_file
    from hub.editions import Editions
    from hub.opening import open_record
    from hub.running.forwarding_figures import scan_national

    if not is_started(own):
        return
    accounts = Accounts()
    editions = Editions((channels_file(own.channels, accounts, own.zone.key),), publisher=None, now=_now)
    with open_record(own) as record:
        try:
            editions.begin(record)
        except UsageError:
            return  # the check of the accounts says so
        for balance in scan_national(record, accounts, _now):
            yield from _findings(balance)


def _findings(balance: NationalBalance) -> Iterator[Finding]:
    words = f"{balance.account}: {balance.stands:,} stand there, {balance.waiting:,} on their way"
    late = balance.oldest is not None and _now() - balance.oldest > LATE and balance.waiting > 0
    yield Finding("national", words + (", some for more than a day: see satupintu forwards list" if late else ""), late)
    if not balance.balanced:
        words = (
            f"{balance.account}: {balance.missing:,} must stand there and are not under way, {balance.twice:,} twice"
        )
        yield Finding("national", f"{words}: satupintu reconcile --apply", wrong=True)
    if left := balance.in_doubt + balance.failed:
        words = f"{balance.account}: {left:,} wait for a person: satupintu forwards list --state "
        yield Finding("national", words + ("unknown" if balance.in_doubt else "failed"), wrong=True)


def _now() -> datetime:
    return datetime.now(UTC)

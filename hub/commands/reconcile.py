"""`reconcile`: our view against LAPOR!'s and that of the other systems."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from hub.commands import DateTimeParam, OutOfBalance, print_json, print_message, with_hub
from hub.settings import Settings, UsageError

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from hub.running.forwarding_reconcile import Reconciliation

OPEN = frozenset({"missing", "twice_here", "twice_there", "gone"})
"""Differences with which the books are out of balance, as long as nobody repaired them."""


@click.command()
@click.option("--apply", is_flag=True, help="Repair what a clear rule repairs. Without it, only show it.")
@click.option("--account", metavar="NAME", help="Only this account. [all that lead out]")
@click.option("--since", type=DateTimeParam(), help="Complaints received from then on must stand there too.")
def reconcile(account: str | None, since: datetime | None, *, apply: bool) -> None:
    """Our view against LAPOR!'s: a JSON line for each difference, with what repairs it. It runs every night by itself.

    \b
    Example:
      satupintu reconcile
      satupintu reconcile --apply
    """

    async def work(settings: Settings, opened: OpenHub) -> list[Reconciliation]:
        from connectors import ProviderConnections
        from hub.clock import TimeSource
        from hub.running.backend import Backend
        from hub.running.forwarding_reconcile import Reconciler

        chosen = [c for c in opened.current.accounts.snapshot.forwarding if account in (None, c.account)]
        if not chosen:
            raise UsageError(
                "no account leads out: set one of kind lapor in channels.toml (satupintu channels new lapor)"
            )
        backend = Backend(opened.storage.record, opened.outside.pools.io, TimeSource())
        reconciler = Reconciler(backend, opened.current.accounts, lambda name: ProviderConnections(opened.outside.http))
        return [await reconciler.run(channel, apply=apply, since=since) for channel in chosen]

    found = with_hub(work)
    for one in found:
        for difference in one.differences:
            repaired = apply and difference.repair is not None
            print_json(difference._asdict() | {"repaired": repaired})
        words = f"{one.account}: {one.asked} asked about, {len(one.differences)} differences, {one.repaired} repaired"
        print_message(words + (f"; not everything could be asked: {one.fault}" if one.fault else ""))
    _judge(found, apply=apply)


def _judge(found: list[Reconciliation], *, apply: bool) -> None:
    if any(one.fault for one in found):
        raise OutOfBalance("a system could not be asked: see satupintu channels test")
    left = [d for one in found for d in one.differences if d.what in OPEN and not (apply and d.repair)]
    if left:
        raise OutOfBalance(f"{len(left)} differences are open: --apply repairs what has a repair, a person the rest")

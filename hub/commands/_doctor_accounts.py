"""What `doctor` says of the accounts: their table, whether they can answer, whether their provider is reachable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors import Channel, Secret
from hub.accounts import Account, AccountsSnapshot
from hub.commands._doctor_host import TIMEOUT, is_listening
from hub.commands._finding import Finding
from hub.settings import Settings, UsageError
from schemas import Retry

if TYPE_CHECKING:
    from hub.accounts_file import EachAccount
    from hub.commands._account_report import AccountReport

SHORTEST = 12
"""Characters of a secret that proves where a request comes from; the ones that the hub draws have more."""


def check_edition(own: Settings) -> Iterator[Finding]:
    """Is it this machine's channels file that holds?"""
    from hub.commands._accounts import published_elsewhere

    edition = None
    with suppress(UsageError, Retry):  # the check of the accounts says so
        edition = published_elsewhere(own)
    if edition is None:
        return
    words = f"edition {edition.version} holds, published by {edition.by}"
    if own.channels.exists():
        mend = "it is older, and not the same: edit the file there, or save this one again to publish it"
        yield Finding("channels", f"{words}, and not {own.channels}: {mend}", warning=True)
    else:
        yield Finding("channels", f"{words}; there is no {own.channels} here: edit the file there")


def check_accounts(own: Settings) -> Iterator[Finding]:
    """Every account of the channels file."""
    from hub.commands._account_report import account_reports, missing_words, unclaimed_addresses, unstarted_reports
    from hub.commands._accounts import each_account
    from hub.commands._doctor_pipeline import is_started
    from hub.opening import open_record

    each = each_account(own)
    if each is None:
        yield Finding("channels", f"{own.channels} is made by the first start: satupintu up")
        return
    yield from _wrong_tables(own, each)
    snapshot = each.right
    reports, unclaimed = unstarted_reports(snapshot), {}
    if is_started(own):
        with open_record(own) as record:
            reports, unclaimed = account_reports(record, snapshot, own.zone), unclaimed_addresses(record)
    yield from _same_addresses(snapshot)
    for name, account in snapshot.accounts.items():
        report, channel = reports[name], account.channel
        yield from _weak_proofs(account)
        yield from _silence(name, report)
        if report.last_error:
            yield Finding(f"channel {name}", report.health, wrong=True)
        elif missing := missing_words(channel):
            idle = channel.missing_for_intake is not None and account.state != "closed"
            words = f"{account.state}, {missing} in {own.channels}{report.backlog}"
            yield Finding(f"channel {name}", words, wrong=idle or bool(report.backlog))
        else:
            yield from _reachable(account.state, channel)
    for (kind, address), at in unclaimed.items():
        words = (
            f"messages came for {address} at {at.astimezone(own.zone):%d.%m.%Y %H:%M}, which has no account: add one"
        )
        yield Finding(f"channel {kind}", words)


def _wrong_tables(own: Settings, each: EachAccount) -> Iterator[Finding]:
    from hub.accounts_file import no_accounts

    for error in each.wrong.values():
        yield Finding("channels", str(error), wrong=True)
    if not each.right.accounts and not each.wrong:
        yield Finding("channels", no_accounts(own.channels), wrong=True)


def _silence(name: str, report: AccountReport) -> Iterator[Finding]:
    if report.silence:
        yield Finding(f"channel {name}", report.silence, warning=True)
    if report.gap:
        yield Finding(f"channel {name}", report.gap, warning=True)
    if report.token:
        yield Finding(f"channel {name}", report.token, warning=True)


def _weak_proofs(account: Account) -> Iterator[Finding]:
    channel, what = account.channel, f"channel {account.channel.account}"
    for setting in channel.proof_settings:
        value = getattr(channel.settings, setting)
        secrets: tuple[Secret, ...] = value if isinstance(value, tuple) else (value,)
        if account.table.get(setting) == "":
            words = f"{setting} is empty: nothing that comes to its address is taken in; write a secret"
            yield Finding(what, words, wrong=True)
        if any(0 < len(secret.reveal()) < SHORTEST for secret in secrets):
            words = f"{setting} has fewer than {SHORTEST} characters and can be guessed: draw a longer one"
            yield Finding(what, words, warning=True)


def _same_addresses(snapshot: AccountsSnapshot) -> Iterator[Finding]:
    """Accounts whose table was copied: what the provider sends for one of them goes to the other."""
    for name, channel in snapshot.listening.items():
        taken = snapshot.by_address.get((channel.kind, channel.address or ""))
        if taken is not None and taken.account != name and snapshot.accounts[name].state != "closed":
            words = f"has the same address at the provider as {taken.account}, which gets its messages: close one"
            yield Finding(f"channel {name}", words, wrong=True)


def _reachable(state: str, channel: Channel) -> Iterator[Finding]:
    """A provider's port for each address that the account calls; nothing is sent there."""
    what, urls = f"channel {channel.account}", channel.outbound_urls
    if not urls:
        yield Finding(what, f"{state}, takes in; calls nobody outside")
    for url in map(urlsplit, urls):
        port = url.port or (443 if url.scheme == "https" else 80)
        if is_listening(url.hostname or "", port):
            yield Finding(what, f"{state}, {url.hostname}:{port} answers")
        else:
            words = f"{url.hostname}:{port} does not answer in {TIMEOUT:.0f} s: check it, and the firewall"
            yield Finding(what, words, wrong=True)

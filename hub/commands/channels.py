"""`channels`: the accounts of this hub, how they fare, and what to enter at the provider."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from hub.commands import OutOfBalance, load_call_settings, print_json, print_message, require_initialised, with_record
from hub.settings import Settings, UsageError, did_you_mean

if TYPE_CHECKING:
    from connectors import Channel, RenewedSecret
    from hub.accounts import AccountsSnapshot
    from hub.accounts_file import EachAccount
    from hub.commands._account_report import AccountReport
    from sink.record import Record


REPORTED = ("health", "last_message_at", "last_error", "waiting")
"""What `--json` prints beside the account's table."""


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
@click.option("--secrets", is_flag=True, help="Print the secrets too.")
@click.pass_context
def channels(context: click.Context, *, as_json: bool, secrets: bool) -> None:
    """The accounts of this hub: their addresses, how they fare, and what to enter at the provider.

    \b
    Example:
      satupintu channels --secrets
      satupintu channels new whatsapp >> var/channels.toml
    """
    if context.invoked_subcommand is not None:
        return
    own = load_call_settings()
    snapshot, wrong = _each_account(own)
    reports = _reports(own, snapshot)
    described = [account.describe(own.public_url, reveal=secrets) for account in snapshot.accounts.values()]
    for account in described:
        report = reports[account["account"]]
        account.update({name: getattr(report, name) for name in REPORTED})
    if as_json:
        print_json(described)
    elif not described and not wrong:
        from hub.accounts_file import no_accounts

        print_message(no_accounts(own.channels))
    else:
        sys.stdout.write("\n".join(_as_text(account, snapshot) for account in described))
    if wrong:
        raise UsageError("; ".join(map(str, wrong.values())))


@channels.command("new")
@click.argument("kind")
def new(kind: str) -> None:
    """A commented table for an account of that kind, to be added to the channels file.

    \b
    Example:
      satupintu channels new sms
    """
    from hub.commands._known_account import require_kind
    from hub.first_start import commented_table

    require_kind(kind)
    click.echo(commented_table(kind), nl=False)


@channels.command()
@click.argument("name")
def release(name: str) -> None:
    """Go on with an account that a stage has put aside, once its cause is mended: what waits is worked on in order.

    \b
    Example:
      satupintu channels release wa-bandung
    """
    stages = with_record(lambda record: _release(record, name))
    if stages == 0:
        raise OutOfBalance(f"{name} is put aside by no stage: satupintu doctor shows which accounts are")
    print_message(f"{name} goes on in {stages} stage{'' if stages == 1 else 's'}")


@channels.command("test")
@click.argument("name")
@click.option("--send", "send_to", metavar="TO", help="Send a test message to this address as well.")
@click.option("--sample", metavar="FILE", help="NAME is a manifest: what this answer or export of it would become.")
@click.option("--stream", default="", metavar="STREAM", help="Of which stream the sample is. [the first that fits]")
def try_out(name: str, send_to: str | None, sample: str | None, stream: str) -> None:
    """A real connection to the provider of an account: what was found, and what to do. Nothing is stored.

    \b
    Example:
      satupintu channels test sms --send 0812-3456-7890
      satupintu channels test manifest.toml --sample jawaban.json
    """
    if sample is not None:
        from hub.commands._manifest_test import try_manifest

        if unread := try_manifest(name, sample, stream):
            print_message(f"{unread} items cannot be read")
            click.get_current_context().exit(2)
        return
    own = load_call_settings()
    snapshot, wrong_tables = _each_account(own)
    if name in wrong_tables:
        raise wrong_tables[name]
    if name not in snapshot.channels:
        manifest = ": a manifest is tried with --sample FILE" if name.endswith(".toml") else ""
        raise UsageError(f"{name} is no account in {own.channels}{did_you_mean(name, snapshot.channels)}{manifest}")
    wrong = _try(own, snapshot.channels[name], send_to)
    if wrong:
        raise OutOfBalance(f"{wrong} of these need you")


def _try(own: Settings, channel: Channel, send_to: str | None) -> int:
    from connectors import Connects
    from hub.commands._doctor_pipeline import is_started
    from hub.renewed_secret import AccountSecret

    if not isinstance(channel, Connects) or not is_started(own):
        return asyncio.run(_tried(channel, send_to, None))

    def with_its_secret(record: Record) -> int:
        call = partial(_in_thread, record)
        return asyncio.run(_tried(channel, send_to, AccountSecret(call, channel.account)))

    return with_record(with_its_secret)


async def _in_thread(record: Record, call: Callable[..., Any], *args: Any) -> Any:
    return await asyncio.to_thread(call, record, *args)


async def _tried(channel: Channel, send_to: str | None, renewed: RenewedSecret | None) -> int:
    from hub.commands._channel_test import try_channel

    tried = wrong = 0
    async for finding in try_channel(channel, send_to, renewed):
        tried += 1
        wrong += finding.wrong
        click.echo(f"{'WRONG' if finding.wrong else 'ok   '}  {finding.what}: {finding.words}")
    if not tried:
        print_message(
            f"{channel.account}: an account of kind {channel.kind} connects to no provider, so there is nothing to try"
        )
    return wrong


def _each_account(own: Settings) -> EachAccount:
    from hub.accounts_file import EachAccount, load_accounts
    from hub.commands._accounts import each_account

    if not own.channels.exists():
        require_initialised(own)
    return each_account(own) or EachAccount(load_accounts(own.channels), {})


def _reports(own: Settings, snapshot: AccountsSnapshot) -> dict[str, AccountReport]:
    from hub.commands._account_report import account_reports, unstarted_reports

    try:
        require_initialised(own)
    except UsageError:
        return unstarted_reports(snapshot)
    return with_record(lambda record: account_reports(record, snapshot, own.zone))


def _release(record: Record, name: str) -> int:
    from hub.clock import utc_now
    from sink.aside import release_account

    return release_account(record, name, utc_now())


def _as_text(account: dict[str, Any], snapshot: AccountsSnapshot) -> str:
    from connectors import Connects, Forwards, Listens, Polls

    channel = snapshot.channels[account["account"]]
    lines = [
        f"[{account['account']}] {account['kind']}, owner {account['owner']}, {account['state']}: {account['health']}"
    ]
    if isinstance(channel, Listens) or not isinstance(channel, Polls | Connects | Forwards):
        lines.append(f"  address: {account['url']}")
    lines += [f"  {name}: {_shown(value)}" for name, value in account["settings"].items() if value]
    lines += [f"  {name}: {_shown(value)}" for name, value in account["secrets"].items()]
    if account["waiting"]:
        lines.append(f"  replies that wait: {account['waiting']}")
    lines += [f"  {line}" for line in channel.setup_help(account["url"]).splitlines()]
    return "\n".join([*lines, ""])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)

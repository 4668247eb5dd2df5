"""`channels`: the doors of this hub, and what to enter at the provider."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hub.commands import begun, data, settings

if TYPE_CHECKING:
    from hub.accounts import Accounts

KANNEL = "from=%p&to=%P&text=%b&id=%I&ts=%T&charset=%C&coding=%c&udh=%u&smsc=%i"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for scripts.")
@click.option("--secrets", is_flag=True, help="Print the secrets too.")
def channels(*, as_json: bool, secrets: bool) -> None:
    """The doors of this hub, their addresses, and what to enter at the provider.

    \b
    Example:
      satupintu channels --secrets
    """
    accounts, url = _accounts(), settings().url
    doors = [accounts.account(name).describe(url, reveal=secrets) for name in accounts]
    if as_json:
        data(doors)
    else:
        sys.stdout.write("\n".join(_words(door, accounts.account(door["account"]).lacks) for door in doors))


def _accounts() -> Accounts:
    from hub.accounts import Accounts

    told = settings()
    if not told.channels.exists():
        begun(told)
    return Accounts.load(told.channels, zone=told.zone.key)


def _words(door: dict[str, Any], lacks: str) -> str:
    lines = [f"[{door['account']}] {door['kind']}, owner {door['owner']}, {door['state']}", f"  address: {door['url']}"]
    lines += [f"  {name}: {_shown(value)}" for name, value in door["settings"].items() if value]
    lines += [f"  {name}: {_shown(value)}" for name, value in door["secrets"].items()]
    if lacks:
        lines.append(f"  takes in, cannot answer: set {lacks}")
    return "\n".join([*lines, *_to_enter(door), ""])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} = {v}" for k, v in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _to_enter(door: dict[str, Any]) -> list[str]:
    """What the operator copies to the other side."""
    secrets, url = door["secrets"], door["url"]
    if door["kind"] == "sms":
        token = secrets.get("token") or "TOKEN"
        return [
            "  in kannel.conf, group sms-service (TOKEN as --secrets shows it):",
            f'    get-url = "{url}?token={token}&{KANNEL}"',
            "    max-messages = 0",
            "  in group sendsms-user: concatenation = true, max-messages = 255",
        ]
    if door["kind"] == "whatsapp":
        return [
            "  in Meta's dashboard, WhatsApp, Configuration (the verify token as --secrets shows it):",
            f"    callback URL {url}, as it is reached from outside by HTTPS; subscribe to messages",
        ]
    return []

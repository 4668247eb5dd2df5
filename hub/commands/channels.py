"""`channels`: the doors of this hub, and what to enter at the provider."""

from __future__ import annotations

import sys
from typing import Any

import click

from hub.commands import data, settings
from hub.settings import WrongCall

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
    doors = _doors(reveal=secrets)
    if as_json:
        data(doors)
    else:
        sys.stdout.write("\n".join(_words(door) for door in doors))


def _doors(*, reveal: bool) -> list[dict[str, Any]]:
    from hub.accounts import Accounts, write_first

    told = settings()
    if not told.channels.exists():
        try:
            write_first(told.channels)
        except OSError as error:
            raise WrongCall(
                f"{told.channels} cannot be written ({error.strerror}): name another with --channels"
            ) from None
    accounts = Accounts.load(told.channels)
    return [accounts.account(name).describe(told.url, reveal=reveal) for name in accounts]


def _words(door: dict[str, Any]) -> str:
    lines = [f"[{door['account']}] {door['kind']}, owner {door['owner']}, {door['state']}", f"  address: {door['url']}"]
    lines += [f"  {name}: {_shown(value)}" for name, value in door["settings"].items() if value]
    lines += [f"  {name}: {_shown(value)}" for name, value in door["secrets"].items()]
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

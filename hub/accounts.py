"""`channels.toml`: one table an account. An account's name is its identity for ever: paused perhaps, never reused.

    [wa-bandung]
    kind = "whatsapp"
    owner = "32.73"                       # region code or office
    app_secret = "env:WA_APP_SECRET"      # secrets: env:NAME, file:PATH, or the value

The first start writes a commented file with an account of each kind that needs no contract.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors import Channel, Listens, Secret, Settings, Speaks, channel_type, kinds, secret_hook
from hub.settings import WrongCall, nearest, read_toml

OWNER = "nasional"
"""Whose doors those of a first start are."""
MOUTHS = ("send_url", "access_token")
"""Settings without which a channel that has them cannot speak."""
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its channel."""

    name: str
    kind: str
    owner: str
    paused: bool
    channel: Channel

    @property
    def lacks(self) -> str:
        """The setting without which a channel that could speak cannot; empty where it can, or never speaks."""
        own = self.channel.settings
        if not isinstance(self.channel, Speaks):
            return ""
        return next((name for name in MOUTHS if not getattr(own, name, True)), "")

    def describe(self, base: str, *, reveal: bool) -> dict[str, Any]:
        """As `channels --json` prints it. Secrets are shown by name, and by value only when asked for."""
        settings, hidden = {}, {}
        for field in msgspec.structs.fields(self.channel.settings):
            value = getattr(self.channel.settings, field.name)
            name = field.encode_name
            if _holds_secret(field.type):
                hidden[name] = _plain(value) if reveal else None
            else:
                settings[name] = msgspec.to_builtins(value)
        return {
            "account": self.name,
            "kind": self.kind,
            "owner": self.owner,
            "url": f"{base}/in/{self.name}" if isinstance(self.channel, Listens) else f"{base}/",
            "state": "paused" if self.paused else "active",
            "settings": settings,
            "secrets": hidden if reveal else {},
        }


class Accounts(Mapping[str, Channel]):
    """Every account of this hub, by name: its channel."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        self._accounts = accounts

    def __getitem__(self, name: str) -> Channel:
        return self._accounts[name].channel

    def __iter__(self) -> Iterator[str]:
        return iter(self._accounts)

    def __len__(self) -> int:
        return len(self._accounts)

    def account(self, name: str) -> Account:
        """The account with all that is told of it."""
        return self._accounts[name]

    def state(self, name: str) -> str:
        """`active` or `paused`. A paused account still takes in: no wrong door; it only does not speak."""
        return "paused" if self._accounts[name].paused else "active"

    @property
    def paused(self) -> frozenset[str]:
        """Those that do not speak: what they owe waits."""
        return frozenset(name for name, account in self._accounts.items() if account.paused)

    def first(self, kind: str) -> Channel | None:
        """The first active account of a kind, in the order of the file."""
        return next((a.channel for a in self._accounts.values() if a.kind == kind and not a.paused), None)

    @classmethod
    def load(cls, path: Path, *, zone: str | None = None) -> Accounts:
        """The accounts of a file; `zone` is that of an account which names none. Raises WrongCall naming account, key
        and fix."""
        tables = read_toml(path, "the channels file")
        return cls({name: _account(path, name, table, zone) for name, table in tables.items()})


def in_zone(kind: type[Settings], zone: str | None) -> dict[str, Any]:
    """The zone as a setting, for a kind that has one."""
    return {"zone": zone} if zone and "zone" in kind.__struct_fields__ else {}


def _account(path: Path, name: str, table: object, zone: str | None) -> Account:
    where = f"[{name}] in {path}"
    if not isinstance(table, dict):
        raise WrongCall(f"{name} in {path} stands outside a table: write [account] above it")
    if not NAME.fullmatch(name):
        raise WrongCall(f"{where}: an account's name is lower-case letters, digits, dot, dash, underscore")
    own = dict(table)
    kind, owner, paused = own.pop("kind", None), own.pop("owner", None), own.pop("paused", False)
    if kind not in kinds():
        raise WrongCall(f"{where}: kind takes one of {', '.join(kinds())}, not {kind!r}{nearest(str(kind), kinds())}")
    if not isinstance(owner, str) or not owner:
        raise WrongCall(f'{where}: owner is missing: add a region code or office, as owner = "32.73"')
    if not isinstance(paused, bool):
        raise WrongCall(f"{where}: paused takes true or false")
    channel = channel_type(kind)
    own = in_zone(channel.settings_type, zone) | own
    return Account(name, kind, owner, paused, channel(name, owner, _settings(where, channel.settings_type, own)))


def _settings(where: str, kind: type[Settings], own: dict[str, Any]) -> Settings:
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    for key in own:
        if key not in fields:
            raise WrongCall(f"{where}: {key} is no setting{nearest(key, fields)}: it takes {', '.join(fields)}")
    told = {k: _resolve(f"{where}: {k}", v) if _holds_secret(fields[k].type) else v for k, v in own.items()}
    try:
        return msgspec.convert(told, kind, dec_hook=secret_hook)
    except msgspec.ValidationError as error:
        raise WrongCall(f"{where}: {error}") from None


def _resolve(where: str, value: object) -> object:
    """A secret as told: from the environment, from a file, or itself."""
    if isinstance(value, list):
        return [_resolve(where, v) for v in value]
    if not isinstance(value, str):
        raise WrongCall(f"{where} takes env:NAME, file:PATH or the value in quotes")
    source, _, rest = value.partition(":")
    if source == "env":
        if rest not in os.environ:
            raise WrongCall(f"{where}: the environment has no {rest}: set it")
        return os.environ[rest]
    if source == "file":
        try:
            return Path(rest).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongCall(f"{where}: {rest} cannot be read ({error.__class__.__name__})") from None
    return value


def _holds_secret(kind: object) -> bool:
    return kind is Secret or Secret in getattr(kind, "__args__", ())


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


FIRST = """\
# The doors of this hub: one table an account. The account's name is its identity for ever: it may be paused
# (paused = true), never reused. `owner` is the region code (Kemendagri) or the office whose door it is.
# Secrets: "env:NAME" takes them from the environment, "file:PATH" from a file, anything else is the value itself.
# `satupintu channels` shows each door's address and what to enter at the provider; restart the hub after a change.

[web]                       # the form and the reports API
kind = "web"
owner = "nasional"
api_keys = ["{api_key}"]

[sms]                       # Kannel's smsbox: `satupintu channels` prints the get-url for its configuration
kind = "sms"
owner = "nasional"
token = "{token}"
# send_url = "http://127.0.0.1:13013/cgi-bin/sendsms"   # without it nothing can be answered by SMS
# username = "satupintu"
# password = "env:KANNEL_PASSWORD"
# sender = "1708"
# [sms.keywords]            # <REGION KEYWORD> … at the start of a message
# TANGKAB = "36.03"

[whatsapp]                  # Meta Cloud API: enter app_secret from Meta's dashboard, and verify_token there
kind = "whatsapp"
owner = "nasional"
app_secret = "{app_secret}"
verify_token = "{verify_token}"
# phone_number_id = "…"
# access_token = "env:WHATSAPP_TOKEN"                   # without it nothing can be answered, no picture fetched

[file]                      # satupintu ingest FILE
kind = "file"
owner = "nasional"
"""


def write_first(path: Path) -> None:
    """The commented file of a first start, secrets generated, readable to its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = ("api_key", "token", "app_secret", "verify_token")
    text = FIRST.format(**{name: secrets.token_urlsafe(24) for name in names})
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(text)

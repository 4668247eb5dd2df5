"""`channels.toml`: one table an account. An account's name is its identity for ever: closed perhaps, never reused.

    [wa-bandung]
    kind = "whatsapp"
    owner = "32.73"                       # region code or office
    state = "active"                      # or "silent": takes in and does not answer; or "closed": refuses with 503
    app_secret = "env:WA_APP_SECRET"      # secrets: env:NAME, file:PATH, or the value

`Accounts` is what the stages and the ingress hold: a mapping whose snapshot is swapped when a new edition comes.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from connectors import Channel, Connects, Fetches, Listens, Polls, Secret, Settings, Speaks, channel_type, kinds
from connectors import secret_hook as to_secret
from hub.settings import WrongCall, nearest
from schemas import Message
from schemas.regions import is_region, region_names

State = Literal["active", "silent", "closed"]
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_CODE_LIKE = re.compile(r"\d{2}(\.\d+)*|\d+")
"""An owner that looks like a region code."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account with its channel."""

    channel: Channel
    state: State = "active"
    table: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """Its table, secrets resolved: where it is unchanged, a new edition does not disturb the account."""

    def describe(self, base: str, *, reveal: bool) -> dict[str, Any]:
        """The part of `channels --json` that the channels file holds; secrets by value only where `reveal`."""
        settings, secrets = {}, {}
        for setting in msgspec.structs.fields(self.channel.settings):
            value = getattr(self.channel.settings, setting.name)
            if _holds_secret(setting.type):
                secrets[setting.encode_name] = _plain(value)
            else:
                settings[setting.encode_name] = msgspec.to_builtins(value)
        name = self.channel.account
        return {
            "account": name,
            "kind": self.channel.kind,
            "owner": self.channel.owner,
            "url": f"{base}/in/{name}" if isinstance(self.channel, Listens) else f"{base}/",
            "state": self.state,
            "settings": settings,
            "secrets": secrets if reveal else {},
        }


class Snapshot:
    """All accounts of one edition. It never changes; what is asked of it often is worked out once."""

    def __init__(self, accounts: Iterable[Account] = ()) -> None:
        self.accounts = {account.channel.account: account for account in accounts}

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """By name, closed ones included."""
        return {name: account.channel for name, account in self.accounts.items()}

    @cached_property
    def speaking(self) -> frozenset[str]:
        """Accounts that owe answers for what comes in."""
        return frozenset(n for n, a in self.accounts.items() if a.state == "active" and isinstance(a.channel, Speaks))

    @cached_property
    def leased(self) -> frozenset[str]:
        """Accounts that one process at a time works for: it polls, holds the session, sends, fetches."""
        outward = (Speaks, Fetches, Polls, Connects)
        return frozenset(n for n, a in self.accounts.items() if a.state != "closed" and isinstance(a.channel, outward))

    @cached_property
    def listening(self) -> dict[str, Listens]:
        """Accounts with an ingress, closed ones included."""
        return {name: channel for name, channel in self.channels.items() if isinstance(channel, Listens)}

    @cached_property
    def by_address(self) -> dict[tuple[str, str], Listens]:
        """Accounts with an ingress by kind and the provider's address of them; closed ones are left out."""
        found = (c for name, c in self.listening.items() if self.accounts[name].state != "closed")
        return {(c.kind, c.address): c for c in found if c.address is not None}


class Accounts(Mapping[str, Channel]):
    """The accounts of the newest edition that this process has seen, by name. Ask it anew each time."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self.snapshot = snapshot or Snapshot()
        self.changed = frozenset(self.snapshot.accounts)
        """Accounts that the newest edition changed or brought."""

    @classmethod
    def of(cls, *channels: Channel) -> Accounts:
        """Active accounts of these channels."""
        return cls(Snapshot(Account(channel) for channel in channels))

    def swap(self, snapshot: Snapshot) -> None:
        """From now on this edition holds. The channel of an account that did not change stays the same object."""
        old = self.snapshot
        self.snapshot = Snapshot(_unchanged(new, old.accounts.get(n)) for n, new in snapshot.accounts.items())
        self.changed = frozenset(n for n, c in self.snapshot.channels.items() if old.channels.get(n) is not c)

    def __getitem__(self, name: str) -> Channel:
        return self.snapshot.channels[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.snapshot.channels)

    def __len__(self) -> int:
        return len(self.snapshot.channels)

    def account(self, name: str) -> Account:
        """The account with its state."""
        return self.snapshot.accounts[name]

    def state(self, name: str) -> State:
        """`active`, `silent` or `closed`."""
        return self.snapshot.accounts[name].state

    @property
    def speaking(self) -> frozenset[str]:
        """As `Snapshot.speaking`."""
        return self.snapshot.speaking

    @property
    def listening(self) -> Mapping[str, Listens]:
        """As `Snapshot.listening`."""
        return self.snapshot.listening

    @property
    def by_address(self) -> Mapping[tuple[str, str], Listens]:
        """As `Snapshot.by_address`."""
        return self.snapshot.by_address

    def reply_address(self, message: Message) -> str:
        """Where an answer to this message goes, in the form of its channel."""
        channel = self.snapshot.channels.get(message.account)
        return channel.reply_address(message) if isinstance(channel, Speaks) else message.conversation

    def first(self, kind: str) -> Channel | None:
        """The first account of a kind that is not closed, in the order of the file."""
        found = (a.channel for a in self.snapshot.accounts.values() if a.state != "closed")
        return next((channel for channel in found if channel.kind == kind), None)


def _unchanged(new: Account, old: Account | None) -> Account:
    return replace(new, channel=old.channel) if old is not None and old.table == new.table != {} else new


def parse_accounts(text: str, *, source: str, zone: str | None = None) -> Snapshot:
    """The accounts of a channels file. `source` names it in errors, `zone` is that of an account which names none.
    Raises WrongCall naming account, key and fix."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise WrongCall(f"{source} is not valid TOML: {error}") from None
    return Snapshot(_account(source, name, table, zone) for name, table in tables.items())


def load_accounts(path: Path, *, zone: str | None = None) -> Snapshot:
    """As `parse_accounts`, of a file. Raises WrongCall."""
    return parse_accounts(read_text(path), source=str(path), zone=zone)


def read_text(path: Path) -> str:
    """The channels file. Raises WrongCall."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise WrongCall(f"the channels file {path} does not exist: create it, or name another") from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongCall(f"the channels file {path} cannot be read ({error.__class__.__name__}): check it") from None


def in_zone(kind: type[Settings], zone: str | None) -> dict[str, Any]:
    """The zone as a setting, for a kind that has one."""
    return {"zone": zone} if zone and "zone" in kind.__struct_fields__ else {}


def _account(source: str, name: str, table: object, zone: str | None) -> Account:
    where = f"[{name}] in {source}"
    if not isinstance(table, dict):
        raise WrongCall(f"{name} in {source} stands outside a table: write [account] above it")
    if not NAME.fullmatch(name):
        raise WrongCall(f"{where}: an account's name is lower-case letters, digits, dot, dash, underscore")
    own = dict(table)
    identity = {"kind": own.get("kind"), "owner": own.get("owner")}
    kind, owner, state = own.pop("kind", None), own.pop("owner", None), own.pop("state", "active")
    channel = _channel_type(where, kind)
    if not isinstance(owner, str) or not owner:
        raise WrongCall(f'{where}: owner is missing: add a region code or office, as owner = "32.73"')
    if _CODE_LIKE.fullmatch(owner) and not is_region(owner):
        near = nearest(owner, region_names())
        raise WrongCall(f"{where}: owner {owner} is no region{near}: write its Kemendagri code, or an office's id")
    if state not in get_args(State):
        raise WrongCall(f'{where}: state takes "active", "silent" or "closed", not {state!r}')
    filled = _filled(where, channel.settings_type, in_zone(channel.settings_type, zone) | own)
    settings = _settings(where, channel.settings_type, filled)
    try:
        return Account(channel(name, owner, settings), state, identity | filled)
    except ValueError as error:
        raise WrongCall(f"{where}: {error}") from None


def _channel_type(where: str, kind: object) -> type[Channel]:
    try:
        return channel_type(str(kind))
    except ValueError:
        near = nearest(str(kind), kinds())
        raise WrongCall(f"{where}: kind takes one of {', '.join(kinds())}, not {kind!r}{near}") from None


def _filled(where: str, kind: type[Settings], own: dict[str, Any]) -> dict[str, Any]:
    """The settings with their secrets in the place of `env:NAME` and `file:PATH`."""
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    for key in own:
        if key not in fields:
            takes = ", ".join(["kind", "owner", "state", *fields])
            raise WrongCall(f"{where}: {key} is no setting{nearest(key, fields)}: it takes {takes}")
    return {k: _resolve(f"{where}: {k}", v) if _holds_secret(fields[k].type) else v for k, v in own.items()}


def _settings(where: str, kind: type[Settings], filled: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(filled, kind, dec_hook=to_secret)
    except msgspec.ValidationError as error:
        raise WrongCall(f"{where}: {_in_words(str(error))}") from None


def _in_words(fault: str) -> str:
    """msgspec's words, the key first: "Expected `int`, got `str` - at `$.rate`"."""
    words, at, path = fault.partition(" - at `$")
    return f"{path.strip('`').lstrip('.')}: {words}" if at else fault


def _resolve(where: str, value: object) -> object:
    """A secret: from the environment, from a file, or the value itself."""
    if isinstance(value, list):
        return [_resolve(where, v) for v in value]
    if not isinstance(value, str):
        raise WrongCall(f"{where} takes env:NAME, file:PATH or the value in quotes")
    source, _, rest = value.partition(":")
    if source == "env":
        if not os.environ.get(rest):
            raise WrongCall(f"{where}: the environment has no {rest}: set it")
        return os.environ[rest]
    if source == "file":
        return _secret_of_file(where, Path(rest))
    if value.startswith("$"):
        raise WrongCall(f"{where}: {value} is not replaced here: write env:{value.strip('${}')}")
    return value


def _secret_of_file(where: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongCall(
            f"{where}: {path} cannot be read ({error.__class__.__name__}): check its path and rights"
        ) from None
    if not secret:
        raise WrongCall(f"{where}: {path} is empty: write the secret into it")
    return secret


def _holds_secret(kind: object) -> bool:
    return kind is Secret or any(_holds_secret(inner) for inner in get_args(kind))


def _plain(value: object) -> object:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value

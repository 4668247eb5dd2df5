"""`channels.toml`: one table an account. An account's name is its identity for ever: closed perhaps, never reused.

[wa-bandung]
kind = "whatsapp"
owner = "32.73"                       # region code or office
state = "active"                      # or "silent": takes in and does not answer; or "closed": refuses with 503
app_secret = "env:WA_APP_SECRET"      # secrets: env:NAME, file:PATH, or the value
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec

from connectors import Channel, Settings, channel_type, kinds
from connectors import secret_hook as to_secret
from hub.accounts import Account, AccountsSnapshot, State, holds_secret
from hub.settings import UsageError, did_you_mean
from schemas.regions import is_region, region_names

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_CODE_LIKE = re.compile(r"\d{2}(\.\d+)*|\d+")
"""An owner that looks like a region code."""


def parse_accounts(text: str, *, source: str, zone: str | None = None) -> AccountsSnapshot:
    """The accounts of a channels file. `source` names it in errors, `zone` is that of an account which names none.
    Raises UsageError naming account, key and fix."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not valid TOML: {error}") from None
    return AccountsSnapshot(_account(source, name, table, zone) for name, table in tables.items())


def load_accounts(path: Path, *, zone: str | None = None) -> AccountsSnapshot:
    """As `parse_accounts`, of a file. Raises UsageError."""
    return parse_accounts(read_channels_file(path), source=str(path), zone=zone)


def read_channels_file(path: Path) -> str:
    """The channels file. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"the channels file {path} does not exist: create it, or name another") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the channels file {path} cannot be read ({error.__class__.__name__}): check it") from None


def zone_setting(kind: type[Settings], zone: str | None) -> dict[str, Any]:
    """The zone as a setting, for a kind that has one."""
    return {"zone": zone} if zone and "zone" in kind.__struct_fields__ else {}


def _account(source: str, name: str, table: object, zone: str | None) -> Account:
    where = f"[{name}] in {source}"
    if not isinstance(table, dict):
        raise UsageError(f"{name} in {source} stands outside a table: write [account] above it")
    if not NAME.fullmatch(name):
        raise UsageError(f"{where}: an account's name is lower-case letters, digits, dot, dash, underscore")
    own = dict(table)
    identity = {"kind": own.get("kind"), "owner": own.get("owner")}
    kind, owner, state = own.pop("kind", None), own.pop("owner", None), own.pop("state", "active")
    channel = _channel_type(where, kind)
    if not isinstance(owner, str) or not owner:
        raise UsageError(f'{where}: owner is missing: add a region code or office, as owner = "32.73"')
    if _CODE_LIKE.fullmatch(owner) and not is_region(owner):
        near = did_you_mean(owner, region_names())
        raise UsageError(f"{where}: owner {owner} is no region{near}: write its Kemendagri code, or an office's id")
    if state not in get_args(State):
        raise UsageError(f'{where}: state takes "active", "silent" or "closed", not {state!r}')
    filled = _filled(where, channel.settings_type, zone_setting(channel.settings_type, zone) | own)
    settings = _settings(where, channel.settings_type, filled)
    try:
        return Account(channel(name, owner, settings), state, identity | filled)
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def _channel_type(where: str, kind: object) -> type[Channel]:
    try:
        return channel_type(str(kind))
    except ValueError:
        near = did_you_mean(str(kind), kinds())
        raise UsageError(f"{where}: kind takes one of {', '.join(kinds())}, not {kind!r}{near}") from None


def _filled(where: str, kind: type[Settings], own: dict[str, Any]) -> dict[str, Any]:
    """The settings with their secrets in the place of `env:NAME` and `file:PATH`."""
    fields = {f.encode_name: f for f in msgspec.structs.fields(kind)}
    for key in own:
        if key not in fields:
            takes = ", ".join(["kind", "owner", "state", *fields])
            raise UsageError(f"{where}: {key} is no setting{did_you_mean(key, fields)}: it takes {takes}")
    return {k: _resolve(f"{where}: {k}", v) if holds_secret(fields[k].type) else v for k, v in own.items()}


def _settings(where: str, kind: type[Settings], filled: dict[str, Any]) -> Settings:
    try:
        return msgspec.convert(filled, kind, dec_hook=to_secret)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {_in_words(str(error))}") from None


def _in_words(fault: str) -> str:
    """msgspec's words, the key first: "Expected `int`, got `str` - at `$.rate`"."""
    words, at, path = fault.partition(" - at `$")
    return f"{path.strip('`').lstrip('.')}: {words}" if at else fault


def _resolve(where: str, value: object) -> object:
    """A secret: from the environment, from a file, or the value itself."""
    if isinstance(value, list):
        return [_resolve(where, v) for v in value]
    if isinstance(value, dict):
        return {name: _resolve(f"{where}.{name}", v) for name, v in value.items()}
    if not isinstance(value, str):
        raise UsageError(f"{where} takes env:NAME, file:PATH or the value in quotes")
    source, _, rest = value.partition(":")
    if source == "env":
        if not os.environ.get(rest):
            raise UsageError(f"{where}: the environment has no {rest}: set it")
        return os.environ[rest]
    if source == "file":
        return _secret_of_file(where, Path(rest))
    if value.startswith("$"):
        raise UsageError(f"{where}: {value} is not replaced here: write env:{value.strip('${}')}")
    return value


def _secret_of_file(where: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{where}: {path} cannot be read ({error.__class__.__name__}): check its path and rights"
        ) from None
    if not secret:
        raise UsageError(f"{where}: {path} is empty: write the secret into it")
    return secret

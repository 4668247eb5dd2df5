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
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec

from connectors import Channel, Settings, channel_type, choices_of, kinds, takes_one_of, wrong_choice
from connectors import secret_hook as to_secret
from hub.accounts import Account, AccountsSnapshot, State, holds_secret
from hub.settings import UsageError, did_you_mean
from hub.toml_mistakes import explain_toml
from schemas.regions import is_region, region_names

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_CODE_LIKE = re.compile(r"\d{2}(\.\d+)*|\d+")
"""An owner that looks like a region code."""
_KIND_OF_REGION = re.compile(r"^(?:Kota Administrasi|Kabupaten Administrasi|Kota|Kabupaten|Provinsi) ")
_EXPECTED = re.compile(r"Expected `(\w+)(?: \| null)?`, got ")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (\S+)")
_BOUNDS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}
_FIXES = {
    "str": "takes text: write the value in quotes",
    "int": "takes a whole number, without quotes",
    "float": "takes a number, without quotes",
    "bool": "takes true or false, without quotes",
    "array": 'takes a list: write ["…", "…"]',
    "object": 'takes a table: write { name = "…" }',
}
"""What to write, by the type that a setting has."""
_ELSEWHERE = re.compile(r"(env|file)\s*:\s*(.*)", re.IGNORECASE)
_SHELL = re.compile(r"\$\{?(\w+)\}?|%(\w+)%|\{\{\s*(\w+)\s*\}\}")
"""A variable as a shell, Windows or a template names it."""


class EachAccount(NamedTuple):
    """The accounts of a channels file, the right and the wrong ones."""

    right: AccountsSnapshot
    wrong: Mapping[str, UsageError]
    """By name: key and fix."""


def parse_accounts(text: str, *, source: str, zone: str | None = None) -> AccountsSnapshot:
    """The accounts of a channels file. `source` names it in errors, `zone` is that of an account which names none.
    Raises UsageError naming account, key and fix."""
    each = parse_each_account(text, source=source, zone=zone)
    for error in each.wrong.values():
        raise error
    return each.right


def parse_each_account(text: str, *, source: str, zone: str | None = None) -> EachAccount:
    """As `parse_accounts`, also where some are wrong. Raises UsageError where the file is no TOML."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source} is not valid TOML, {explain_toml(text, error)}") from None
    right, wrong = list[Account](), dict[str, UsageError]()
    for name, table in tables.items():
        try:
            right.append(_account(source, name, table, zone))
        except UsageError as error:
            wrong[name] = error
    return EachAccount(AccountsSnapshot(right), wrong)


def files_named(text: str) -> set[Path]:
    """The files that a channels file names: of secrets (`file:PATH`), and those that a kind reads (manifests)."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return set()
    own = [table for table in tables.values() if isinstance(table, dict)]
    return {path for table in own for path in [*_secret_files(table), *_read_files(table)]}


def _secret_files(value: object) -> Iterator[Path]:
    if isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _secret_files(inner)
    elif isinstance(value, str) and (found := _ELSEWHERE.fullmatch(value)) and found[1].lower() == "file":
        yield Path(found[2])


def _read_files(table: Mapping[str, object]) -> Iterator[Path]:
    kind = table.get("kind")
    names = channel_type(str(kind)).settings_type.file_settings if kind in kinds() else ()
    yield from (Path(name) for name in map(table.get, names) if isinstance(name, str))


def load_accounts(path: Path, *, zone: str | None = None) -> AccountsSnapshot:
    """As `parse_accounts`, of a file. Raises UsageError."""
    return parse_accounts(read_channels_file(path), source=str(path), zone=zone)


def read_channels_file(path: Path) -> str:
    """The channels file. Raises UsageError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"the channels file {path} does not exist: create it, or name another") from None
    except UnicodeDecodeError:
        raise UsageError(f"the channels file {path} is not in UTF-8: save it as UTF-8 in the editor") from None
    except OSError as error:
        raise UsageError(f"the channels file {path} cannot be read ({error.__class__.__name__}): check it") from None


def no_accounts(path: Path) -> str:
    """What to say of a channels file without a table."""
    return f"{path} has no account, so nothing is taken in: satupintu channels new web >> {path}"


def zone_setting(kind: type[Settings], zone: str | None) -> dict[str, Any]:
    """The zone as a setting, for a kind that has one."""
    return {"zone": zone} if zone and "zone" in kind.__struct_fields__ else {}


def _account(source: str, name: str, table: object, zone: str | None) -> Account:
    where = f"[{name}] in {source}"
    if not isinstance(table, dict):
        raise UsageError(f"{name} in {source} {_no_table(name, table)}")
    if not NAME.fullmatch(name):
        raise UsageError(f"{where}: an account's name is lower-case letters, digits, dot, dash, underscore")
    own = dict(table)
    identity = {"kind": own.get("kind"), "owner": own.get("owner")}
    kind, owner, state = own.pop("kind", None), own.pop("owner", None), own.pop("state", "active")
    if kind is None and table and all(isinstance(value, dict) for value in table.values()):
        raise UsageError(f"{where}: write [{name}-{next(iter(table))}], without a dot, or quote the whole name")
    channel = _channel_type(where, kind)
    owner = _owner(where, owner)
    if state not in get_args(State):
        raise UsageError(f'{where}: state takes "active", "silent" or "closed", not {state!r}')
    filled = _filled(where, channel.settings_type, zone_setting(channel.settings_type, zone) | own)
    settings = _settings(where, channel.settings_type, filled)
    try:
        return Account(channel(name, owner, settings), state, identity | filled | _texts(table))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def _texts(table: Mapping[str, object]) -> dict[str, object]:
    """What stands in the files that its kind reads: where one changed, the account did."""
    return {str(path): path.read_bytes() for path in _read_files(table) if path.is_file()}


def _no_table(name: str, value: object) -> str:
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return f"stands in two brackets: write [{name}]"
    return "stands outside a table: write [account] above it"


def _owner(where: str, owner: object) -> str:
    if isinstance(owner, int | float):
        raise UsageError(f'{where}: owner is a number: write the region code in quotes, as owner = "32.73"')
    if not isinstance(owner, str) or not owner:
        raise UsageError(f'{where}: owner is missing: add a region code or office, as owner = "32.73"')
    if _CODE_LIKE.fullmatch(owner) and not is_region(owner):
        near = did_you_mean(owner, region_names())
        raise UsageError(f"{where}: owner {owner} is no region{near}: write its Kemendagri code, or an office's id")
    if codes := _codes_by_name().get(owner.casefold()):
        ways = " or ".join(f'owner = "{code}"' for code in codes)
        raise UsageError(f"{where}: owner {owner!r} is a region in words: write its code, {ways}")
    if any(c.isspace() for c in owner):
        raise UsageError(f"{where}: owner {owner!r} is no office's id: ids have no blanks, see satupintu offices list")
    return owner


@cache
def _codes_by_name() -> Mapping[str, Sequence[str]]:
    """Codes of regions by their names in small letters, whole and without what they are (Kota, Kabupaten)."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for code, name in region_names().items():
        for written in {name, *_KIND_OF_REGION.split(name)} - {""}:
            found[written.casefold()].append(code)
    return found


def _channel_type(where: str, kind: object) -> type[Channel]:
    if kind is None:
        raise UsageError(f'{where}: kind is missing: add one, as kind = "sms"; it takes one of {", ".join(kinds())}')
    try:
        return channel_type(str(kind))
    except ValueError:
        raise UsageError(f"{where}: kind {takes_one_of(str(kind), kinds())}") from None


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
        raise UsageError(f"{where}: {_in_words(str(error), kind)}") from None


def _in_words(fault: str, kind: type[Settings]) -> str:
    """msgspec's words, the key first: "Expected `int`, got `str` - at `$.rate`"."""
    words, at, path = fault.partition(" - at `$")
    if not at:
        return fault
    key = path.strip("`").lstrip(".")
    if wrong := wrong_choice(words):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        if choices := choices_of(fields.get(key.partition("[")[0])):
            return f"{key.removesuffix('[...]')}: {takes_one_of(wrong, choices)}"
    if bound := _BOUND.fullmatch(words):
        return f"{key}: takes a number {_BOUNDS[bound[1]]} {bound[2]}"
    expected = _EXPECTED.match(words)
    fix = _FIXES.get(expected[1]) if expected else None
    return f"{key}: {fix or words}"


def _resolve(where: str, value: object) -> object:
    """A secret: from the environment, from a file, or the value itself."""
    if isinstance(value, list):
        return [_resolve(where, v) for v in value]
    if isinstance(value, dict):
        return {name: _resolve(f"{where}.{name}", v) for name, v in value.items()}
    if not isinstance(value, str):
        raise UsageError(f"{where} takes env:NAME, file:PATH or the value in quotes")
    if found := _SHELL.fullmatch(value):
        name = next(filter(None, found.groups()))
        raise UsageError(f"{where}: {value} is not replaced here: write env:{name}")
    found = _ELSEWHERE.fullmatch(value)
    return _from_elsewhere(where, *found.groups()) if found else value


def _from_elsewhere(where: str, source: str, rest: str) -> str:
    if not rest:
        raise UsageError(f"{where}: {source}: names nothing: write env:NAME or file:PATH")
    if source.lower() == "file":
        return _secret_of_file(where, Path(rest))
    if not os.environ.get(rest):
        raise UsageError(f"{where}: the environment has no {rest}: set it and start again, or write file:PATH")
    return os.environ[rest]


def _secret_of_file(where: str, path: Path) -> str:
    try:
        secret = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{where}: {path} cannot be read ({error.__class__.__name__}): check its path and rights"
        ) from None
    if not secret:
        raise UsageError(f"{where}: {path} is empty: write the secret into it")
    return secret

"""Loads a manifest, and checks all of it: each mistake is one line that names the table, the key and the fix."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from connectors._durations import seconds_of
from connectors._portal_expressions import faults_of_expressions
from connectors._portal_manifest import (
    ActionMap,
    Auth,
    Call,
    Find,
    Manifest,
    MessageMap,
    Paging,
    Push,
    StatusCall,
    Stream,
    Strict,
    Tables,
    Tell,
    Watermark,
)
from connectors._settings import choices_of, is_address, require_zone, takes_one_of, wrong_choice
from schemas.regions import is_region

M = TypeVar("M", bound=Strict)
SHIPPED = Path(__file__).parent / "manifests"
_PATH = re.compile(r" - at `\$?(.*)`$")
_REQUIRED = re.compile(r"missing required field `(.*)`")
_ONE_OF = re.compile(r"`\$\.(\w+)\[\.\.\.\]")
"""A table among several that have names of their own."""
_UNKNOWN = re.compile(r"unknown field `(.*)`")
_TABLES: tuple[type[Strict], ...] = (
    Manifest, Auth, Stream, Paging, Watermark, MessageMap, ActionMap, Push, Tell, Find, StatusCall, Call, Tables,
)  # fmt: skip


def load_manifest(name: str) -> Manifest:
    """Of a file, or one of ours by its name. Raises ValueError with a line for each mistake."""
    return parse_manifest(*manifest_text(name, SHIPPED))


def parse_manifest(text: str, source: str) -> Manifest:
    """Raises ValueError with a line for each mistake."""
    return checked(text, source, Manifest, _TABLES, lambda it: [*_faults(it), *faults_of_expressions(it)])


def manifest_path(name: str, shipped: Path) -> Path:
    """Of a file, or of one in `shipped` by its name."""
    return Path(name) if "/" in name or name.endswith(".toml") else shipped / f"{name}.toml"


def manifest_text(name: str, shipped: Path) -> tuple[str, str]:
    """The text, and the name of its file. Raises ValueError where it cannot be read."""
    path = manifest_path(name, shipped)
    try:
        return path.read_text(encoding="utf-8-sig"), path.name
    except (OSError, UnicodeDecodeError) as error:
        ours = ", ".join(sorted(p.stem for p in shipped.glob("*.toml")))
        raise ValueError(
            f"manifest: {name} cannot be read ({type(error).__name__}): name a file, or one of {ours}"
        ) from None


def checked(
    text: str, source: str, of: type[M], tables: Iterable[type[Strict]], faults_of: Callable[[M], Sequence[str]]
) -> M:
    """The manifest in a text. Raises ValueError with a line for each mistake."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source}: not valid TOML: {error}") from None
    try:
        manifest = msgspec.convert(given, of)
    except msgspec.ValidationError as error:
        raise ValueError(_named(source, mistake_in_words(_with_name(str(error), given, of), tables))) from None
    if faults := faults_of(manifest):
        raise ValueError("\n".join(_named(source, fault) for fault in faults))
    return manifest


def _with_name(fault: str, given: Mapping[str, Any], of: type[Strict]) -> str:
    """What msgspec found, with the table's own name (of a stream, a view) in the place of its first `[...]`."""
    kind = found[1] if (found := _ONE_OF.search(fault)) else ""
    named = given.get(kind)
    for name, table in named.items() if isinstance(named, dict) else ():
        try:
            msgspec.convert({**given, kind: {name: table}}, of)
        except msgspec.ValidationError as error:
            return str(error).replace("[...]", f".{name}", 1)
    return fault


def _named(source: str, fault: str) -> str:
    """What stands above all tables is named without one."""
    return f"{source}: {fault.removeprefix('[] ')}"


def manifest_schema(of: type[Strict] = Manifest) -> bytes:
    """The JSON Schema for editors."""
    schema = msgspec.json.schema(of)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Satu Pintu: manifest"} | schema
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def mistake_in_words(fault: str, tables: Iterable[type[Strict]]) -> str:
    """What msgspec found, with the table, the key and the fix. `tables`: those that the manifest may have."""
    at = _PATH.search(fault)
    words = fault[: at.start()] if at else fault
    where = at[1].lstrip(".").replace("[...]", "") if at else ""
    if unknown := _UNKNOWN.search(words):
        near = get_close_matches(unknown[1], sorted(_keys_of(tables)), 1)
        fix = f": did you mean {near[0]}?" if near else ": take it out"
        return f"[{where}] {unknown[1]}: there is no such key{fix}"
    if required := _REQUIRED.search(words):
        return f"[{where}] {required[1]}: is missing: add it"
    table, _, key = where.rpartition(".")
    if (wrong := wrong_choice(words)) and (choices := _choices(where, wrong, tables)):
        return f"[{table}] {key}: {takes_one_of(wrong, *choices)}"
    return f"[{table}] {key}: {words}: write such a value" if key else f"[{where}] {words}: add it"


def _choices(where: str, wrong: str, tables: Iterable[type[Strict]]) -> list[list[str]]:
    """The words that the key takes; of all tables that have such a key where its own goes by another name."""
    *_, table, key = ["", *where.split(".")]
    own = [found for found in tables if found.__name__.lower() == table] or tables
    listed = [choices_of(f.type) for found in own for f in msgspec.structs.fields(found) if f.name == key]
    return [words for words in listed if words and wrong not in words]


def _keys_of(tables: Iterable[type[Strict]]) -> set[str]:
    return {field.name for table in tables for field in msgspec.structs.fields(table)}


def _faults(manifest: Manifest) -> list[str]:
    faults = [] if is_address(manifest.url) else ["[] url: takes an address with a scheme, as https://host/api"]
    faults += zone_faults(manifest.zone)
    faults += duration_faults("[] poll_every", manifest.poll_every)
    faults += region_faults(manifest.tables)
    faults += _auth_faults(manifest.auth)
    for name, stream in manifest.streams.items():
        faults += _stream_faults(f"[streams.{name}", stream)
    if manifest.push and manifest.push.stream not in manifest.streams:
        faults.append(f"[push] stream: there is no [streams.{manifest.push.stream}]: write one of the streams")
    for tell in manifest.tell:
        if "complaint" in tell.what and not tell.id:
            faults.append("[[tell]] id: is missing: say where the answer holds the complaint's id")
    return faults


def zone_faults(zone: str) -> list[str]:
    """A line where there is no such zone."""
    try:
        require_zone(zone)
    except ValueError as wrong:
        return [f"[] zone: {str(wrong).removeprefix('zone ')}"]
    return []


def duration_faults(where: str, written: str) -> list[str]:
    """A line where this is no duration. `where`: its table and key."""
    try:
        seconds_of(written, "x")
    except ValueError:
        return [f"{where}: takes a duration as 3h, 15m or 90s"]
    return []


def region_faults(tables: Tables) -> list[str]:
    """A line for each code of [tables.region] that is none."""
    return [
        f"[tables.region] {word}: {code} is no region: write its Kemendagri code, as 34.04"
        for word, code in tables.region.items()
        if not is_region(code)
    ]


def _auth_faults(auth: Auth) -> list[str]:
    needed = {"key": ("value",), "basic": ("username", "password"), "oauth2": ("path", "username", "password")}
    names = needed.get(auth.type, ("path",) if auth.type == "login" else ())
    faults = [f"[auth] {name}: is missing: {auth.type} needs it" for name in names if not getattr(auth, name)]
    if auth.type == "login" and not (auth.form or auth.json):
        faults.append('[auth] form: is missing: write the fields, as { username = "{username}" }, or json')
    return faults


def _stream_faults(where: str, stream: Stream) -> list[str]:
    faults = []
    if stream.poll and not stream.path:
        faults.append(f"{where}] path: is missing: write where the list is, or poll = false")
    if stream.message is None:
        if not stream.actions:
            faults.append(f"{where}.message] is missing: say what a row is, or add [{where}.actions]]")
        if not all(action.of or action.number for action in stream.actions):
            faults.append(f"[{where}.actions]] of: is missing: say which complaint it is about")
    if stream.watermark:
        faults += duration_faults(f"{where}.watermark] overlap", stream.watermark.overlap)
        faults += duration_faults(f"{where}.watermark] start", stream.watermark.start)
    return faults + _paging_faults(where, stream)


def _paging_faults(where: str, stream: Stream) -> list[str]:
    paging, faults = stream.paging, []
    if paging.type in {"cursor", "link"} and not paging.next:
        faults.append(f"{where}.paging] next: is missing: {paging.type} needs it")
    if paging.type == "keyset" and not (stream.watermark and stream.watermark.parameter):
        faults.append(f"{where}.watermark] parameter: is missing: keyset pages by it")
    if paging.size < 1:
        faults.append(f"{where}.paging] size: takes 1 or more")
    return faults

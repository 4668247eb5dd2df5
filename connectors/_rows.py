"""Rows of NDJSON or CSV, read as a stream: each as one JSON object, the bytes that the door `file` takes.

A row is not judged here: what is no row comes out as it stands, and the reader says why it is none. CSV may begin with
a byte-order mark, and have `,` `;` or tabs between its columns; a line that is no UTF-8 is read as Windows-1252.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import msgspec

from hub.settings import WrongCall
from schemas import Raw

if TYPE_CHECKING:
    from connectors import Channel

BOM = b"\xef\xbb\xbf"
JSONS = (".ndjson", ".jsonl", ".json")
_object = msgspec.json.Encoder().encode


class Row(NamedTuple):
    """A row, and the line of the file on which it begins, from 1."""

    line: int
    body: bytes


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Raises WrongCall."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only its opening is what the caller did wrong
    except OSError as error:
        raise WrongCall(f"{name} cannot be read ({error.strerror}): name a file that can") from None
    with file:
        yield file


def rows(name: str, file: BinaryIO) -> Iterator[Row]:
    """The rows of a file, by its name, else by its first line. Raises WrongCall."""
    first = file.readline().removeprefix(BOM)
    lines = chain([first], file)
    if name.lower().endswith((".csv", ".tsv")) or (not name.lower().endswith(JSONS) and _is_heading(first)):
        return _of_csv(name, first, lines)
    if first.strip() in (b"[", b"[{") or first.startswith(b"[{"):
        raise WrongCall(f"{name} is one JSON array: write one object a line, as jq -c '.[]' {name} does")
    return (Row(number, line.rstrip(b"\r\n")) for number, line in enumerate(lines, 1) if line.strip())


def _of_csv(name: str, first: bytes, lines: Iterable[bytes]) -> Iterator[Row]:
    csv.field_size_limit(16 * 1024 * 1024)
    table = csv.reader((_text(line) for line in lines), delimiter=_between(first))
    head = [heading.strip().lower() for heading in next(table, [])]
    if "text" not in head:
        raise WrongCall(f"{name} has no column `text`: its first line names the columns, as id,text,sender,sent_at")
    return _cells(table, head)


def _is_heading(first: bytes) -> bool:
    return "text" in [cell.strip(' "\r\n').lower() for cell in _text(first).split(_between(first))]


def _between(first: bytes) -> str:
    return chr(max(b",;\t", key=first.count))


def _cells(table: Iterator[list[str]], head: list[str]) -> Iterator[Row]:
    reader, begins = table, 2
    for cells in reader:
        names = chain(head, (f"column {n}" for n in range(len(head) + 1, len(cells) + 1)))
        row = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
        if row:
            yield Row(begins, _object(row))
        begins = reader.line_num + 1  # type: ignore[attr-defined]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")


class Named(NamedTuple):
    """A row with the name it has where it brings no id: the hash of its line, and which of equal ones it is."""

    line: int
    body: bytes
    name: str


def named(found: Iterable[Row]) -> Iterator[Named]:
    """The same file gives the same names. Memory grows by some 70 bytes a row."""
    seen: set[bytes] = set()
    again: dict[bytes, int] = {}
    for line, body in found:
        mark = sha256(body).digest()[:16]
        if mark in seen:
            again[mark] = again.get(mark, 1) + 1
        seen.add(mark)
        yield Named(line, body, f"{mark.hex()}-{again.get(mark, 1)}")


class _Whose(msgspec.Struct):
    """What of a row decides what must stay in order with it."""

    conversation: str | None = None
    id: str | None = None


_whose = msgspec.json.Decoder(_Whose, strict=False).decode


def _conversation(row: Named) -> str | None:
    """Which rows must stay in order; those of other conversations need not wait for them."""
    try:
        said = _whose(row.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return said.conversation or said.id or row.name


def at_line(line: int, reason: str) -> str:
    """Why a row is none, with its line; what is no object at all does not know its own."""
    return reason if reason.startswith("line ") else f"line {line}: {reason}"


def raw_of(row: Named, channel: Channel, *, id: str, at: datetime, body: bytes | None = None) -> Raw:
    """The row as the door `file` takes it. `body` replaces the row's own."""
    return Raw(
        id=id,
        account=channel.account,
        channel=channel.kind,
        owner=channel.owner,
        received_at=at,
        conversation=_conversation(row),
        headers={"row-id": row.name, "row-line": str(row.line)},
        body=row.body if body is None else body,
    )

"""Rows of NDJSON or CSV, read as a stream: each as one JSON object, the bytes that the channel `file` takes.

A row is not judged here: a line that is no row comes out as it stands, and the reader says why it is none. CSV may
begin with a byte-order mark, and have `,` `;` or tabs between its columns; a line that is no UTF-8 is read as
Windows-1252.
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

from connectors._request import Request, group_parts
from schemas import Body, Raw

if TYPE_CHECKING:
    from connectors._port import Channel

BOM = b"\xef\xbb\xbf"
JSON_NAMES = (".ndjson", ".jsonl", ".json")
CSV_NAMES = (".csv", ".tsv")
LONGEST_CELL = 16 * 1024 * 1024
"""Bytes."""
_encode = msgspec.json.Encoder().encode

ROW_FIELDS = {
    "text": "the words of the report: every row has them",
    "id": "text",
    "channel": "a kind of channel in lower case, as telegram",
    "sender": "a phone, an e-mail address or a handle",
    "name": "text",
    "sent_at": "a time as 2025-08-17T09:30:00+07:00",
    "conversation": "text",
    "address": "text",
    "region": "a region code, as 32.73",
    "latitude": "degrees from -90 to 90, as -6.914744",
    "longitude": "degrees from -180 to 180, as 107.60981",
    "title": "text",
    "category": "an id in LAPOR!'s tree",
    "office": "an office's id",
    "attachments": "a list of paths",
    "anonymous": "true or false",
    "secret": "true or false",
    "external_ids": 'an object, as {"sp4n": "1234567"}',
    "tags": "a list of words",
}
"""The fields of a row, and what each takes. Other fields are kept under `extra`."""
PLACE_FIELDS = {"latitude": "lat", "longitude": "lon", "region": "code"}
"""Those that are parts of a `Place`."""


class UnreadableFile(ValueError):  # noqa: N818 - it says what is wrong
    """The file cannot be read as rows; one line says what to do."""


class Row(NamedTuple):
    """A row, and the line of the file on which it begins, from 1."""

    line: int
    body: bytes


class NamedRow(NamedTuple):
    """A row with the native id it has where it brings none: the hash of its line, and which of equal ones it is."""

    line: int
    body: bytes
    name: str


@contextmanager
def open_rows(name: str) -> Iterator[BinaryIO]:
    """The file, or standard input for `-`. Raises UnreadableFile."""
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - closed below; only its opening is the caller's fault
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file has such a name"
        raise UnreadableFile(f"{name} cannot be read ({reason}): name a file that can") from None
    with file:
        yield file


def read_rows(name: str, file: BinaryIO) -> Iterator[Row]:
    """The rows of a file, by its name, else by its first line. Raises UnreadableFile."""
    first = file.readline().removeprefix(BOM)
    lines = chain([first], file)
    if name.lower().endswith(CSV_NAMES) or (not name.lower().endswith(JSON_NAMES) and _is_heading(first)):
        return _csv_rows(name, first, lines)
    if first.strip() in (b"[", b"[{") or first.startswith(b"[{"):
        raise UnreadableFile(f"{name} is one JSON array: write one object a line, as jq -c '.[]' {name} does")
    return (Row(number, line.rstrip(b"\r\n")) for number, line in enumerate(lines, 1) if line.strip())


def name_rows(rows: Iterable[Row]) -> Iterator[NamedRow]:
    """The same file gives the same names. Memory grows by some 70 bytes a row."""
    seen: set[bytes] = set()
    repeated: dict[bytes, int] = {}
    for line, body in rows:
        digest = sha256(body).digest()[:16]
        if digest in seen:
            repeated[digest] = repeated.get(digest, 1) + 1
        seen.add(digest)
        yield NamedRow(line, body, f"{digest.hex()}-{repeated.get(digest, 1)}")


def raw_of(row: NamedRow, channel: Channel, *, id: str, at: datetime, body: bytes | None = None) -> Raw:
    """The row as the channel `file` takes it. `body` replaces the row's own."""
    headers = {"row-id": row.name, "row-line": str(row.line)}
    group, *_ = group_parts(channel, Request(headers=headers, body=row.body))
    return Raw(
        id=id,
        account=channel.account,
        channel=channel.kind,
        owner=channel.owner,
        received_at=at,
        conversation=group.conversation,
        headers=headers,
        body=Body(row.body if body is None else body),
    )


def _csv_rows(name: str, first: bytes, lines: Iterable[bytes]) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    table = csv.reader((_text(line) for line in lines), delimiter=_delimiter(first))
    head = [heading.strip().lower() for heading in next(table, [])]
    if "text" not in head:
        raise UnreadableFile(
            f"{name} has no column `text`: its first line names the columns, as id,text,sender,sent_at"
        )
    return _cells(table, head)


def _is_heading(first: bytes) -> bool:
    return "text" in [cell.strip(' "\r\n').lower() for cell in _text(first).split(_delimiter(first))]


def _delimiter(first: bytes) -> str:
    return chr(max(b",;\t", key=first.count))


def _cells(table: Iterator[list[str]], head: list[str]) -> Iterator[Row]:
    reader, line = table, 2
    for cells in reader:
        names = chain(head, (f"column {n}" for n in range(len(head) + 1, len(cells) + 1)))
        row = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
        if row:
            yield Row(line, _encode(row))
        line = reader.line_num + 1  # type: ignore[attr-defined]


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("cp1252", "replace")

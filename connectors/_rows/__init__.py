"""Files of rows, NDJSON, CSV or XLSX, read as a stream: each row as one JSON object, which the channel `file` takes.

A row is not judged here: a line that is no row comes out as it stands, and the reader says why it is none. A file of
another kind is named as what it is, before anything is taken. The encoding is found by its mark or its NULs; a line
that is no UTF-8 is read as Windows-1252.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from connectors._request import Request, group_parts
from connectors._rows.faults import FAULTS
from connectors._rows.fields import PLACE_FIELDS, ROW_FIELDS, Fields, decode_row, parse_json, parse_list, wrong_field
from connectors._rows.kinds import require_rows, workbook_in
from connectors._rows.lines import Line, UnreadableFile, decode_head, read_chunks, read_head, read_titles, split_lines
from connectors._rows.table import Row, has_columns, table_rows
from connectors._rows.times import AmbiguousTime, Dates, read_time
from connectors._rows.totals import is_total
from schemas import Body, Raw

if TYPE_CHECKING:
    from connectors._port import Channel

__all__ = [
    "FAULTS",
    "PLACE_FIELDS",
    "ROW_FIELDS",
    "AmbiguousTime",
    "Dates",
    "Fields",
    "NamedRow",
    "Row",
    "UnreadableFile",
    "decode_row",
    "is_total",
    "name_rows",
    "open_rows",
    "parse_json",
    "parse_list",
    "raw_from_row",
    "read_rows",
    "read_time",
    "row_headers",
    "row_place",
    "wrong_field",
]  # fmt: skip

NO_COLUMNS: Mapping[str, str] = {}
CSV_NAMES = (".csv", ".tsv")


class NamedRow(NamedTuple):
    """A row with the native id it has where it brings none: the hash of its line, and which of equal ones it is."""

    line: int
    body: bytes
    name: str
    fault: str = ""
    note: str = ""
    sheet: str = ""


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


def read_rows(name: str, file: BinaryIO, columns: Mapping[str, str] = NO_COLUMNS) -> Iterator[Row]:
    """The rows of a file: those of a workbook, CSV where its first line or one below its titles names the columns, else
    NDJSON. `columns`: field to heading, for tables that have no column `text`. Raises UnreadableFile."""
    chunks = read_chunks(name, file)
    head = read_head(chunks)
    if found := workbook_in(name, head, chunks, file):
        from connectors._rows.workbook import workbook_rows

        return workbook_rows(name, found, columns)
    text = decode_head(head)
    is_json = text.lstrip().startswith(("{", "["))
    if not is_json and not has_columns((line.text for line in islice(split_lines(head, ()), 1)), columns):
        head = read_titles(head, chunks)
    first = (line.text for line in split_lines(head, ()))
    named_csv = not is_json and (name.lower().endswith(CSV_NAMES) or text.lower().startswith("sep="))
    is_table = named_csv or has_columns(islice(first, 1) if is_json else first, columns)
    require_rows(name, head, has_headings=is_table)
    lines = split_lines(head, chunks)
    return table_rows(name, lines, columns) if is_table and head else _json_rows(lines)


def name_rows(rows: Iterable[Row]) -> Iterator[NamedRow]:
    """The same file gives the same names. Memory grows by some 70 bytes a row."""
    seen: set[bytes] = set()
    repeated: dict[bytes, int] = {}
    for line, body, fault, note, sheet in rows:
        digest = sha256(body).digest()[:16]
        if digest in seen:
            repeated[digest] = repeated.get(digest, 1) + 1
        seen.add(digest)
        yield NamedRow(line, body, f"{digest.hex()}-{repeated.get(digest, 1)}", fault, note, sheet)


def row_place(row: NamedRow) -> str:
    """Its line, for people: `12`, or `12 of sheet Mei`."""
    return f"{row.line} of sheet {row.sheet}" if row.sheet else str(row.line)


def row_headers(row: NamedRow) -> dict[str, str]:
    """What the channel `file` knows of a row beside its body."""
    headers = {"row-id": row.name, "row-line": row_place(row)}
    return headers | ({"row-fault": row.fault} if row.fault else {})


def raw_from_row(row: NamedRow, channel: Channel, *, id: str, at: datetime, files: str = "") -> Raw:
    """The row as the channel `file` takes it. `files`: its attachments as they lie with the blobs, as JSON."""
    headers = row_headers(row) | ({"row-files": files} if files else {})
    group, *_ = group_parts(channel, Request(headers=headers, body=row.body))
    return Raw(
        id=id,
        account=channel.account,
        channel=channel.kind,
        owner=channel.owner,
        received_at=at,
        conversation=group.conversation,
        headers=headers,
        body=Body(row.body),
    )


def _json_rows(lines: Iterable[Line]) -> Iterator[Row]:
    for number, text, too_long in lines:
        if text.strip():
            yield Row(number, text.encode("utf-8", "replace"), "too_long" if too_long else "")

"""A proposal of what the columns of an unknown table mean: by their headings, then by what stands in their cells."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple
from zoneinfo import ZoneInfo

from connectors._rows.fields import ROW_FIELDS
from connectors._rows.headings import FURTHEST, heading
from connectors._rows.kinds import require_rows, workbook_in
from connectors._rows.lines import UnreadableFile, decode_head, read_chunks, read_head, read_titles
from connectors._rows.recaps import HEADINGS, field_of, heading_key
from connectors._rows.table import DELIMITERS
from connectors._rows.times import AmbiguousTime, read_time

SAMPLE = 300
"""Rows that are looked at."""
ALIKE = 88
"""Of 100: two headings that mean the same."""
_PHONE = re.compile(r"[+(]?(?:62|0|8)[\d\s().-]{7,18}", re.ASCII)
_ANY_ZONE = ZoneInfo("Asia/Jakarta")


class ProposedColumn(NamedTuple):
    """A column, and the field that it may be."""

    heading: str
    field: str | None
    why: str
    """For people."""


class Proposal(NamedTuple):
    """What a table seems to hold."""

    line: int
    """Of its headings, from 1."""
    rows: int
    """How many were looked at."""
    columns: Sequence[ProposedColumn]
    day_first: bool
    """Some of its dates have a day above 12 in front, and a month behind it."""


def propose_columns(name: str, file: BinaryIO) -> Proposal:
    """Raises UnreadableFile where it is no table."""
    records = _records(name, file)
    at = _headings_at(records)
    if at is None:
        raise UnreadableFile(f"{name} is no table: its columns need a line with their names")
    headings, rows = records[at], records[at + 1 :]
    cells = [[row[n] for row in rows if n < len(row) and row[n]] for n in range(len(headings))]
    fields = _fields([heading(one) for one in headings], cells)
    columns = [ProposedColumn(one, *fields.get(n, (None, "kept under extra"))) for n, one in enumerate(headings) if one]
    dated = [value for n, (field, _) in fields.items() if field == "sent_at" for value in cells[n]]
    return Proposal(at + 1, len(rows), columns, any(map(_is_day_first, dated)))


def _records(name: str, file: BinaryIO) -> list[list[str]]:
    chunks = read_chunks(name, file)
    head = read_head(chunks)
    if found := workbook_in(name, head, chunks, file):
        from connectors._rows.workbook import sample_of

        return sample_of(name, found, SAMPLE)
    head = read_titles(head, chunks)
    text = decode_head(head)
    require_rows(name, head, has_headings=not text.lstrip().startswith(("{", "[")))
    if text.lower().startswith("sep="):
        text = text.partition("\n")[2]
    outside = re.sub(r'"[^"]*"', "", text)
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(DELIMITERS, key=outside.count))
    try:
        return [[cell.strip() for cell in row] for row in islice(reader, SAMPLE)]
    except csv.Error:
        raise UnreadableFile(f"{name} is no table: a quote of it is never closed") from None


def _headings_at(records: Sequence[Sequence[str]]) -> int | None:
    """The first row that has nearly as many words as the widest."""
    widths = [sum(map(bool, row)) for row in records[:FURTHEST]]
    most = max(widths, default=0)
    return next((n for n, width in enumerate(widths) if width >= 0.75 * most), None) if most > 1 else None


def _fields(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> dict[int, tuple[str, str]]:
    """Column to field, and why."""
    found = {n: (one, "our own name") for n, one in enumerate(headings) if one in ROW_FIELDS}
    taken = _known(found)
    found |= {n: (field, "by its heading") for n, field in field_of(headings, taken=taken).items() if n not in found}
    for n, field in _alike(headings):
        if n not in found and field not in _known(found):
            found[n] = field, "its heading is like one that is known"
    for field, is_one in _BY_CELLS.items():
        shares = {n: _share(values, is_one) for n, values in enumerate(cells) if n not in found}
        best = max(shares, key=shares.__getitem__, default=0)
        if field not in _known(found) and shares.get(best, 0) >= 0.6:
            found[best] = field, f"by its cells ({shares[best]:.0%})"
    if "text" not in _known(found):
        lengths = {n: _mean_length(values) for n, values in enumerate(cells) if n not in found}
        longest = max(lengths, key=lengths.__getitem__, default=0)
        if lengths.get(longest, 0) >= 20:
            found[longest] = "text", "its cells are the longest"
    return found


def _known(found: dict[int, tuple[str, str]]) -> set[str]:
    return {field for field, _ in found.values()}


def _alike(headings: Sequence[str]) -> Iterator[tuple[int, str]]:
    from rapidfuzz import fuzz, process

    by_heading = {known: field for field, names in HEADINGS.items() for known in names}
    for n, one in enumerate(headings):
        near = process.extractOne(heading_key(one), by_heading.keys(), scorer=fuzz.token_sort_ratio, score_cutoff=ALIKE)
        if near:
            yield n, by_heading[near[0]]


def _share(values: Sequence[str], is_one: Callable[[str], bool]) -> float:
    return sum(map(is_one, values)) / len(values) if values else 0.0


def _mean_length(values: Sequence[str]) -> float:
    return sum(map(len, values)) / len(values) if values else 0.0


def _is_time(value: str) -> bool:
    try:
        read_time(value, _ANY_ZONE)
    except AmbiguousTime:
        return True
    except (ValueError, OverflowError):
        return False
    return True


def _is_day_first(value: str) -> bool:
    found = re.match(r"(\d{1,2})[/-](\d{1,2})[/-]\d{4}", value)
    return bool(found) and 12 < int(found[1]) <= 31 and int(found[2]) <= 12 if found else False


_BY_CELLS: dict[str, Callable[[str], bool]] = {
    "sender": lambda value: bool(_PHONE.fullmatch(value)),
    "sent_at": _is_time,
}

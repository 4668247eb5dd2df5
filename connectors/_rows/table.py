"""CSV: records of lines, and rows of records; the records may also be those of a workbook.

A quoted cell may hold line breaks. Whether a quote is closed shows only lines later, and a quote that never is would
swallow the rows behind it. So a record is at most MOST_LINES long, its quotes must stand where CSV has them, and no
line inside it may look like a row of its own; else its first line alone is the record, and the quote is a letter.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from connectors._rows.fields import loses_digits
from connectors._rows.headings import FURTHEST, Columns, find_columns, heading, without_text
from connectors._rows.lines import LONGEST, Line, UnreadableFile
from connectors._rows.rowlike import looks_like_row

MOST_LINES = 1000
"""Lines of one record."""
DELIMITERS = ",;\t|"
_BREAK = "\ufdd0"
"""Stands for a carriage return inside a cell, which the csv module refuses; Unicode has it for uses like this."""
_encode = msgspec.json.Encoder().encode


class Row(NamedTuple):
    """A row as the channel `file` takes it."""

    line: int
    """The line of the file on which it begins, from 1."""
    body: bytes
    """A JSON object; the line as it stands where there is a fault."""
    fault: str = ""
    """A code of `faults.FAULTS`: the row cannot be read."""
    note: str = ""
    """For the operator, where the row can be read."""
    sheet: str = ""
    """The sheet of a workbook on which it stands, where several have rows."""


class TableRecord(NamedTuple):
    """The cells of one record."""

    line: int
    cells: Sequence[str]
    fault: str = ""
    note: str = ""
    written: str = ""
    """Its lines as they stand."""


def has_columns(lines: Iterable[str], chosen: Mapping[str, str]) -> bool:
    """Do the columns of a table stand in one of the first lines of a file?"""
    return any(_columns_in("", line, chosen) for line in islice(lines, FURTHEST))


def table_rows(name: str, lines: Iterator[Line], chosen: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a table whose first line, or one below its titles, names its columns. Raises UnreadableFile."""
    csv.field_size_limit(2 * LONGEST)
    records, columns = _begun(name, lines, chosen)
    for record in records:
        if row := row_of(record, columns):
            yield row


def _begun(name: str, lines: Iterator[Line], chosen: Mapping[str, str]) -> tuple[Iterator[TableRecord], Columns]:
    first = next(lines, Line(1, ""))
    hint = ""
    if first.text.lower().startswith("sep=") and len(first.text.strip()) == len("sep=;"):  # a hint of Excel's
        hint, first = first.text[4], next(lines, Line(2, ""))
    ahead = _Ahead([first], lines)
    for _ in range(FURTHEST):
        if (line := ahead.next()) is None:
            break
        delimiter = hint or _delimiter_of(line.text)
        ahead.give_back([line])
        record = next(_records(ahead, delimiter, ()))
        if columns := find_columns(name, record.cells, chosen):
            return _records(ahead, delimiter, columns.names), columns
    raise without_text(name, chosen)


def _columns_in(name: str, line: str, chosen: Mapping[str, str]) -> Columns | None:
    try:
        return find_columns(name, _cells(line, _delimiter_of(line)), chosen)
    except (UnreadableFile, csv.Error):
        return Columns((), ())


def _delimiter_of(line: str) -> str:
    """The one that stands most often outside quotes."""
    outside = re.sub(r'"[^"]*"', "", line)
    return max(DELIMITERS, key=outside.count)


class _Ahead:
    """Lines that can be given back."""

    def __init__(self, first: Iterable[Line], lines: Iterator[Line]) -> None:
        self._back = deque(first)
        self._lines = lines

    def next(self) -> Line | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def give_back(self, lines: Sequence[Line]) -> None:
        self._back.extendleft(reversed(lines))


def _records(ahead: _Ahead, delimiter: str, headings: Sequence[str]) -> Iterator[TableRecord]:
    while line := ahead.next():
        if line.too_long:
            yield TableRecord(line.number, (), fault="too_long", written=line.text)
        else:
            yield _record(line, ahead, delimiter, headings)


def _record(line: Line, ahead: _Ahead, delimiter: str, headings: Sequence[str]) -> TableRecord:
    taken, cells, is_open = _until_closed(line, ahead, delimiter)
    if cells is not None and (len(taken) == 1 or _is_one_row(taken, cells, delimiter, headings)):
        return TableRecord(line.number, cells, written="\n".join(one.text for one in taken))
    ahead.give_back(taken[1:])
    as_letters = line.text.split(delimiter)
    if len(as_letters) == len(headings):
        return TableRecord(line.number, as_letters, note=_AS_A_LETTER if is_open else "", written=line.text)
    lenient = None if is_open else _cells(line.text, delimiter)
    if lenient and len(lenient) == len(headings):
        return TableRecord(line.number, lenient, written=line.text)
    return TableRecord(line.number, (), fault="open_quote" if is_open else "misplaced_quote", written=line.text)


_AS_A_LETTER = "a quote is opened and never closed: it is taken as a letter"


def _until_closed(line: Line, ahead: _Ahead, delimiter: str) -> tuple[list[Line], list[str] | None, bool]:
    """The lines of a record; its cells, None where the quotes are not those of CSV; whether a quote was open at the end
    of the first line."""
    taken, is_open = [line], False

    def texts() -> Iterator[str]:
        nonlocal is_open
        yield _ended(line.text)
        is_open = True
        size = len(line.text)
        while len(taken) < MOST_LINES and size < LONGEST and (following := ahead.next()):
            taken.append(following)
            if following.too_long:
                return
            size += len(following.text)
            yield _ended(following.text)

    try:
        cells = next(csv.reader(texts(), delimiter=delimiter, strict=True), [])
    except csv.Error:
        return taken, None, is_open
    return taken, [cell.replace(_BREAK, "\n") for cell in cells], is_open


def _is_one_row(taken: Sequence[Line], cells: Sequence[str], delimiter: str, headings: Sequence[str]) -> bool:
    """Not where it has too many cells, or a line inside it looks like a row of its own. In the last line, the cells
    behind the closing quote are the record's in any case."""
    if headings and any(cell.strip() for cell in cells[len(headings) :]):
        return False
    quoted_at = len(_cells(taken[0].text, delimiter)) - 1
    own = dict(zip(headings, cells, strict=False))
    for line in taken[1:]:
        found = _cells(line.text, delimiter)
        judged = headings[:quoted_at] if line is taken[-1] else headings
        if len(found) == len(headings) and looks_like_row(dict(zip(judged, found, strict=False)), own):
            return False
    return True


def _cells(line: str, delimiter: str) -> list[str]:
    """The cells of one line, wherever its quotes stand."""
    found = next(csv.reader([_ended(line)], delimiter=delimiter), [])
    return [cell.replace(_BREAK, "\n") for cell in found]


def _ended(line: str) -> str:
    """A file of mixed line ends leaves some of them inside a line."""
    return re.sub("[\r\n]", _BREAK, line) + "\n"


def row_of(record: TableRecord, columns: Columns) -> Row | None:
    """None: a record without words."""
    line, cells, fault, note, written = record
    over = any(cell.strip() for cell in cells[len(columns.names) :])
    named = {name: cell for name, cell in zip(columns.names, cells, strict=False) if cell.strip()}
    if over:
        fault = "too_many_cells"
    elif named and _repeats(columns.written, cells):
        fault = "headings_again"
    if fault:
        return Row(line, written.encode("utf-8", "replace"), fault)
    if not named:
        return None
    if len(cells) < len(columns.names) and not note:
        note = f"it has {len(cells)} cells under {len(columns.names)} columns: the last ones are taken as empty"
    if loses_digits(named.get("sender", "")):
        note = note or _DAMAGED_PHONE
    completed = columns.complete(named)
    return Row(line, _encode(completed), note=note) if completed else None


def _repeats(headings: Sequence[str], cells: Sequence[str]) -> bool:
    return all(heading(cell) == name for name, cell in zip(headings, cells, strict=False) if cell.strip())


_DAMAGED_PHONE = (
    "its phone is damaged: a spreadsheet kept the beginning of the number only, as 6.28E+12; it is taken without one: "
    "make the column text in the file that still has it"
)

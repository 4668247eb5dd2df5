"""CSV: records of lines, and rows of records.

A quoted cell may hold line breaks. Whether a quote is closed shows only lines later, and a quote that never is would
swallow the rows behind it. So a record is at most MOST_LINES long, its quotes must stand where CSV has them, and no
line inside it may look like a row of its own; else its first line alone is the record, and the quote is a letter.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from connectors._rows.fields import ROW_FIELDS
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


class TableRecord(NamedTuple):
    """The cells of one record."""

    line: int
    cells: Sequence[str]
    fault: str = ""
    note: str = ""
    written: str = ""
    """Its lines as they stand."""


class ColumnHeadings(NamedTuple):
    """The names of the columns, and what is between them."""

    delimiter: str
    names: Sequence[str]


def parse_headings(first: str) -> ColumnHeadings | None:
    """The columns that a file's first line names; None where none of them is `text`."""
    delimiter = max(DELIMITERS, key=first.count)
    names = [_heading(cell) for cell in _cells(first, delimiter)]
    return ColumnHeadings(delimiter, names) if "text" in names else None


def table_rows(name: str, lines: Iterator[Line]) -> Iterator[Row]:
    """The rows of a table whose first line names its columns. Raises UnreadableFile."""
    csv.field_size_limit(2 * LONGEST)
    records, headings = _begun(name, lines)
    for record in records:
        if row := _row(record, headings):
            yield row


def _begun(name: str, lines: Iterator[Line]) -> tuple[Iterator[TableRecord], Sequence[str]]:
    first = next(lines, Line(1, ""))
    delimiter = max(DELIMITERS, key=first.text.count)
    if first.text.lower().startswith("sep=") and len(first.text.strip()) == len("sep=;"):  # a hint of Excel's
        delimiter, first = first.text[4], next(lines, Line(2, ""))
    heading = next(_records(_Ahead([first], lines), delimiter, ()))
    names = [_heading(cell) for cell in heading.cells]
    if "text" not in names:
        raise UnreadableFile(
            f"{name} has no column `text`: its first line names the columns, as id,text,sender,sent_at"
        )
    if repeated := sorted({n for n in names if n in ROW_FIELDS and names.count(n) > 1}):
        positions = [str(at) for at, n in enumerate(names, 1) if n == repeated[0]]
        raise UnreadableFile(
            f"{name} has {len(positions)} columns `{repeated[0]}` (columns {' and '.join(positions)}): "
            "give all but one of them another name"
        )
    headings = _distinct(names)
    return _records(_Ahead([], lines), delimiter, headings), headings


def _heading(cell: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in cell.replace("\u200b", "").replace("\ufeff", ""))
    return " ".join(shown.split()).lower()


def _distinct(names: Sequence[str]) -> list[str]:
    """`keterangan`, `keterangan 2`; `column 6` for a heading that is empty."""
    found: list[str] = []
    for position, name in enumerate(names, 1):
        wanted = name or f"column {position}"
        free, count = wanted, 1
        while free in found or (free != name and free in names):
            count += 1
            free = f"{wanted} {count}"
        found.append(free)
    return found


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
    return f"{line.replace(chr(13), _BREAK)}\n"


def _row(record: TableRecord, headings: Sequence[str]) -> Row | None:
    """None: a record without words."""
    line, cells, fault, note, written = record
    over = any(cell.strip() for cell in cells[len(headings) :])
    named = {name: cell for name, cell in zip(headings, cells, strict=False) if cell.strip()}
    if over:
        fault = "too_many_cells"
    elif named and all(_heading(cell) == name for name, cell in named.items()):
        fault = "headings_again"
    if fault:
        return Row(line, written.encode("utf-8", "replace"), fault)
    if not named:
        return None
    if len(cells) < len(headings) and not note:
        note = f"it has {len(cells)} cells under {len(headings)} columns: the last ones are taken as empty"
    return Row(line, _encode(named), note=note)

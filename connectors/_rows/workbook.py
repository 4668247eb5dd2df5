"""XLSX: the rows of a workbook's sheets as records of texts, read as a stream by openpyxl.

A workbook is packed: a small one may unpack without end, or hold one cell in its last corner. So it is measured before
it is opened, and its rows and cells are counted while they come. A formula is the value that Excel stored beside it.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from connectors._rows.headings import FURTHEST, Columns, find_columns, without_text
from connectors._rows.lines import UnreadableFile
from connectors._rows.table import Row, TableRecord, row_of

if TYPE_CHECKING:
    from openpyxl import Workbook

SIGNATURE = b"PK\x03\x04"
LARGEST = 256 * 1024 * 1024
"""Bytes of a workbook as it lies."""
FLOWING = 64 * 1024 * 1024
"""Bytes of one that comes by standard input."""
UNPACKED = 1024 * 1024 * 1024
"""Bytes of its parts, unpacked."""
WORDS = 256 * 1024 * 1024
"""Bytes of its shared words, which are held in memory."""
ROWS = 1_048_576
"""Rows of a sheet, as in Excel."""
CELLS = 100_000_000
"""Cells of all sheets, the empty ones left of others counted."""
_TIMES = frozenset({"sent_at", "answered_at", "clock"})
_AT_ONCE = 1000
_RETURN = re.compile("_x000[dD]_")
_DAMAGED = "is a damaged workbook: open it in Excel and save it again, or ask for it again"


class _Sheet(NamedTuple):
    name: str
    at: int
    """The row of its headings, from 1."""
    columns: Columns


def is_workbook(packed: zipfile.ZipFile) -> bool:
    """Is the archive a workbook that can be read here?"""
    return "xl/workbook.xml" in packed.namelist()


def workbook_rows(name: str, file: BinaryIO, chosen: Mapping[str, str]) -> Iterator[Row]:
    """The rows of all visible sheets whose headings are known; the first one says which sheets are left out. Raises
    UnreadableFile."""
    workbook = _opened(name, file)
    sheets, note = _sheets(name, workbook, chosen)
    cells = 0
    for sheet in sheets:
        of_time = [(at, field) for at, field in enumerate(sheet.columns.names) if field in _TIMES]
        for line, values in enumerate(_values(name, workbook, sheet.name), 1):
            cells += len(values)
            if cells > CELLS or line > ROWS:
                raise UnreadableFile(f"{name} has more rows or cells than a list of reports: keep its own columns only")
            if line <= sheet.at:
                continue
            for at, field in of_time:
                if at < len(values):
                    values[at] = _as_time(values[at], field, workbook.epoch)
            texts = _without_end([_text(value) for value in values])
            if row := row_of(_record(line, texts, len(sheet.columns.names)), sheet.columns):
                yield row._replace(note=row.note or note, sheet=sheet.name if len(sheets) > 1 else "")
                note = "" if not row.note else note


def sample_of(name: str, file: BinaryIO, rows: int) -> list[list[str]]:
    """The first rows of the first visible sheet that has more than one column. Raises UnreadableFile."""
    workbook = _opened(name, file)
    for sheet in workbook.worksheets:
        if sheet.sheet_state == "visible":
            found = [
                [_text(value) for value in values] for values in islice(_values(name, workbook, sheet.title), rows)
            ]
            if any(sum(map(bool, row)) > 1 for row in found):
                return found
    return []


def require_small(name: str, packed: zipfile.ZipFile) -> None:
    """Raises UnreadableFile where a workbook unpacks to more than a list of reports has. The sizes are those of its own
    index: a part is never read beyond the size it has there."""
    sizes = {info.filename: info.file_size for info in packed.infolist()}
    words = sum(size for part, size in sizes.items() if not part.startswith("xl/worksheets/sheet"))
    if sum(sizes.values()) > UNPACKED or words > WORDS:
        raise UnreadableFile(
            f"{name} is too large when unpacked: save its rows alone in a new workbook, or as CSV UTF-8"
        )


def seekable(name: str, head: bytes, chunks: Iterable[bytes], file: BinaryIO) -> BinaryIO:
    """The file from its beginning; one that only flows is held in memory. Raises UnreadableFile."""
    if file.seekable():
        found, most = file, LARGEST
    else:
        found, most = io.BytesIO(head), FLOWING
        found.seek(0, io.SEEK_END)
        for chunk in chunks:
            if found.tell() > most:
                break
            found.write(chunk)
    if found.seek(0, io.SEEK_END) > most:
        raise UnreadableFile(f"{name} is too large: save its rows alone in a new workbook, or as CSV UTF-8")
    found.seek(0)
    return found


def _opened(name: str, file: BinaryIO) -> Workbook:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except Exception:  # a foreign file through a foreign library: each of its faults is one of the file
        raise UnreadableFile(f"{name} {_DAMAGED}") from None


def _sheets(name: str, workbook: Workbook, chosen: Mapping[str, str]) -> tuple[list[_Sheet], str]:
    """The visible ones with known headings; and a note of the others that hold something, hidden ones with known
    headings among them."""
    found, hidden, others = [], [], []
    for sheet in workbook.worksheets:
        head = [[_text(value) for value in values] for values in islice(_values(name, workbook, sheet.title), FURTHEST)]
        if sheet.sheet_state != "visible":
            hidden += [sheet.title] if _has_columns(head, chosen) else []
        elif known := _headings(name, head, chosen):
            found.append(_Sheet(sheet.title, *known))
        elif any(map(any, head)):
            others.append(sheet.title)
    if not found:
        raise without_text(name, chosen)
    return found, "; ".join(_left_out("sheets without such columns", others) + _left_out("hidden sheets", hidden))


def _headings(name: str, head: list[list[str]], chosen: Mapping[str, str]) -> tuple[int, Columns] | None:
    columns = ((at, find_columns(name, _without_end(cells), chosen)) for at, cells in enumerate(head, 1))
    return next(((at, one) for at, one in columns if one), None)


def _has_columns(head: list[list[str]], chosen: Mapping[str, str]) -> bool:
    try:
        return _headings("", head, chosen) is not None
    except UnreadableFile:  # it has one of them twice
        return True


def _left_out(which: str, sheets: Sequence[str]) -> list[str]:
    return [f"the {which} are left out: {', '.join(sheets)}"] if sheets else []


def _values(name: str, workbook: Workbook, title: str) -> Iterator[list[Any]]:
    sheet = workbook[title]
    if not hasattr(sheet, "reset_dimensions"):  # a sheet of a chart
        return
    sheet.reset_dimensions()  # some programs write a wrong one
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                batch = list(islice(rows, _AT_ONCE))
        except Exception:  # as above
            raise UnreadableFile(f"{name} {_DAMAGED}") from None
        if not batch:
            return
        yield from map(list, batch)


def _record(line: int, texts: list[str], width: int) -> TableRecord:
    """Cells that are missing at the end of a row are empty ones: Excel writes none."""
    written = ";".join(filter(None, texts))
    return TableRecord(line, texts + [""] * (width - len(texts)), written=written)


def _without_end(texts: list[str]) -> list[str]:
    while texts and not texts[-1]:
        texts.pop()
    return texts


def _as_time(value: Any, field: str, epoch: datetime) -> Any:
    """A date or a time of day whose cell is shown as a number; of a clock's date the time of day."""
    from openpyxl.utils.datetime import from_excel

    if isinstance(value, int | float) and not isinstance(value, bool):
        if 32_000 < value < 73_500:  # days from 1990 to 2100
            value = from_excel(value, epoch)
        elif field == "clock" and 0 <= value < 1:  # a part of a day
            value = from_excel(value)
        elif field == "clock" and 1 <= value < 24 and round(value, 2) == value:
            value = f"{value:.2f}"  # 8.30, of which a number keeps 8.3
    return value.time() if field == "clock" and isinstance(value, datetime) else value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _RETURN.sub("", value).strip()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "seconds")
    return str(value)

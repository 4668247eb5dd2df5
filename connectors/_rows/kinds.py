"""Files that hold no rows: named by what they are, with what to do about it, before anything is taken."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable
from typing import Any, BinaryIO

from connectors._rows import workbook
from connectors._rows.lines import UnreadableFile, decode_head, detect_encoding

_AS_CSV = "open it in the program that made it, and save it as XLSX or CSV UTF-8"
_UNPACK = "unpack it first"
_DAMAGED = ("a damaged workbook", "open it in Excel and save it again, or ask for it again")
_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Word file", _AS_CSV),
    (b"%PDF-", "a PDF", "ask for the table that it was made from, as XLSX or CSV"),
    (b"{\\rtf", "a text of Word (RTF)", _AS_CSV),
    (b"\x1f\x8b", "compressed (gzip)", _UNPACK),
    (b"BZh", "compressed (bzip2)", _UNPACK),
    (b"\xfd7zXZ\x00", "compressed (xz)", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd)", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"SQLite format 3\x00", "a database of SQLite", "export its table as CSV"),
    (b"PAR1", "a Parquet file", "export it as CSV"),
    (b"\x89PNG\r\n", "a picture", "name it in the column `attachments` of a row"),
    (b"\xff\xd8\xff", "a picture", "name it in the column `attachments` of a row"),
    (b"GIF8", "a picture", "name it in the column `attachments` of a row"),
)
"""How a file begins, what it is then, and what to do."""
_INSIDE_ZIP = (
    (b"xl/workbook.bin", "a binary workbook of Excel", "save it as XLSX"),
    (b"opendocument.spreadsheet", "a workbook of LibreOffice", "save it as XLSX or CSV UTF-8"),
    (b"word/", "a Word document", "put its table into a spreadsheet, and save that as XLSX"),
    (b"ppt/", "a presentation", "put its table into a spreadsheet, and save that as XLSX"),
    (b"Index/", "a workbook of Numbers", "export it as XLSX or CSV"),
    (b"xl/", *_DAMAGED),
)
_WORKBOOK = _DAMAGED
_UNLIKE_ROWS = ("compressed (zip)", "no text file", "a text without rows")
"""What a workbook looks like where its parts are not seen."""
_CHAT = re.compile(r"\W{0,3}\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4},? .{0,3}\d{1,2}[.:]\d{2}.{0,12}?(?: - |\] )\S")
_BREAK = re.compile(r"\r\n?|\n")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_ROWS = "rows are lines of JSON, or CSV whose first line names the columns, as id,text,sender,sent_at"
_DEEPEST = 4
"""How deep a list is looked for in one JSON object."""


def require_rows(name: str, head: bytes, *, has_headings: bool) -> None:
    """Raises UnreadableFile where a file that begins with `head` is of another kind. A file with some wrong rows among
    others is none of these: its rows are named one by one."""
    found = _by_signature(head) or _by_text(name, decode_head(head), has_headings=has_headings)
    if name.lower().endswith((".xlsx", ".xlsm")) and (not head or (found and found[0] in _UNLIKE_ROWS)):
        found = _WORKBOOK
    if found:
        what, advice = found
        raise UnreadableFile(f"{name} is {what}: {advice}")


def workbook_in(name: str, head: bytes, chunks: Iterable[bytes], file: BinaryIO) -> BinaryIO | None:
    """The workbook that a file is, from its beginning; None: it is none that can be read. Raises UnreadableFile."""
    if not head.startswith(workbook.SIGNATURE):
        return None
    found = workbook.seekable(name, head, chunks, file)
    try:
        with zipfile.ZipFile(found) as packed:
            if not workbook.is_workbook(packed):
                return None
            workbook.require_small(name, packed)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, OverflowError) as fault:
        if isinstance(fault, UnreadableFile):
            raise
        return None
    found.seek(0)
    return found


def _by_signature(head: bytes) -> tuple[str, str] | None:
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        inside = (found for found in _INSIDE_ZIP if found[0] in head)
        return next(inside, (b"", "compressed (zip)", _UNPACK))[1:]
    if found := next((found for found in _SIGNATURES if head.startswith(found[0])), None):
        return found[1:]
    if detect_encoding(head)[0] == "utf-8" and len(_CONTROLS.findall(decode_head(head))) > 8 + len(head) / 50:
        return "no text file", _AS_CSV
    return None


def _by_text(name: str, text: str, *, has_headings: bool) -> tuple[str, str] | None:
    begins = text.lstrip()[:2000].lower()
    if begins.startswith("<"):
        return ("XML", _AS_CSV) if begins.startswith("<?xml") and "<html" not in begins else ("a web page", _AS_CSV)
    if has_headings or not begins:
        return None
    if _CHAT.match(text.lstrip()):
        return "an exported chat", f"write a row for each report of it; {_ROWS}"
    return _by_json(name, text.strip()) if begins.startswith(("{", "[")) else _without_rows(text)


def _without_rows(text: str) -> tuple[str, str] | None:
    if any(_is_object(line) for line in _BREAK.split(text)):
        return None
    return "a text without rows", _ROWS


def _by_json(name: str, text: str) -> tuple[str, str] | None:
    """An array, one object over several lines, or one that holds the rows in a list."""
    if text.startswith("["):
        return "one JSON array", f"write one object a line, as jq -c '.[]' {name} does"
    try:
        value, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return _cut_off(name, text)
    if _BREAK.search(text[:end]):
        return "one JSON object over several lines", f"write one object a line, as jq -c . {name} does"
    path = None if "text" in value or text[end:].strip() else _path_of_rows(value)
    if path:
        return "one JSON object that holds the rows", f"write one object a line, as jq -c '{path}[]' {name} does"
    return None


def _cut_off(name: str, text: str) -> tuple[str, str] | None:
    """A large file, of which the beginning is known only: is its first line open in the middle of an object?"""
    first, *others = _BREAK.split(text)
    if not others or any(map(_is_object, others)):
        return None
    if re.fullmatch(r"\{\s*|\{.*[\[{,:]\s*", first.strip()):
        return "one JSON object over several lines", f"write one object a line, as jq -c . {name} does"
    return None


def _path_of_rows(value: Any, depth: int = 0) -> str | None:
    """Where in the object a list of objects stands, in the words of jq."""
    if depth == _DEEPEST or not isinstance(value, dict):
        return None
    for name, inner in value.items():
        step = f".{name}" if name.isidentifier() and name.isascii() else f'["{name}"]'
        if isinstance(inner, list) and inner and all(isinstance(one, dict) for one in inner):
            return step
        if below := _path_of_rows(inner, depth + 1):
            return step + below
    return None


def _is_object(line: str) -> bool:
    line = line.strip()
    if not line.startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False

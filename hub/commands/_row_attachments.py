"""Attachments of rows: paths beside the file, brought to the blobs before the row is published."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from errno import ENAMETOOLONG
from mimetypes import guess_type
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

import msgspec

from connectors._rows import NamedRow, decode_row, parse_list, row_place
from hub.commands import print_message, printable
from schemas import Reject

if TYPE_CHECKING:
    from sink import Blobs

LARGEST = 100 * 1024 * 1024
"""Bytes of one attachment."""
LONGEST_SHOWN = 80


class RowAttachments:
    """Brings the bytes of one file's attachments. Only files in or under the file's own folder are taken, none that is
    hidden, and none of the hub's own."""

    def __init__(self, blobs: Blobs, folder: Path, private: Collection[Path]) -> None:
        self._blobs = blobs
        self._folder = folder.resolve()
        self._private = [path.resolve() for path in private]

    def files_of(self, row: NamedRow) -> str:
        """The row's attachments as they lie with the blobs now, as JSON; empty where it has none."""
        paths = _paths(row)
        return msgspec.json.encode([self._bring(row_place(row), path) for path in paths]).decode() if paths else ""

    def _bring(self, line: str, written: str) -> dict[str, Any]:
        known: dict[str, Any] = {"native_id": written, "name": Path(written).name}
        try:
            path = (self._folder / written).resolve()
            fault = self._fault(path)
            body = b"" if fault else path.read_bytes()
        except (OSError, ValueError, RuntimeError) as error:
            fault, body = _unreadable(error), b""
        if fault:
            print_message(f"line {line}: attachment {_shown(written)} {fault}; the row goes on without it")
            return known
        media_type, sha256 = guess_type(path.name)[0], self._blobs.put(body)
        return known | {"media_type": media_type, "sha256": sha256, "size": len(body), "state": "fetched"}

    def _fault(self, path: Path) -> str | None:
        """Raises OSError where there is no such file."""
        if not path.is_relative_to(self._folder):
            return "lies outside the file's folder"
        if any(path == own or path.is_relative_to(own) for own in self._private):
            return "belongs to the hub itself"
        if any(part.startswith(".") for part in path.relative_to(self._folder).parts):
            return "is hidden"
        status = path.stat()
        if not S_ISREG(status.st_mode):
            return "is no file"
        return "is over 100 MiB" if status.st_size > LARGEST else None


def _unreadable(error: Exception) -> str:
    """No file has a name with NUL (ValueError), or one that long; a circle of links is a RuntimeError."""
    nameless = isinstance(error, ValueError | FileNotFoundError) or getattr(error, "errno", None) == ENAMETOOLONG
    return "does not exist" if nameless else "cannot be read"


def _shown(path: str) -> str:
    return printable(path if len(path) <= LONGEST_SHOWN else f"{path[:LONGEST_SHOWN]}…")


def _paths(row: NamedRow) -> Sequence[str]:
    """Empty also where the row makes no sense: the reader says why."""
    if row.fault or not (b"attachments" in row.body or b"\\u" in row.body):
        return ()
    try:
        paths = parse_list("attachments", decode_row(row.body).get("attachments"))
    except Reject:
        return ()
    return paths if all(isinstance(path, str) for path in paths) else ()

"""Attachments of rows: paths beside the file, brought to the blobs before the row is published."""

from __future__ import annotations

from collections.abc import Collection
from mimetypes import guess_type
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from connectors._rows import NamedRow
from hub.commands import say

if TYPE_CHECKING:
    from sink import Blobs

LARGEST = 100 * 1024 * 1024
"""Bytes of one attachment."""


class RowAttachments:
    """Brings the bytes of one file's attachments. Only files in or under the file's own folder are taken, and none of
    the hub's own."""

    def __init__(self, blobs: Blobs, folder: Path, private: Collection[Path]) -> None:
        self._blobs = blobs
        self._folder = folder.resolve()
        self._private = [path.resolve() for path in private]

    def body_of(self, row: NamedRow) -> bytes:
        """The row's bytes; the paths of its attachments are replaced by what lies with the blobs now."""
        if b'"attachments"' not in row.body:
            return row.body
        try:
            known = msgspec.json.decode(row.body)
            paths = _paths(known["attachments"])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError, KeyError):
            return row.body  # no row at all: the reader says why
        return msgspec.json.encode(known | {"attachments": [self._bring(row.line, path) for path in paths]})

    def _bring(self, line: int, written: str) -> dict[str, Any]:
        known: dict[str, Any] = {"native_id": written, "name": Path(written).name}
        try:
            path = (self._folder / written).resolve()
            fault = self._fault(path)
            body = b"" if fault else path.read_bytes()
        except (OSError, ValueError, RuntimeError):  # a name too long, with NUL, or a circle of links
            fault, body = "cannot be read", b""
        if fault:
            say(f"line {line}: attachment {_printable(written)} {fault}; the row goes on without it")
            return known
        media_type = guess_type(path.name)[0]
        return known | {"media_type": media_type, "sha256": self._blobs.put(body), "size": len(body)}

    def _fault(self, path: Path) -> str | None:
        if not path.is_relative_to(self._folder):
            return "lies outside the file's folder"
        if any(path == own or path.is_relative_to(own) for own in self._private):
            return "belongs to the hub itself"
        if not path.is_file():
            return "does not exist"
        return "is over 100 MiB" if path.stat().st_size > LARGEST else None


def _paths(attachments: object) -> list[str]:
    """A list; from CSV, words with commas or semicolons between."""
    if isinstance(attachments, str):
        attachments = [part.strip() for part in attachments.replace(";", ",").split(",") if part.strip()]
    if not isinstance(attachments, list) or not all(isinstance(path, str) for path in attachments):
        raise TypeError
    return attachments


def _printable(text: str) -> str:
    """Without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)[:200]

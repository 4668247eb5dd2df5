"""Attachments of rows: paths beside the file, brought to the blobs before the row goes on the road."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from typing import Any

import msgspec

from hub.commands import say
from connectors._rows import Named
from hub.web.ingress import BODY_ON_BUS
from schemas import Raw
from sink import Blobs

LARGEST = 100 * 1024 * 1024
"""Bytes of one attachment."""


class Files:
    """Brings the bytes of one file's attachments. Only what lies in or under the file's own folder is taken."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs = blobs
        self._folder = folder.resolve()

    def body(self, row: Named) -> bytes:
        """The row's bytes, the paths of its attachments replaced by what lies with the blobs now."""
        if b'"attachments"' not in row.body:
            return row.body
        try:
            known = msgspec.json.decode(row.body)
            listed = _paths(known["attachments"])
        except (msgspec.MsgspecError, UnicodeDecodeError, TypeError, KeyError):
            return row.body  # no row at all: the reader says why
        return msgspec.json.encode(known | {"attachments": [self._bring(row.line, path) for path in listed]})

    def laid(self, raw: Raw) -> Raw:
        """A Raw whose body is too big for the bus has it with the blobs."""
        if len(raw.body) <= BODY_ON_BUS:
            return raw
        return msgspec.structs.replace(raw, body=b"", blob=self._blobs.put(raw.body))

    def _bring(self, line: int, said: str) -> dict[str, Any]:
        path = (self._folder / said).resolve()
        known = {"native_id": said, "name": path.name, "media_type": guess_type(path.name)[0]}
        if fault := self._fault(path):
            say(f"line {line}: attachment {said} {fault}; the row goes on without it")
            return known
        bytes_ = path.read_bytes()
        return known | {"sha256": self._blobs.put(bytes_), "size": len(bytes_)}

    def _fault(self, path: Path) -> str | None:
        if not path.is_relative_to(self._folder):
            return "lies outside the file's folder"
        if not path.is_file():
            return "does not exist"
        return "is over 100 MiB" if path.stat().st_size > LARGEST else None


def _paths(said: object) -> list[str]:
    """A list; from CSV, words with commas or semicolons between."""
    if isinstance(said, str):
        said = [part.strip() for part in said.replace(";", ",").split(",") if part.strip()]
    if not isinstance(said, list) or not all(isinstance(path, str) for path in said):
        raise TypeError
    return said

"""Files and large bodies, in a folder, each under the SHA-256 of its bytes: the same file twice is stored once.

`put` returns when the bytes would survive a power cut: file, its new name and its folder are synced, in this order.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from sink.disk import sync_folder


class Blobs:
    """A folder of files, in 256 sub-folders by the first two hex digits. Safe for several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._unfinished = folder / "tmp"
        self._unfinished.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, data: bytes) -> str:
        """Store the bytes; returns their SHA-256 in hex. Raises OSError when the disk refuses them."""
        return self._store(hashlib.sha256(data).hexdigest(), BytesIO(data))

    def copy(self, file: Path) -> str:
        """Store the bytes of a file that is synced and in which nobody writes; as `put`, without holding them in
        memory. It may lie on another disk."""
        with file.open("rb") as source:
            name = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            return self._store(name, source)

    def get(self, name: str) -> bytes:
        """The bytes stored under this SHA-256. Raises FileNotFoundError."""
        return self.path(name).read_bytes()

    def path(self, name: str) -> Path:
        """Where they lie. Raises ValueError where `name` is no SHA-256: nothing outside the folder is ever reached."""
        if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
            raise ValueError("not a SHA-256 in hex")
        return self._folder / name[:2] / name

    def delete(self, name: str) -> None:
        """Forget them; what is not there is forgotten already."""
        self.path(name).unlink(missing_ok=True)

    def _store(self, name: str, source: BinaryIO) -> str:
        path = self.path(name)
        if not path.exists():
            self._write(path, source)
        sync_folder(path.parent)  # also where another writer made it: its own sync may still be under way
        sync_folder(self._folder)
        return name

    def _write(self, path: Path, source: BinaryIO) -> None:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        unfinished = self._unfinished / uuid4().hex
        try:
            _write(unfinished, source)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _write(path: Path, source: BinaryIO) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        shutil.copyfileobj(source, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())

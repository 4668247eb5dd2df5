"""Files and large bodies, in a folder, each under the SHA-256 of its bytes: the same file twice is stored once.

`put` returns when the bytes would survive a power cut: file, its new name and its folder are synced, in this order.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
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
        name = hashlib.sha256(data).hexdigest()
        path = self.path(name)
        if not path.exists():
            self._write(path, data)
        sync_folder(path.parent)  # also where another writer made it: its own sync may still be under way
        sync_folder(self._folder)
        return name

    def copy(self, file: Path) -> str:
        """Store the bytes of a file that is synced and in which nobody writes; as `put`, without holding them in
        memory. It may lie on another disk."""
        with file.open("rb") as source:
            name = hashlib.file_digest(source, "sha256").hexdigest()
        path = self.path(name)
        if not path.exists():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            unfinished = self._unfinished / uuid4().hex
            try:
                _copy(file, unfinished)
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
        sync_folder(path.parent)
        sync_folder(self._folder)
        return name

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

    def _write(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(exist_ok=True, mode=0o700)
        unfinished = self._unfinished / uuid4().hex
        try:
            _write(unfinished, data)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)


def _copy(source: Path, path: Path) -> None:
    new = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with source.open("rb") as file, os.fdopen(new, "wb") as out:
        shutil.copyfileobj(file, out, 1024 * 1024)
        out.flush()
        os.fsync(out.fileno())


def _write(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())

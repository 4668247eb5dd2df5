"""The files of the archive as they are written: an open segment, and the checksums of the closed ones."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sink.disk import sync_folder

MANIFEST = "SHA256SUMS"
_LINE_LENGTH = 64 + 2


class ArchiveSegment:
    """A file that is being appended to, locked by its writer."""

    def __init__(self, path: Path, file: int) -> None:
        self.path = path
        self.usable = True
        """False: a failed write left bytes behind that could not be removed."""
        self._file = file
        self._size = os.fstat(file).st_size

    @classmethod
    def create(cls, path: Path) -> ArchiveSegment:
        """A new file; it gets its name once it is locked, so that nobody adopts it."""
        unnamed = path.with_name(f"{path.name}.new")
        file = os.open(unnamed, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unnamed.rename(path)
        sync_folder(path.parent)
        return cls(path, file)

    @classmethod
    def adopt(cls, path: Path) -> ArchiveSegment | None:
        """The file of a writer that is gone. None: its writer is at work."""
        try:
            file = os.open(path, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        return cls(path, file)

    def append(self, data: bytes) -> None:
        """One gzip member more, durable on return; nothing is left of one that could not be written. Raises OSError."""
        member = gzip.compress(data, compresslevel=6, mtime=0)
        try:
            _write(self._file, member)
            os.fsync(self._file)
        except OSError:
            self._remove_torn()
            raise
        self._size += len(member)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)  # and the lock with it

    def _remove_torn(self) -> None:
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            self.usable = False


class Checksums:
    """`SHA256SUMS` of a folder; changed by one process at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / MANIFEST

    def load(self) -> dict[str, str]:
        """Checksum by name. A line that is torn or damaged is as good as none."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return {}
        found = (line.decode("ascii", "replace") for line in lines if len(line) > _LINE_LENGTH)
        return {line[_LINE_LENGTH:]: line[:64] for line in found if line[64:_LINE_LENGTH] == "  "}

    def add(self, file: Path) -> None:
        """The checksum of a file that is complete."""
        with self._locked():
            known = self.load()
            if file.name not in known:
                with file.open("rb") as data:
                    checksum = hashlib.file_digest(data, "sha256").hexdigest()
                self._store(known | {file.name: checksum})

    def forget(self, names: Collection[str]) -> None:
        """These files are gone."""
        with self._locked():
            self._store({name: checksum for name, checksum in self.load().items() if name not in names})

    def _store(self, checksums: Mapping[str, str]) -> None:
        """Replaced whole, so that a crash leaves the old one or the new one."""
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="ascii") as out:
            os.fchmod(out.fileno(), 0o600)
            out.writelines(f"{checksum}  {name}\n" for name, checksum in sorted(checksums.items()))
            out.flush()
            os.fsync(out.fileno())
        new.replace(self._path)
        sync_folder(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        file = os.open(self._folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


def _write(file: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]

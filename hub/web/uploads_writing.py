"""One upload on the disk: its bytes, its state, and the writer that keeps the two in step."""

from __future__ import annotations

import fcntl
import os
import threading
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from sink.disk import sync_folder


class UploadState(msgspec.Struct, frozen=True):
    """An upload as far as it would survive a power cut."""

    length: int
    metadata: str
    """As the client sent it: words in base64, never part of a path."""
    expires_at: datetime
    offset: int = 0
    """Bytes that are synced."""
    ended: bool = False
    sha256: str | None = None
    """Its blob, once a report has named it."""

    def waits(self, now: datetime) -> bool:
        """Does it still hold bytes of its own, or may it get some?"""
        return not self.ended and self.sha256 is None and self.expires_at > now

    @property
    def is_complete(self) -> bool:
        """Everything announced is here."""
        return self.offset == self.length


class UploadLocked(Exception):  # noqa: N818 - 423
    """Another request writes to it."""


class UploadWriter:
    """The only writer of one upload; what it wrote counts once it is committed. Safe for several threads."""

    def __init__(self, path: Path, lives: timedelta) -> None:
        """Raises UploadLocked, or FileNotFoundError."""
        self._path, self._lives, self._busy = path, lives, threading.Lock()
        self._file = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = read_state(state_path(path))
            if found is None:
                raise FileNotFoundError(path)
            self.state = found
            os.ftruncate(self._file, found.offset)  # what was never committed
            self._at = found.offset
        except BaseException as error:
            os.close(self._file)
            if isinstance(error, BlockingIOError):
                raise UploadLocked from None
            raise

    def write(self, data: bytes) -> None:
        """Append. Raises OSError where the disk refuses it."""
        with self._busy:
            view = memoryview(data)
            while view:
                written = os.pwrite(self._file, view, self._at)
                self._at, view = self._at + written, view[written:]

    def commit(self, now: datetime) -> UploadState:
        """What was written would now survive a power cut, and the upload lives on."""
        with self._busy:
            os.fsync(self._file)
            self._save(msgspec.structs.replace(self.state, offset=self._at, expires_at=now + self._lives))
            return self.state

    def end(self, sha256: str | None = None) -> None:
        """The bytes are forgotten: the upload was ended, or lies with the blobs."""
        with self._busy:
            self._save(msgspec.structs.replace(self.state, ended=sha256 is None, sha256=sha256))
            os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Let the next writer in. A call that comes later raises OSError: the number may be another file's by then."""
        with self._busy:
            file, self._file = self._file, -1
            os.close(file)

    def _save(self, state: UploadState) -> None:
        write_state(self._path, state)
        self.state = state


def state_path(path: Path) -> Path:
    """Where the state of an upload lies."""
    return path.with_name(f"{path.name}.json")


def read_state(path: Path) -> UploadState | None:
    """None: there is none, or none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=UploadState)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def write_state(upload: Path, state: UploadState) -> None:
    """Durable and whole when it returns."""
    path = state_path(upload)
    unfinished = path.with_suffix(".tmp")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(msgspec.json.encode(state))
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    sync_folder(path.parent)

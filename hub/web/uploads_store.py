"""Uploads on their way, in a folder: bytes, and beside them a state that is written only once the bytes are synced.

An upload lies under its owner's digest and an id that the hub draws: no word of a caller becomes a path. One writer at
a time holds the lock of the file, over all processes that share the folder; a process that dies lets go of it.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from hub.web.uploads_writing import (
    UploadLocked,
    UploadState,
    UploadWriter,
    read_state,
    state_path,
    write_state,
)
from sink.blobs import Blobs
from sink.disk import sync_folder

LIVES = timedelta(hours=24)
"""How long an upload waits for its next bytes."""
KNOWN = timedelta(days=7)
"""How long after its end an upload is 410 and not 404."""
NAMED = timedelta(days=90)
"""How long a report that is sent again may name an upload that it took: as long as its Idempotency-Key is known."""
MOST = 20
"""Uploads of one owner that wait at the same moment."""
ORPHAN = timedelta(hours=1)
"""The age at which bytes without a state are nobody's."""
_ID = re.compile(r"[0-9a-f]{32}")


class UploadUnknown(Exception):  # noqa: N818 - 404
    """The owner has no such upload."""


class UploadGone(Exception):  # noqa: N818 - 410
    """The upload has expired, or was ended."""


class QuotaReached(Exception):  # noqa: N818 - 429
    """The owner has too many uploads waiting."""


class UploadStore:
    """A folder of uploads. Safe for several threads and processes."""

    def __init__(self, folder: Path, quota: int) -> None:
        """`quota`: bytes that the waiting uploads of one owner may have together."""
        self._folder, self._quota = folder, quota
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def create(self, owner: str, length: int, metadata: str, now: datetime) -> str:
        """A new upload, durable when this returns its id. Raises QuotaReached."""
        with self._counting(owner):
            home = self._folder / owner
            home.mkdir(exist_ok=True, mode=0o700)
            waiting = [s for s in map(read_state, home.glob("*.json")) if s and s.waits(now)]
            if len(waiting) >= MOST or sum(s.length for s in waiting) + length > self._quota:
                raise QuotaReached
            id = secrets.token_hex(16)
            os.close(os.open(home / id, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            write_state(home / id, UploadState(length, metadata, now + LIVES))
            sync_folder(self._folder)
        return id

    def state(self, owner: str, id: str, now: datetime) -> UploadState:
        """Raises UploadUnknown or UploadGone."""
        state = read_state(state_path(self._path(owner, id)))
        if state is None:
            raise UploadUnknown
        if state.ended or (state.sha256 is None and state.expires_at <= now):
            raise UploadGone
        return state

    def open(self, owner: str, id: str, now: datetime) -> UploadWriter:
        """The only writer; the caller closes it. Raises UploadUnknown, UploadGone or UploadLocked."""
        self.state(owner, id, now)
        try:
            writer = UploadWriter(self._path(owner, id), LIVES)
        except FileNotFoundError:
            raise UploadGone from None
        if writer.state.waits(now):
            return writer
        writer.close()
        raise UploadGone

    def end(self, owner: str, id: str, now: datetime) -> None:
        """Forget its bytes. Raises as `open`."""
        writer = self.open(owner, id, now)
        try:
            writer.end()
        finally:
            writer.close()

    def move_to_blobs(self, owner: str, id: str, now: datetime, blobs: Blobs) -> str:
        """Its SHA-256 with the blobs; the same again as long as it may be named. Raises as `open`."""
        if done := self.state(owner, id, now).sha256:
            return done
        try:
            writer = self.open(owner, id, now)
        except UploadGone:
            if done := self.state(owner, id, now).sha256:  # kept by the same report, sent twice
                return done
            raise
        try:
            sha256 = blobs.copy(self._path(owner, id))
            writer.end(sha256)
        finally:
            writer.close()
        return sha256

    def first_bytes(self, owner: str, id: str, size: int) -> bytes:
        """What the file begins with."""
        with self._path(owner, id).open("rb") as file:
            return file.read(size)

    def sweep(self, now: datetime) -> int:
        """Delete the bytes of what has expired, and those without a state; returns how many uploads were forgotten."""
        forgotten = 0
        for home in [path for path in self._folder.iterdir() if path.is_dir()]:
            with self._counting(home.name):
                forgotten += sum(_sweep_one(path, now) for path in home.iterdir() if _ID.fullmatch(path.name))
                for state in home.glob("*.json"):
                    found = read_state(state)
                    if not state.with_suffix("").exists() and (found is None or _is_forgotten(found, now)):
                        state.unlink(missing_ok=True)
                for unfinished in home.glob("*.tmp"):
                    with suppress(FileNotFoundError):  # its writer is at work
                        if unfinished.stat().st_mtime <= (now - ORPHAN).timestamp():
                            unfinished.unlink()
                with suppress(OSError):  # not empty
                    home.rmdir()
        return forgotten

    def _path(self, owner: str, id: str) -> Path:
        """Raises UploadUnknown where the id is none of ours: nothing outside the owner's folder is ever reached."""
        if not _ID.fullmatch(id):
            raise UploadUnknown
        return self._folder / owner / id

    @contextmanager
    def _counting(self, owner: str) -> Iterator[None]:
        """Nobody else counts, adds or sweeps uploads of owners with that first letter."""
        lock = os.open(self._folder / f".lock-{owner[0]}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _is_forgotten(state: UploadState, now: datetime) -> bool:
    return state.expires_at + (KNOWN if state.sha256 is None else NAMED) <= now


def _sweep_one(path: Path, now: datetime) -> bool:
    """Its bytes are deleted where nobody may use them any more, and nobody writes to them."""
    state = read_state(state_path(path))
    old = path.stat().st_mtime <= (now - ORPHAN).timestamp() if state is None else not state.waits(now)
    if not old or (state is not None and _is_used(path, now)):
        return False
    path.unlink(missing_ok=True)
    return True


def _is_used(path: Path, now: datetime) -> bool:
    try:
        writer = UploadWriter(path, LIVES)
    except (UploadLocked, FileNotFoundError):
        return True
    waits = writer.state.waits(now)
    writer.close()
    return waits

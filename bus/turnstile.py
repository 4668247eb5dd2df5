"""One writer at a time on a file, in order of arrival.

Two locks as at a turnstile: take the turn, take the write lock, give the turn back. A bulk writer that comes again at
once finds the turn taken by the next in line, so nobody starves (SQLite's own waiting lets one starve for a
second). Locks are `flock`s: they hold between threads and between processes, and die with their holder.
"""

from __future__ import annotations

import fcntl
import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path


class Turnstile:
    """`with turnstile:` — all turnstiles of one path take turns, in any process. Not to be entered twice by one thread.

    The locks lie beside `path` as `.turn` and `.write`; `path` itself is never opened: closing a file drops the locks
    that SQLite holds on it.
    """

    def __init__(self, path: Path) -> None:
        self._paths = f"{path}.turn", f"{path}.write"
        self._files: list[int] = []
        self._end: Callable[[], object] | None = None
        self._threads = threading.Lock()  # threads that share an open file share its flock
        self._holder = 0

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread is inside the turnstile already")
        self._threads.acquire()
        try:
            self._pass()
        except BaseException:
            self._threads.release()
            raise
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = 0
        try:
            fcntl.flock(self._files[1], fcntl.LOCK_UN)
        finally:
            self._threads.release()

    def close(self) -> None:
        """Close the lock files; the next entry opens them again. Not to be called inside it."""
        if self._end:
            self._end()
        self._files, self._end = [], None

    def _pass(self) -> None:
        if not self._files:
            self._files = [os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600) for path in self._paths]
            self._end = weakref.finalize(self, _close, list(self._files))
        turn, write = self._files
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            fcntl.flock(write, fcntl.LOCK_EX)
        finally:
            fcntl.flock(turn, fcntl.LOCK_UN)


def _close(files: list[int]) -> None:
    for file in files:
        os.close(file)

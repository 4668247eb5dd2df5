"""One writer at a time on a file, in the order in which they came.

Two locks as at a turnstile: take the turn, take the write lock, give the turn back. A bulk writer that comes again at
once finds the next in line holding the turn already, so nobody starves (SQLite's own waiting lets one starve for a
second). Locks are `flock`s: they hold between threads and between processes, and die with their holder.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path


class Turnstile:
    """`with turnstile:` — everybody who opens one for the same path takes turns. Not to be entered twice by one thread.

    The locks lie beside `path` as `.turn` and `.write`; `path` itself is never opened: closing a file drops the locks
    that SQLite holds on it.
    """

    def __init__(self, path: Path) -> None:
        self._turn = f"{path}.turn"
        self._write = f"{path}.write"
        self._held = -1
        self._holder = 0

    def __enter__(self) -> None:
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread is inside the turnstile already")
        turn = _lock(self._turn)
        try:
            self._held = _lock(self._write)
        finally:
            _unlock(turn)
        self._holder = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._holder = 0
        _unlock(self._held)


def _lock(path: str) -> int:
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        os.close(file)
        raise
    return file


def _unlock(file: int) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_UN)  # a forked child may share the file: closing alone would not free it
    finally:
        os.close(file)

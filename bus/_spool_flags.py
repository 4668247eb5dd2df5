"""What all doors of one data folder know of its spool without asking: two bytes of shared memory beside it.

Reading one costs less than a call; the kernel keeps them when a process is killed, and after a power cut the spool
itself says how it was (`bus/spool.py`).
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import TracebackType

from bus._file import UnusableLog

_SPOOLING, _HOLDING = 0, 1


class Gate:
    """`with Gate(path) as gate:`; the bytes lie at that path. Opening raises UnusableLog."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Gate:
        try:
            self._bytes = _mapped(self._path)
        except OSError as error:
            raise UnusableLog(f"{self._path.name} cannot be written: {error.strerror}") from error
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bytes.close()

    @property
    def spooling(self) -> bool:
        """Whatever is published now goes to the spool."""
        return self._bytes[_SPOOLING] != 0

    @spooling.setter
    def spooling(self, so: bool) -> None:
        self._bytes[_SPOOLING] = so

    @property
    def holding(self) -> bool:
        """The spool is all but empty: whoever publishes waits for a moment, so that it can become so."""
        return self._bytes[_HOLDING] != 0

    @holding.setter
    def holding(self, so: bool) -> None:
        self._bytes[_HOLDING] = so


def _mapped(path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(file).st_size < 2:  # written: a hole in it would be a signal on a full disk, not an error
            os.pwrite(file, b"\0\0", 0)
            os.fsync(file)
        return mmap.mmap(file, 2)
    finally:
        os.close(file)

"""Two flags of a spool that all doors of a data folder share: bytes of shared memory beside it.

Reading one costs less than a call. The kernel keeps them when a process is killed; after a power cut they are set from
the spool itself (`bus/spool.py`).
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from types import TracebackType

from bus._file import UnusableLog

_SPOOLING, _PAUSING = 0, 1


class SpoolFlags:
    """`with SpoolFlags(path) as flags:`; the bytes lie at that path. Opening raises UnusableLog."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> SpoolFlags:
        try:
            self._bytes = _mapped(self._path)
        except OSError as error:
            raise UnusableLog(f"{self._path.name} cannot be written: {error.strerror}") from error
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._bytes.close()

    @property
    def spooling(self) -> bool:
        """Events published now go to the spool."""
        return self._bytes[_SPOOLING] != 0

    @spooling.setter
    def spooling(self, value: bool) -> None:
        self._bytes[_SPOOLING] = value

    @property
    def pausing(self) -> bool:
        """Nearly empty: publishers pause briefly so that the drain can finish."""
        return self._bytes[_PAUSING] != 0

    @pausing.setter
    def pausing(self, value: bool) -> None:
        self._bytes[_PAUSING] = value


def _mapped(path: Path) -> mmap.mmap:
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(file).st_size < 2:  # written: a hole would be a SIGBUS on a full disk, not an error
            os.pwrite(file, b"\0\0", 0)
            os.fsync(file)
        return mmap.mmap(file, 2)
    finally:
        os.close(file)

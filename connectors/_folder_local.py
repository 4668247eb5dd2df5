"""A folder of this machine."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Sequence
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from connectors._folder import FolderFile
from connectors._rows import UnreadableFile
from schemas import AccountFault, Reject, Retry

_NEVER = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ENXIO})
"""Faults of a file itself; any other, as too many open files or a share that is gone, passes."""


class LocalFolder:
    """The folder at a path."""

    def __init__(self, path: str) -> None:
        self._path = os.fsencode(Path(path).expanduser())

    async def files(self) -> list[FolderFile]:
        """As `Folder`."""
        return await asyncio.to_thread(self._files)

    async def copy(self, name: bytes, out: BinaryIO, limit: int) -> None:
        """As `Folder`."""
        await asyncio.to_thread(self._copy, name, out, limit)

    async def read(self, path: Sequence[bytes], limit: int) -> bytes | None:
        """As `Folder`."""
        return await asyncio.to_thread(self._read, path, limit)

    async def move(self, name: bytes, into: bytes, as_name: bytes) -> bool:
        """As `Folder`."""
        return await asyncio.to_thread(self._move, name, into, as_name)

    def _files(self) -> list[FolderFile]:
        try:
            with os.scandir(self._path) as entries:
                return [found for entry in entries if (found := _file(entry))]
        except FileNotFoundError:
            raise AccountFault("no_folder", "folder: there is none of this name: make it") from None
        except PermissionError:
            raise AccountFault("no_folder", "folder: the hub may not read it: give its user the right") from None
        except OSError as fault:
            raise Retry(f"the folder cannot be read ({fault.strerror})") from None

    def _copy(self, name: bytes, out: BinaryIO, limit: int) -> None:
        try:
            with open(os.path.join(self._path, name), "rb") as file:  # noqa: PTH118, PTH123 - a name in any bytes
                left = limit + 1
                while left > 0 and (chunk := file.read(min(left, 1024 * 1024))):
                    out.write(chunk)
                    left -= len(chunk)
        except PermissionError:
            raise UnreadableFile("the hub may not read the file: give its user the right") from None
        except OSError as fault:
            raise Retry(f"a file of the folder cannot be read ({fault.strerror})") from None

    def _read(self, path: Sequence[bytes], limit: int) -> bytes | None:
        inside = os.path.realpath(self._path)
        found = os.path.realpath(os.path.join(inside, *path))  # noqa: PTH118 - as above
        if not found.startswith(os.path.join(inside, b"")):  # noqa: PTH118 - as above
            return None
        try:
            opened = os.open(found, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        except OSError as fault:
            words = f"a file of the folder cannot be read ({fault.strerror})"
            raise (Reject("no_file", words) if fault.errno in _NEVER else Retry(words)) from None
        if not S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            return None
        with os.fdopen(opened, "rb") as file:
            return file.read(limit + 1)

    def _move(self, name: bytes, into: bytes, as_name: bytes) -> bool:
        target = os.path.join(self._path, into)  # noqa: PTH118 - as above
        try:
            os.makedirs(target, exist_ok=True)  # noqa: PTH103 - as above
            os.replace(os.path.join(self._path, name), os.path.join(target, as_name))  # noqa: PTH105, PTH118 - as above
        except OSError:
            return False
        return True


def _file(entry: os.DirEntry[bytes]) -> FolderFile | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # it went in between
        return None
    return FolderFile(entry.name, status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None

"""A closed bus leaves nothing behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def nothing_left_open(folder: Path) -> Iterator[None]:
    """No thread, task, socket, open file or membership beyond the block."""
    threads, tasks, sockets = _threads(), len(asyncio.all_tasks()), _sockets()
    yield
    assert _sockets() <= sockets
    assert _threads() <= threads
    assert len(asyncio.all_tasks()) <= tasks
    assert not [file for file in _open_files() if file.startswith(str(folder))]
    assert not list(folder.glob("**/*.members/*"))


def _threads() -> int:
    """But for the pool of the event loop, which ends with it."""
    return len([thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")])


def _sockets() -> set[str]:
    return {file for file in _open_files() if file.startswith("socket:")}


def _open_files() -> list[str]:
    names = []
    for link in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):
            names.append(str(link.readlink()))
    return names

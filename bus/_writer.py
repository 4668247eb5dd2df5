"""Group commit: one thread writes for the whole process; calls that arrive during a sync share the next one."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from asyncio import Future
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from datetime import datetime
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import msgspec

from bus import _log
from bus._file import SqliteConnections, UnusableLog, make_folder, open_log
from bus._partitions import Rows, Slot
from bus.turnstile import Turnstile
from schemas import Retry

GROUP = 2_000
"""Events after which a group takes no more jobs."""
PATIENCE = 10.0
"""Seconds until a timeout is reported to the caller; the write may still succeed."""
SIBLINGS = 4
"""Jobs in the last group from which on the next one waits for more (as PostgreSQL's commit_siblings)."""
DELAY = 0.001
"""Seconds of that wait (as PostgreSQL's commit_delay). Each step of a transaction needs the interpreter's lock, and a
busy loop is slow to give it back: a group that starts when the loop is idle is larger, and done sooner."""
CHECKPOINT_BYTES = 2 * 1024 * 1024
"""Bytes written between two checkpoints. All writers wait while one runs: at 8 MiB four times as long, and the time
that they take in all is the same."""
WAL_PAGES = 8_192
"""Pages of a WAL beyond which it is truncated (a reader held it back)."""

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]


class _Job(msgspec.Struct, frozen=True):
    done: Future[Any]
    rows: Rows | None
    work: Work | None
    events: int
    size: int
    """Bytes that it writes, roughly."""


class SqliteWriter:
    """Runs jobs in groups, each a transaction under the turnstile.

    `committed` is called on the loop after each group with the new heads.
    """

    def __init__(self, path: Path, clock: Callable[[], datetime], committed: Callable[[dict[Slot, int]], None]) -> None:
        self.partitions = 0
        self._path = path
        self._clock = clock
        self._committed = committed
        self._turnstile = Turnstile(path)
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._written = 0
        self._last_group = 0
        self._waiting: dict[Future[Any], float] = {}

    async def open(self, partitions: int) -> sqlite3.Connection:
        """Start the thread, lay out the file; a connection for the loop to read with. Raises UnusableLog."""
        self._loop = asyncio.get_running_loop()
        self._ended: Future[None] = self._loop.create_future()
        opened: Future[sqlite3.Connection] = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, args=(partitions, opened), name="bus-writer", daemon=True)
        self._thread.start()
        try:
            return await opened
        except UnusableLog:
            self._thread.join()
            self._turnstile.close()
            raise

    def append(self, rows: Rows, work: Work | None = None) -> Future[Any]:
        """Write the events, and run that in the same transaction; done once they are synced. Raises Retry."""
        done: Future[Any] = self._wait()
        events = [len(value) for part in rows.values() for _, value in part]
        self._jobs.put(_Job(done, rows, work, len(events), sum(events)))
        return done

    def do(self, work: Callable[[sqlite3.Connection], T], *, size: int = 0) -> Future[T]:
        """Run that inside a write transaction; it writes about `size` bytes. Raises Retry."""
        done: Future[T] = self._wait()
        self._jobs.put(_Job(done, None, work, 1, size))
        return done

    def _wait(self) -> Future[Any]:
        done: Future[Any] = self._loop.create_future()
        self._waiting[done] = self._loop.time()
        return done

    def overdue(self) -> None:
        """Report a timeout to callers that have waited too long. Called once in a while, on the loop."""
        late = self._loop.time() - PATIENCE
        self._fail([done for done, since in self._waiting.items() if since < late], Retry("the log does not answer"))

    async def close(self) -> None:
        """Finish the pending jobs, close the connections, end the thread."""
        self._jobs.put(None)
        await self._ended
        self._thread.join()

    def _run(self, partitions: int, opened: Future[sqlite3.Connection]) -> None:
        try:
            log = self._open(partitions)
        except Exception as error:  # any fault: the caller of `open` gets it
            self._call(opened.set_exception, error)
            return
        self.partitions = log.partitions
        self._call(opened.set_result, log.reads)
        ending = False
        while not ending:
            jobs, ending = self._gather()
            if jobs:
                self._write(log.writes, jobs)
        with suppress(OSError, sqlite3.Error), self._turnstile:
            log.close()
        self._turnstile.close()
        self._call(self._ended.set_result, None)

    def _open(self, partitions: int) -> SqliteConnections:
        try:
            make_folder(self._path.parent)
            with self._turnstile:
                return open_log(self._path, partitions)
        except OSError as error:
            raise UnusableLog(f"the folder of the log cannot be written: {error.strerror}") from error

    def _gather(self) -> tuple[list[_Job], bool]:
        jobs: list[_Job] = []
        size, job = 0, self._jobs.get()
        if self._last_group >= SIBLINGS:
            with suppress(OSError):  # libfaketime, by which the drill sets clocks, cannot sleep; the thread must go on
                time.sleep(DELAY)
        while job is not None:
            jobs.append(job)
            size += job.events
            if size >= GROUP or self._jobs.empty():
                self._last_group = len(jobs)
                return jobs, False
            job = self._jobs.get()
        return jobs, True

    def _write(self, connection: sqlite3.Connection, jobs: list[_Job]) -> None:
        try:
            with self._turnstile:
                heads, results = self._transact(connection, jobs)
                self._call(self._resolve, jobs, results, heads)
                self._checkpoint(connection)
        except (sqlite3.Error, OSError) as error:
            self._call(self._fail, [job.done for job in jobs], Retry(f"the log cannot be written: {error}"))
        except Exception as error:  # a bug of ours: the callers get it, the thread goes on
            self._call(self._fail, [job.done for job in jobs], error)

    def _transact(self, connection: sqlite3.Connection, jobs: list[_Job]) -> tuple[dict[Slot, int], list[Any]]:
        rows = _merge(jobs)
        connection.execute("BEGIN IMMEDIATE")
        try:
            heads = _log.append_events(connection, rows, _log.to_micros(self._clock()), self.partitions)
            results = [job.work(connection) if job.work else None for job in jobs]
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # some faults have rolled it back already
                connection.execute("ROLLBACK")
            raise
        self._written += 16_384 + sum(job.size for job in jobs)
        return heads, results

    def _checkpoint(self, connection: sqlite3.Connection) -> None:
        if self._written < CHECKPOINT_BYTES:
            return
        self._written = 0
        with suppress(sqlite3.Error):  # the events are durable already; the next checkpoint tries again
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > WAL_PAGES:
                _truncate(connection)

    def _resolve(self, jobs: list[_Job], results: list[Any], heads: dict[Slot, int]) -> None:
        for job, result in zip(jobs, results, strict=True):
            self._waiting.pop(job.done, None)
            if not job.done.done():  # its caller may have gone
                job.done.set_result(result)
        if heads:
            self._committed(heads)

    def _fail(self, waiting: list[Future[Any]], error: Exception) -> None:
        for done in waiting:
            self._waiting.pop(done, None)
            if not done.done():
                done.set_exception(copy(error))  # a copy each: a raised exception carries its caller's traceback

    def _call(self, call: Callable[..., object], *args: object) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(call, *args)


def _truncate(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA busy_timeout=50")  # milliseconds for readers to end, while all writers wait
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.execute("PRAGMA busy_timeout=5000")


def _merge(jobs: list[_Job]) -> Rows:
    merged: Rows = {}
    for job in jobs:
        for slot, events in (job.rows or {}).items():
            merged.setdefault(slot, []).extend(events)
    return merged

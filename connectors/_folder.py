"""A folder that is polled for files of rows: here or on another machine.

A file is taken when its size and time stood still for a while by our own clock, so that none is read while it is
written. It is copied first and known by its content: the same content under another name is not read again. Its rows
are handed over in batches, and the cursor says how far they are durable; only then is the file moved, into `selesai`,
or into `gagal` where it cannot be read. Where it may not be moved, it stays, and is remembered.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from mimetypes import guess_type
from typing import Any, BinaryIO, NamedTuple, Protocol
from urllib.parse import quote

import msgspec
from msgspec import structs

from connectors._request import Request
from connectors._results import PollResult
from connectors._rows import NamedRow, UnreadableFile, name_rows, read_rows, row_headers

DONE, FAILED = b"selesai", b"gagal"
NOTE = "row-note"
AT_ONCE = 1000
"""Rows of a poll."""
REMEMBERED = 2000
"""Files of which the content is remembered, and files of the folder that are looked at."""
LARGEST = 1024 * 1024 * 1024
"""Bytes of a file."""
_ATTACHED = ("image/", "audio/", "video/")
"""What rows name beside a table: it waits in the folder."""
_UNFINISHED = (b".tmp", b".part", b".partial", b".filepart", b".crdownload", b".swp")


class FolderFile(NamedTuple):
    """A file as it lies."""

    name: bytes
    size: int
    time: int
    """Its last change, as the machine that has it counts."""


class Folder(Protocol):
    """Where the files lie. Each method raises Retry or AccountFault."""

    async def files(self) -> list[FolderFile]:
        """The regular files right inside."""
        ...

    async def copy(self, name: bytes, out: BinaryIO, limit: int) -> None:
        """The content of a file, at most one byte more than the limit. Raises UnreadableFile where it may not be
        read."""
        ...

    async def read(self, path: Sequence[bytes], limit: int) -> bytes | None:
        """The content of a regular file in or under the folder, at most one byte more than the limit. None: there is no
        such file, or its path leads out of the folder."""
        ...

    async def move(self, name: bytes, into: bytes, as_name: bytes) -> bool:
        """Into a folder inside, which is made. False: it may not be moved."""
        ...


class Seen(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A file as it lay when it was seen first like this."""

    size: int
    time: int
    since: float
    """Seconds of our own clock."""
    stays: bool = False
    """It was taken, and may not be moved."""


class Taking(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The file whose rows are handed over."""

    name: str
    digest: str = ""
    rows: int = 0
    """How many are durable."""
    ended: bool = False
    failed: bool = False


class FolderCursor(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Where the next poll goes on."""

    seen: dict[str, Seen] = msgspec.field(default_factory=dict)
    taking: Taking | None = None
    digests: list[str] = msgspec.field(default_factory=list)
    """Of the files that were taken."""


class _Open(NamedTuple):
    """A copy that is being read."""

    digest: str
    rows: Iterator[NamedRow]
    at: int


class FolderPoller:
    """Polls one folder."""

    def __init__(self, columns: Mapping[str, str], settled: float, now: Callable[[], datetime]) -> None:
        self._columns, self._settled, self._now = columns, settled, now
        self._open: _Open | None = None

    async def poll(self, written: str | None, folder: Folder) -> PollResult:
        """One batch of rows, or what is new in the folder. Raises Retry or AccountFault."""
        cursor = _decoded(written)
        if cursor.taking and not cursor.taking.ended:
            return await self._read(cursor, cursor.taking, folder)
        if cursor.taking:
            cursor = await _put_away(cursor, cursor.taking, folder)
        now = self._now().astimezone(UTC).timestamp()
        files = {quote(file.name): file for file in await folder.files() if _is_whole(file)}
        cursor = structs.replace(cursor, seen=_looked_at(cursor.seen, files, now))
        ready = (name for name, seen in cursor.seen.items() if not seen.stays and now - seen.since >= self._settled)
        if (name := next(ready, None)) is None:
            return PollResult((), _encoded(cursor))
        return PollResult((), _encoded(structs.replace(cursor, taking=Taking(name=name))), more=True)

    async def _read(self, cursor: FolderCursor, taking: Taking, folder: Folder) -> PollResult:
        try:
            rows, taking = await self._batch(cursor, taking, folder)
            requests = [Request(headers=_headers(row), body=row.body) for row in rows]
        except UnreadableFile as fault:
            taking = structs.replace(taking, ended=True, failed=True)
            id = taking.digest or hashlib.sha256(taking.name.encode()).hexdigest()[:32]
            requests = [Request(headers={"row-fault": "unreadable_file", "row-id": id}, body=str(fault).encode())]
        return PollResult(requests, _encoded(_taken(cursor, taking)), more=True)

    async def _batch(self, cursor: FolderCursor, taking: Taking, folder: Folder) -> tuple[Sequence[NamedRow], Taking]:
        """The next rows, and how far the file is taken with them. Raises UnreadableFile."""
        opened, self._open = self._open, None
        if opened is None or (opened.digest, opened.at) != (taking.digest, taking.rows):
            opened = await self._opened(taking, folder)
        if opened is None or opened.digest in cursor.digests:  # it is gone, or was read before
            return (), structs.replace(taking, digest=opened.digest if opened else "", ended=True)
        rows = await asyncio.to_thread(lambda: list(islice(opened.rows, AT_ONCE)))
        at, ended = opened.at + len(rows), len(rows) < AT_ONCE
        if not ended:
            self._open = opened._replace(at=at)
        return rows, structs.replace(taking, digest=opened.digest, rows=at, ended=ended)

    async def _opened(self, taking: Taking, folder: Folder) -> _Open | None:
        """The copy of the file, read as far as its rows are durable; None: it is there no more. A file that was changed
        in between is read from its beginning: its rows are told by their ids."""
        name = next((file.name for file in await folder.files() if quote(file.name) == taking.name), None)
        if name is None:
            return None
        copy: Any = tempfile.SpooledTemporaryFile(max_size=1024 * 1024)  # noqa: SIM115 - it lives while its rows are read
        try:
            await folder.copy(name, copy, LARGEST)
        except BaseException:
            copy.close()
            raise
        digest = await asyncio.to_thread(_digest, copy)
        at = taking.rows if digest == taking.digest else 0
        rows = _rows(name.decode("utf-8", "replace"), copy, self._columns)
        weakref.finalize(rows, copy.close)  # also where another process goes on with the file
        await asyncio.to_thread(lambda: next(islice(rows, at, at), None))
        return _Open(digest, rows, at)


def _headers(row: NamedRow) -> dict[str, str]:
    """Nobody stands by: what is odd about a row goes with it."""
    return row_headers(row) | ({NOTE: row.note} if row.note else {})


def _rows(name: str, copy: BinaryIO, columns: Mapping[str, str]) -> Iterator[NamedRow]:
    if copy.seek(0, 2) > LARGEST:
        raise UnreadableFile(f"{name} is over 1 GiB: cut it into several files")
    copy.seek(0)
    yield from name_rows(read_rows(name, copy, columns))


def _digest(copy: BinaryIO) -> str:
    copy.seek(0)
    found = hashlib.sha256()
    while chunk := copy.read(1024 * 1024):
        found.update(chunk)
    return found.hexdigest()[:32]


async def _put_away(cursor: FolderCursor, taking: Taking, folder: Folder) -> FolderCursor:
    """Move the file whose rows are durable, unless it has changed since."""
    name = next((file for file in await folder.files() if quote(file.name) == taking.name), None)
    seen = dict(cursor.seen)
    known = seen.pop(taking.name, None)
    read = taking.digest or taking.failed
    if name and known and read and (name.size, name.time) == (known.size, known.time):
        as_name = name.name if not taking.digest else _dated(name.name, taking.digest)
        if not await folder.move(name.name, FAILED if taking.failed else DONE, as_name):
            seen[taking.name] = structs.replace(known, stays=True)
    return structs.replace(cursor, seen=seen, taking=None)


def _dated(name: bytes, digest: str) -> bytes:
    """Two files of one name with other content both stand."""
    stem, dot, ending = name.rpartition(b".")
    mark = b"." + digest[:8].encode()
    return stem + mark + dot + ending if dot and stem else name + mark


def _taken(cursor: FolderCursor, taking: Taking) -> FolderCursor:
    is_new = taking.ended and not taking.failed
    digests = [*cursor.digests, taking.digest][-REMEMBERED:] if is_new else cursor.digests
    return structs.replace(cursor, taking=taking, digests=digests)


def _is_whole(file: FolderFile) -> bool:
    """Not one that some program has not finished by its own name for it, not an empty one, and no picture."""
    if (guess_type(file.name.decode("utf-8", "replace"))[0] or "").startswith(_ATTACHED):
        return False
    return file.size > 0 and not file.name.startswith((b".", b"~")) and not file.name.lower().endswith(_UNFINISHED)


def _looked_at(before: Mapping[str, Seen], files: Mapping[str, FolderFile], now: float) -> dict[str, Seen]:
    """The newest of many: where they may not be moved, the old ones would hide the new for ever."""
    found = {}
    for name, file in sorted(files.items(), key=lambda item: (item[1].time, item[0]))[-REMEMBERED:]:
        known = before.get(name)
        same = known is not None and (known.size, known.time) == (file.size, file.time)
        is_past = known is not None and (known.stays or known.since <= now)  # else our clock was ahead
        found[name] = known if known and same and is_past else Seen(size=file.size, time=file.time, since=now)
    return found


def _decoded(written: str | None) -> FolderCursor:
    """One that cannot be read is none: what was read before is then read again, and told by its ids."""
    try:
        return msgspec.json.decode(written or "{}", type=FolderCursor)
    except msgspec.MsgspecError:
        return FolderCursor()


def _encoded(cursor: FolderCursor) -> str:
    return msgspec.json.encode(cursor).decode()

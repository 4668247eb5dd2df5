"""Resumable uploads: what the routes do, with the folder's answers as problems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from starlette.requests import ClientDisconnect, Request

from connectors._report import ReportFile
from hub.web.api.problems import Problem, invalid_fields, not_stored
from hub.web.idempotency import Caller
from hub.web.media_types import media_type_of
from hub.web.submissions import MOST_FILES
from hub.web.translations import TranslatableText
from hub.web.uploads_headers import Checksum, file_name
from hub.web.uploads_store import QuotaReached, UploadGone, UploadStore, UploadUnknown
from hub.web.uploads_writing import UploadLocked, UploadState, UploadWriter

if TYPE_CHECKING:
    from hub.running.pools import Pools
    from sink import Blobs, Record

T = TypeVar("T")
CountBytes = Callable[[int], None]
PATIENCE = 30.0
"""Seconds that a sender may be silent within a body."""
PIECE = 256 * 1024
"""Bytes that are written at a time."""
SYNCED_EVERY = 8 * 1024 * 1024
"""Bytes after which what came is synced, so that a long body that breaks off is not lost."""


class CallerUploads:
    """Uploads of callers that show a key. Each sees its own only."""

    def __init__(
        self, store: UploadStore, *, blobs: Blobs, record: Record, pools: Pools, clock: Callable[[], datetime]
    ) -> None:
        self._store, self._blobs, self._record, self._pools, self._clock = store, blobs, record, pools, clock

    async def create(self, caller: Caller, length: int, metadata: str) -> str:
        """The id of a new upload. Raises Problem."""
        return await self._ask(self._store.create, self._owner(caller), length, metadata, self._clock())

    async def state(self, caller: Caller, id: str) -> UploadState:
        """Raises Problem."""
        return await self._ask(self._store.state, self._owner(caller), id, self._clock())

    async def end(self, caller: Caller, id: str) -> None:
        """Raises Problem."""
        await self._ask(self._store.end, self._owner(caller), id, self._clock())

    async def append(
        self,
        caller: Caller,
        id: str,
        request: Request,
        *,
        offset: int,
        count_bytes: CountBytes,
        checksum: Checksum | None,
        require_fitting: Callable[[int], None],
    ) -> UploadState:
        """Take a body in at that offset: the state once it is durable. Raises Problem, ClientDisconnect."""
        writer: UploadWriter = await self._ask(self._store.open, self._owner(caller), id, self._clock())
        try:
            if offset != writer.state.offset:
                headers = {"Upload-Offset": str(writer.state.offset), "Connection": "close"}
                raise Problem(409, "upload_offset", headers=headers)
            require_fitting(writer.state.length - offset)
            return await self._take(writer, pieces(request, count_bytes), checksum)
        finally:
            await asyncio.shield(self._pools.io(writer.close))

    async def _take(self, writer: UploadWriter, body: AsyncIterator[bytes], checksum: Checksum | None) -> UploadState:
        """With a checksum nothing counts before all of it is right; else whatever came counts, however it ended."""
        left, unsynced = writer.state.length - writer.state.offset, 0
        try:
            async for piece in body:
                await self._ask(writer.write, piece[:left])
                if checksum:
                    checksum.hash.update(piece)
                if len(piece) > left:
                    raise Problem(413, "upload_too_long", headers={"Connection": "close"})
                left, unsynced = left - len(piece), unsynced + len(piece)
                if not checksum and unsynced >= SYNCED_EVERY:
                    unsynced = 0
                    await self._ask(writer.commit, self._clock())
        except (Problem, ClientDisconnect):
            if not checksum:
                await self._ask(writer.commit, self._clock())
            raise
        if checksum and checksum.hash.digest() != checksum.expected:
            raise Problem(460, "upload_checksum")
        return await self._ask(writer.commit, self._clock())

    async def files(self, caller: Caller, references: Sequence[str], beside: int) -> list[ReportFile]:
        """Finished uploads as files of a report, by id or address. They lie with the blobs then. Raises Problem that
        names what is wrong."""
        if len(references) + beside > MOST_FILES:
            raise invalid_fields({"uploads": TranslatableText("error_too_many_files")})
        ids = [reference.rpartition("/")[2] for reference in references]
        if len(set(ids)) < len(ids) or not caller.has_key:
            raise invalid_fields({"uploads": TranslatableText("error_upload")})
        judged = [await self._judged(caller, id) for id in ids]
        return [await self._kept(caller, file) for file in judged]

    async def _judged(self, caller: Caller, id: str) -> _JudgedFile:
        try:
            state = await self.state(caller, id)
        except Problem as problem:
            if problem.status >= 500:
                raise
            raise invalid_fields({"uploads": TranslatableText("error_upload")}) from None
        if not state.is_complete:
            raise invalid_fields({"uploads": TranslatableText("error_upload")})
        start = await self._start(caller, id, state)
        media_type, name = media_type_of(start), file_name(state.metadata)
        if media_type is None:
            raise invalid_fields({"uploads": TranslatableText("error_file_type", {"name": name})})
        return _JudgedFile(id, name, media_type, state.length)

    async def _start(self, caller: Caller, id: str, state: UploadState) -> bytes:
        if state.sha256:
            return (await self._pools.io(self._blobs.get, state.sha256))[:16]
        return await self._ask(self._store.first_bytes, self._owner(caller), id, 16)

    async def _kept(self, caller: Caller, file: _JudgedFile) -> ReportFile:
        sha256 = await self._ask(self._store.move_to_blobs, self._owner(caller), file.id, self._clock(), self._blobs)
        return ReportFile(sha256=sha256, name=file.name, media_type=file.media_type, size=file.size)

    async def _ask(self, call: Callable[..., T], *args: object) -> T:
        """What the folder says. Raises Problem."""
        try:
            return await self._pools.io(call, *args)
        except tuple(_PROBLEMS) as fault:
            status, key = _PROBLEMS[type(fault)]
            wait = {"Retry-After": "2"} if status in {423, 429} else {}
            raise Problem(status, key, headers={"Connection": "close", **wait}) from None
        except OSError:
            raise not_stored() from None

    def _owner(self, caller: Caller) -> str:
        return self._record.vault.digest("caller", caller.name).hex()


class _JudgedFile(NamedTuple):
    id: str
    name: str
    media_type: str
    size: int


_PROBLEMS: dict[type[Exception], tuple[int, str]] = {
    UploadUnknown: (404, "upload_unknown"),
    UploadGone: (410, "upload_gone"),
    UploadLocked: (423, "upload_locked"),
    QuotaReached: (429, "upload_quota"),
}


async def pieces(request: Request, count_bytes: CountBytes) -> AsyncIterator[bytes]:
    """The body in larger pieces; what came before the sender left, or fell silent, is among them. Raises Problem,
    ClientDisconnect."""
    buffer = bytearray()
    stream = request.stream()
    while True:
        fault: Exception | None = None
        try:
            async with asyncio.timeout(PATIENCE):
                part = await anext(stream, None)
            count_bytes(len(part or b""))
        except TimeoutError:
            fault, part = Problem(408, "too_slow", headers={"Connection": "close"}), None
        except (ClientDisconnect, Problem) as error:
            fault, part = error, None
        buffer += part or b""
        if buffer and (part is None or len(buffer) >= PIECE):
            yield bytes(buffer)
            buffer.clear()
        if fault is not None:
            raise fault
        if part is None:
            return

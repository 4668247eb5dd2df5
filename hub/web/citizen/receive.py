"""What was sent to us, JSON or multipart, taken apart within its limits; nothing is judged here but files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from hub.web.api.problems import Problem
from hub.web.citizen.words import Said

MOST_FILES = 5
FILE_LIMIT = 5 * 1024 * 1024
JSON_LIMIT = 256 * 1024
WHOLE_LIMIT = 64 * 1024 * 1024
"""Bytes, all three. A whole request may be more than five full files, so that a file too large can still be named."""
READ_WITHIN = 30.0
"""Seconds that a whole request may take to arrive."""

_LISTS = frozenset({"tags"})
_OBJECTS = frozenset({"external_ids", "extra"})
_MAGIC = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF8", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)


class Upload(NamedTuple):
    """A file as it came; its media type is what its bytes say."""

    name: str
    media_type: str
    body: bytes


class Given(NamedTuple):
    """What was sent. Empty fields are left out: a form sends them all."""

    values: dict[str, Any]
    files: Sequence[Upload] = ()
    errors: dict[str, Said] = {}  # noqa: RUF012 - a tuple's default, never written to
    """What is wrong with the files, or with how often a field came."""


async def receive(request: Request, limit: int = WHOLE_LIMIT) -> Given:
    """The request's fields and files. Raises Problem where it is neither form nor JSON object, too large, too slow."""
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await _receive(request, limit)
    except TimeoutError:
        raise Problem(408, "too_slow", headers={"Connection": "close"}) from None


async def _receive(request: Request, limit: int) -> Given:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return await _json(request, min(limit, JSON_LIMIT))
    if kind in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        return await _form(request, limit)
    raise Problem(415, "media_type")


def media_type(body: bytes) -> str | None:
    """What the first bytes say; None: no picture, PDF or video."""
    return next((kind for at, magic, kind in _MAGIC if body.startswith(magic, at)), None)


def _too_large() -> Problem:
    return Problem(413, "too_large", headers={"Connection": "close"})


async def _json(request: Request, limit: int) -> Given:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise _too_large()
    try:
        values = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "malformed") from None
    return Given({k: v for k, v in values.items() if v is not None and v != ""})


async def _form(request: Request, limit: int) -> Given:
    limited = Request(request.scope, _limited(request.receive, limit))
    try:
        form = await limited.form(max_files=MOST_FILES * 4, max_fields=100, max_part_size=JSON_LIMIT)
    except HTTPException:
        raise Problem(400, "malformed") from None
    values: dict[str, Any] = {}
    errors: dict[str, Said] = {}
    files: list[Upload] = []
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                await _file(name, value, files, errors)
            elif value.strip():
                _value(name, value.replace("\r\n", "\n"), values, errors)
    finally:
        await form.close()
    return Given(values, files, errors)


def _limited(receive: Receive, limit: int) -> Receive:
    read = 0

    async def counted() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise _too_large()
        return message

    return counted


def _value(name: str, value: str, values: dict[str, Any], errors: dict[str, Said]) -> None:
    if name in _LISTS:
        values.setdefault(name, []).append(value)
    elif name in values:
        errors[name] = Said("error_twice")
    else:
        values[name] = _object(value) if name in _OBJECTS else value


def _object(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value


async def _file(field: str, upload: UploadFile, files: list[Upload], errors: dict[str, Said]) -> None:
    name = (upload.filename or "")[:200]
    if not name and not upload.size:
        return
    if field != "files":
        errors[field] = Said("error_unknown_field")
    elif len(files) >= MOST_FILES:
        errors["files"] = Said("error_too_many_files")
    elif (upload.size or 0) > FILE_LIMIT:
        errors["files"] = Said("error_file_size", {"name": name})
    else:
        body = await upload.read()
        kind = media_type(body)
        files.append(Upload(name, kind or "", body))
        if kind is None:
            errors["files"] = Said("error_file_type", {"name": name})

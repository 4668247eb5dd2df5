"""A submitted report, JSON or form, taken apart within its limits. Only its files are judged here."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message

from connectors._json import decode_lenient
from hub.web.api.problems import Problem, not_stored, too_large
from hub.web.media_types import media_type_of
from hub.web.translations import TranslatableText

T = TypeVar("T")
MOST_FILES = 5
FILE_LIMIT = 5 * 1024 * 1024
JSON_LIMIT = 256 * 1024
REQUEST_LIMIT = 64 * 1024 * 1024
"""Bytes, all three. A whole request may be more than five full files, so that a file too large can still be named."""
PATIENCE = 30.0
"""Seconds that a request may take, however small it is."""
SLOWEST = 8 * 1024
"""Bytes a second: for each of them that arrived, the request may take as much longer."""

_LISTS = frozenset({"tags"})
_OBJECTS = frozenset({"external_ids", "extra"})


class Upload(NamedTuple):
    """A file as it came; its media type is the one of its first bytes."""

    name: str
    media_type: str
    body: bytes


class Submission(NamedTuple):
    """What was sent. Empty fields of a form are left out."""

    values: dict[str, Any]
    is_json: bool = False
    files: Sequence[Upload] = ()
    errors: dict[str, TranslatableText] = {}  # noqa: RUF012 - a tuple's default, never written to
    """What is wrong with the files, or with how often a field came."""


async def read_submission(
    request: Request, limit: int = REQUEST_LIMIT, count_bytes: Callable[[int], None] = lambda size: None
) -> Submission:
    """The request's fields and files. `count_bytes` hears of each part and may refuse it. Raises Problem where the
    request is neither form nor JSON object, too large, too slow, or cannot be kept for the moment."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        limited = _limited(request, min(limit, JSON_LIMIT), count_bytes)
        return await _read_json(limited)
    if media_type in {"multipart/form-data", "application/x-www-form-urlencoded"}:
        try:
            return await _read_form(_limited(request, limit, count_bytes))
        except OSError:  # files over 1 MiB are spooled to /tmp, which may be full
            raise not_stored() from None
    raise Problem(415, "media_type")


def _limited(request: Request, limit: int, count_bytes: Callable[[int], None]) -> Request:
    """The same request, whose body is refused once it is too large or too slow."""
    loop, size = asyncio.get_running_loop(), 0
    begun = loop.time()

    async def receive() -> Message:
        nonlocal size
        message = await _until(begun + PATIENCE + size / SLOWEST, request.receive)
        part = len(message.get("body", b""))
        size += part
        if size > limit:
            raise too_large(None if limit == REQUEST_LIMIT else limit)
        count_bytes(part)
        return message

    return Request(request.scope, receive)


async def _until(deadline: float, call: Callable[[], Awaitable[T]]) -> T:
    try:
        async with asyncio.timeout_at(deadline):
            return await call()
    except TimeoutError:
        raise Problem(408, "too_slow", headers={"Connection": "close"}) from None


async def _read_json(request: Request) -> Submission:
    body = b"".join([part async for part in request.stream()])
    try:
        values = decode_lenient(body)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise Problem(400, "malformed")
    return Submission(values, is_json=True, errors=_given_twice(body))


def _given_twice(body: bytes) -> dict[str, TranslatableText]:
    """Fields of the JSON object that stand twice: of two texts, one would vanish."""
    objects: list[list[tuple[str, Any]]] = []  # the outermost one ends last
    try:
        json.loads(body.decode("utf-8-sig", "replace"), object_pairs_hook=objects.append)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed") from None
    names = Counter(name for name, _ in objects[-1])
    return {name: TranslatableText("error_twice") for name, times in names.items() if times > 1}


async def _read_form(request: Request) -> Submission:
    try:
        form = await request.form(max_files=MOST_FILES * 4, max_fields=100, max_part_size=JSON_LIMIT)
    except HTTPException:
        raise Problem(400, "malformed") from None
    values: dict[str, Any] = {}
    errors: dict[str, TranslatableText] = {}
    files: list[Upload] = []
    try:
        for name, value in form.multi_items():
            if name.lstrip().startswith("{"):  # JSON, which curl -d calls a form
                raise Problem(415, "media_type")
            if isinstance(value, UploadFile):
                await _add_file(name, value, files, errors)
            elif value.strip():
                _add_value(name, value.replace("\r\n", "\n"), values, errors)
    finally:
        await form.close()
    return Submission(values, files=files, errors=errors)


def _add_value(name: str, value: str, values: dict[str, Any], errors: dict[str, TranslatableText]) -> None:
    if name in _LISTS:
        values.setdefault(name, []).append(value)
    elif name in values:
        errors[name] = TranslatableText("error_twice")
    else:
        values[name] = _as_object(value) if name in _OBJECTS else value


def _as_object(value: str) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return value


async def _add_file(field: str, upload: UploadFile, files: list[Upload], errors: dict[str, TranslatableText]) -> None:
    name = (upload.filename or "")[:200]
    if not name and not upload.size:
        return
    if field != "files":
        errors[field] = TranslatableText("error_unknown_field")
    elif len(files) >= MOST_FILES:
        errors["files"] = TranslatableText("error_too_many_files")
    elif (upload.size or 0) > FILE_LIMIT:
        errors["files"] = TranslatableText("error_file_size", {"name": name})
    else:
        body = await upload.read()
        media_type = media_type_of(body)
        files.append(Upload(name, media_type or "", body))
        if media_type is None:
            errors["files"] = TranslatableText("error_file_type", {"name": name})

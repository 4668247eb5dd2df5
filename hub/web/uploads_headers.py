"""The headers of tus 1.0, checked before the first byte of a body is read."""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any, NamedTuple

from hub.web.api.problems import Problem
from hub.web.uploads_writing import UploadState

VERSION = "1.0.0"
BODY_TYPE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,termination,expiration,checksum"
ALGORITHMS = ("sha1", "sha256")
METADATA_LIMIT = 2_000
"""Characters."""
NAME_LIMIT = 200
EVERYWHERE = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
CLIENT_HEADERS = (
    "Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum", "X-HTTP-Method-Override",
    "X-Requested-With", "X-Request-ID",
)  # fmt: skip
"""Those that clients of tus send."""
HUB_HEADERS = (
    "Tus-Resumable", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm", "Upload-Offset",
    "Upload-Length", "Upload-Metadata", "Upload-Expires",
)  # fmt: skip
"""Those that they read."""
_NUMBER = re.compile(r"[0-9]{1,15}")
_KEY = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,64}")

Headers = Mapping[str, str]


class Checksum(NamedTuple):
    """The digest that a body must have."""

    hash: Any
    expected: bytes


def require_version(headers: Headers) -> None:
    """Raises Problem."""
    if headers.get("tus-resumable") != VERSION:
        raise Problem(412, "upload_version", headers={"Tus-Version": VERSION, "Connection": "close"})


def length_of(headers: Headers, limit: int) -> int:
    """Of Upload-Length. A length that is told later is not taken: nothing would bound it. Raises Problem."""
    length = _number(headers, "upload-length")
    if length > limit:
        raise Problem(413, "upload_too_large", headers={"Connection": "close"}, limit=limit // 2**20)
    return length


def offset_of(headers: Headers) -> int:
    """Of Upload-Offset. Raises Problem."""
    return _number(headers, "upload-offset")


def require_body_type(headers: Headers) -> None:
    """Raises Problem."""
    if headers.get("content-type", "").strip().lower() != BODY_TYPE:
        raise Problem(415, "upload_type", headers={"Connection": "close"})


def has_body(headers: Headers) -> bool:
    """Does a creation bring the first bytes? Raises Problem where it brings something else."""
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return False
    require_body_type(headers)
    return True


def require_fitting(headers: Headers, left: int) -> None:
    """A body that says that it is longer than what is missing is refused unread. Raises Problem."""
    said = headers.get("content-length", "0")
    if not _NUMBER.fullmatch(said):
        raise wrong("Content-Length")
    if int(said) > left:
        raise Problem(413, "upload_too_long", headers={"Connection": "close"})


def checksum_of(headers: Headers) -> Checksum | None:
    """Of Upload-Checksum; None: there is none. Raises Problem."""
    value = headers.get("upload-checksum")
    if value is None:
        return None
    name, _, digest = value.partition(" ")
    if name not in ALGORITHMS:
        raise wrong("Upload-Checksum")
    expected = _base64(digest, "Upload-Checksum")
    hash = hashlib.new(name)
    if len(expected) != hash.digest_size:
        raise wrong("Upload-Checksum")
    return Checksum(hash, expected)


def metadata_of(headers: Headers) -> dict[str, str]:
    """Of Upload-Metadata: the client's words, of which none is believed. Raises Problem."""
    value = headers.get("upload-metadata", "")
    found: dict[str, str] = {}
    if len(value) > METADATA_LIMIT:
        raise wrong("Upload-Metadata")
    for pair in value.split(",") if value.strip() else ():
        key, _, coded = pair.strip().partition(" ")
        if not _KEY.fullmatch(key) or key in found:
            raise wrong("Upload-Metadata")
        found[key] = _base64(coded, "Upload-Metadata").decode("utf-8", "replace")
    return found


def file_name(metadata: str) -> str:
    """The name that the client gave the file, as it may be shown."""
    words = metadata_of({"upload-metadata": metadata})
    name = words.get("filename") or words.get("name") or ""
    return "".join(c for c in name if c.isprintable())[:NAME_LIMIT]


def described(state: UploadState) -> dict[str, str]:
    """The headers that say how far an upload is."""
    expires = format_datetime(state.expires_at.replace(microsecond=0), usegmt=True)
    return {"Upload-Offset": str(state.offset), "Upload-Expires": expires}


def wrong(header: str) -> Problem:
    """400, naming the header."""
    return Problem(400, "upload_header", headers={"Connection": "close"}, header=header)


def _number(headers: Headers, name: str) -> int:
    value = headers.get(name, "")
    if not _NUMBER.fullmatch(value):
        raise wrong(name.title())
    return int(value)


def _base64(coded: str, header: str) -> bytes:
    try:
        return b64decode(coded, validate=True)
    except (binascii.Error, ValueError):
        raise wrong(header) from None

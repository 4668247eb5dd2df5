"""The headers of tus, which no route takes as a parameter, for the description of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.web.uploads_headers import ALGORITHMS, BODY_TYPE, VERSION

_ABOUT: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Tus-Resumable": ("The version of tus.", {"type": "string", "enum": [VERSION]}),
    "Tus-Version": ("The versions that are known.", {"type": "string"}),
    "Tus-Extension": ("The extensions that are known.", {"type": "string"}),
    "Tus-Max-Size": ("Bytes that a file may have.", {"type": "integer"}),
    "Tus-Checksum-Algorithm": (", ".join(ALGORITHMS), {"type": "string"}),
    "Upload-Length": ("Bytes of the whole file.", {"type": "integer"}),
    "Upload-Offset": ("Bytes that are safe with us.", {"type": "integer"}),
    "Upload-Metadata": ("As `filename`, a blank, and the name in Base64.", {"type": "string"}),
    "Upload-Checksum": ("`sha1` or `sha256`, a blank, and the digest of the body in Base64.", {"type": "string"}),
    "Upload-Expires": ("When an upload without further bytes is forgotten.", {"type": "string"}),
    "Location": ("Where the bytes go; what a report names in `uploads`.", {"type": "string", "format": "uri"}),
}


def _parameters(*names: str, optional: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "in": "header", "required": name not in optional,
            "description": _ABOUT[name][0], "schema": dict(_ABOUT[name][1]),
        }
        for name in ("Tus-Resumable", *names, *optional)
    ]  # fmt: skip


def _answer(description: str, *names: str) -> dict[str, Any]:
    headers = {n: {"description": _ABOUT[n][0], "schema": dict(_ABOUT[n][1])} for n in ("Tus-Resumable", *names)}
    return {"description": description, "headers": headers}


_KEYS: dict[str, Any] = {"security": [{"bearer": []}, {"key": []}]}
_BYTES = {"content": {BODY_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
CREATE: dict[str, Any] = {
    **_KEYS,
    "parameters": _parameters("Upload-Length", optional=("Upload-Metadata", "Upload-Checksum")),
    "requestBody": {"required": False, **_BYTES},
}
READ: dict[str, Any] = {**_KEYS, "parameters": _parameters()}
APPEND: dict[str, Any] = {
    **_KEYS,
    "parameters": _parameters("Upload-Offset", optional=("Upload-Checksum",)),
    "requestBody": {"required": True, **_BYTES},
}
END = READ
CREATED = _answer("The upload waits for its bytes.", "Location", "Upload-Offset", "Upload-Expires")
FOUND = _answer("How far it is.", "Upload-Offset", "Upload-Length", "Upload-Metadata", "Upload-Expires")
APPENDED = _answer("The bytes are safe with us.", "Upload-Offset", "Upload-Expires")
ABILITIES = _answer(
    "What this server can do.", "Tus-Version", "Tus-Extension", "Tus-Max-Size", "Tus-Checksum-Algorithm"
)

"""What a file is by its first bytes: pictures, PDF and video are taken, nothing else."""

from __future__ import annotations

_SIGNATURES = (
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
"""Offset, bytes there, media type; the first that fits."""


def media_type_of(body: bytes) -> str | None:
    """The media type; None: no picture, PDF or video."""
    return next((kind for at, signature, kind in _SIGNATURES if body.startswith(signature, at)), None)

"""What a text holds beyond ASCII: of most texts nothing or a few signs, so that the rest may go the quick ways."""

from __future__ import annotations

_ASCII = bytes(range(128))


def letters_beyond_ascii(text: str) -> str:
    """All letters and signs of the text that are not ASCII, in their order; no lone surrogates."""
    return "" if text.isascii() else text.encode("utf-8", "replace").translate(None, _ASCII).decode()

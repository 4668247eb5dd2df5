"""Text as both databases take it."""

from __future__ import annotations

from typing import Any

from schemas import encode


def without_nul(text: str) -> str:
    """PostgreSQL's text holds no NUL; the Raw still has it."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


def json_or_none(value: Any) -> str | None:
    """JSON; None where the value is empty."""
    return encode(value).decode() if value else None

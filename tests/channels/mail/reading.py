"""Mails as bytes, and how the recording's account reads them."""

from __future__ import annotations

from typing import Any

from connectors import Request
from schemas import Message
from tests.channels.recording import channel, raw, read

OURS = "pengaduan@example.go.id"
OWN_ID = "sp.balasan-1.0123456789abcdef@example.go.id"
SARI = "Sari <sari@warga.example>"
TEXT = "Jalan di depan pasar berlubang."


def mail(text: str = TEXT, /, *lines: str, **fields: str) -> bytes:
    """A mail with more fields, or others: `from_`, `message_id`, … or whole lines."""
    named = {"from": SARI, "to": OURS, "subject": "Jalan rusak", "message-id": "<m1@warga.example>"}
    named |= {name.strip("_").replace("_", "-"): value for name, value in fields.items()}
    head = [f"{name}: {value}" for name, value in named.items() if value]
    return "\r\n".join((*head, *lines, "", text, "")).encode()


def read_one(body: bytes, *, headers: dict[str, str] | None = None, **settings: Any) -> Any:
    """The one item of a mail."""
    (item,) = read(channel("email", **settings), raw("email", Request(headers=headers or {}, body=body)))
    return item


def read_message(body: bytes, **settings: Any) -> Message:
    """The message of a mail."""
    item = read_one(body, **settings)
    assert isinstance(item, Message), item
    return item

"""How the made-up channels read a request: `{"items": […]}`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors import Channel, ErrorMeaning, Item, Part, Payload
from schemas import Actor, Attachment, Party, Raw, Reject

CODES = {
    "busy": ErrorMeaning("retry", "busy", "nothing was taken"),
    "password": ErrorMeaning("account", "wrong_password", "enter the provider's new password"),
    "quota": ErrorMeaning("account", "quota_spent", "wait for the next hour", 3600.0),
    "recipient": ErrorMeaning("reject", "recipient_unknown", "the provider does not know this person"),
}
"""The made-up providers' codes and their meaning."""


class Items(Channel):
    """Reads items."""

    conversational = True

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            items = msgspec.json.decode(payload.body)["items"]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError):
            raise Reject("not_items", "a request is an object with items") from None
        for item in items if isinstance(items, list) else [items]:
            sender = item.get("from") if isinstance(item, dict) else None
            yield Part(item, sender if isinstance(sender, str) and sender else None)

    def read(self, part: Part, raw: Raw) -> Item:
        match part.payload:
            case {"receipt": str(native), "state": "delivered" | "failed" as state, **more}:
                return self.receipt(raw, native_id=native, state=state, at=raw.received_at, reply=_text(more, "ref"))
            case {"act": str(native), "number": str(number), "status": "done" | "in_progress" as status, "at": str(at)}:
                office = Actor(kind="office", id="dinas")
                return self.action(
                    raw, native, what="status", number=number, status=status, observed_at=_time(at), actor=office
                )
            case {"id": str(native), "from": str(sender), "text": str(text), **more} if native and sender:
                photo = _text(more, "photo")
                files = (Attachment(native_id=photo, media_type="image/jpeg"),) if photo else ()
                return self.message(
                    raw, native, sender, text=text, attachments=files, sender=Party(user=f"{self.kind}:{sender}")
                )
        raise Reject("unknown_item", "neither a message nor a receipt nor an action")


def _time(written: str) -> datetime:
    try:
        return datetime.fromisoformat(written).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Reject("wrong_time", "at takes a time with a zone") from None


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    return value if isinstance(value, str) else None

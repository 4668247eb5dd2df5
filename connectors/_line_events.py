"""LINE's webhook events: whose each is, and the fields of a Message.

A conversation is the citizen's user id, in a group or room `GROUP:USER`. Facts:
developers.line.biz/en/reference/messaging-api: webhook event objects (November 2026).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from connectors._json import Json, object_of, string_of
from schemas import Attachment, MessageKind, Party, Place, Raw, Reject

_KINDS: dict[str, MessageKind] = {
    "text": "text", "image": "image", "video": "video", "audio": "audio", "file": "document", "location": "location",
    "sticker": "sticker",
}  # fmt: skip
_FILES: dict[str, str | None] = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/mp4", "file": None}
"""Messages that are files, and the type of those for which LINE names none."""
_NOTICES = frozenset({
    "follow", "unfollow", "join", "leave", "memberJoined", "memberLeft", "beacon", "accountLink", "videoPlayComplete",
    "membership", "module", "activated", "deactivated", "botSuspended", "botResumed", "delivery", "things",
})  # fmt: skip
"""Events that hold no citizen's words."""
REPLIED_WITHIN = timedelta(seconds=50)
"""The age up to which a reply token is used; LINE promises a minute."""
_REPLY_TOKEN = "reply_token"  # noqa: S105 - the name of a field
_ADDRESS = re.compile(r"([^:|\s]{1,100})(?::[^|]*)?(?:\|([^|\s]{1,200})\|(\d{1,15}))?")


class Event(NamedTuple):
    """One event of a webhook."""

    value: Json

    @property
    def native_id(self) -> str | None:
        """The id of the message that it brings, as quotes, edits and unsends name it; else that of the event."""
        brings = string_of(self.value, "type") == "message"
        message = string_of(object_of(self.value, "message"), "id") if brings else ""
        return message or string_of(self.value, "webhookEventId") or None

    @property
    def conversation(self) -> str | None:
        """None: it names nobody."""
        source = object_of(self.value, "source")
        user = string_of(source, "userId")
        group = string_of(source, "groupId") or string_of(source, "roomId")
        return f"{group}:{user}" if group and user else group or user or None


class Address(NamedTuple):
    """Where an answer goes, and the token by which it costs nothing."""

    to: str
    """Id of a user, group or room."""
    token: str | None = None
    received_at: datetime | None = None
    """When the token came."""

    def young(self, at: datetime) -> bool:
        """May the token be used at that time?"""
        return self.received_at is not None and at - self.received_at < REPLIED_WITHIN

    @classmethod
    def of(cls, written: str) -> Address:
        """As `written` made it, or a conversation. Raises Reject."""
        found = _ADDRESS.fullmatch(written)
        if found is None:
            raise Reject("no_address", "the conversation names no id of LINE's")
        to, token, millis = found.groups()
        return cls(to, token, _instant(int(millis)) if millis else None)


def address_of(conversation: str, extra: dict[str, str], received_at: datetime) -> str:
    """The address of an answer to a message, with its token."""
    token = extra.get(_REPLY_TOKEN)
    return f"{conversation}|{token}|{int(received_at.timestamp() * 1000)}" if token else conversation


def read_event(event: Event, raw: Raw) -> dict[str, Any]:
    """The fields of a `Message`."""
    value, word = event.value, string_of(event.value, "type") or "none"
    user = string_of(object_of(value, "source"), "userId")
    fields: dict[str, Any] = {
        "sent_at": _time(value),
        "sender": Party(user=f"line:{user}") if user else Party(),
        "answerable": event.conversation is not None and string_of(value, "mode") != "standby",
        "extra": _extra(value),
    }
    if word in {"message", "messageEdited"}:
        return fields | _message(object_of(value, "message"), edited=word == "messageEdited")
    if word == "unsend":
        return fields | {"kind": "deletion", "refers_to": string_of(object_of(value, "unsend"), "messageId") or None}
    if word == "postback":
        return fields | {"kind": "interactive", "text": string_of(object_of(value, "postback"), "data")}
    if word in _NOTICES:
        return fields | {"kind": "system", "kind_word": word, "refusal": "notice"}
    return fields | {"kind": "unknown", "kind_word": word[:60], "answerable": False}


def _message(message: Json, *, edited: bool) -> dict[str, Any]:
    word = string_of(message, "type") or "none"
    kind = _KINDS.get(word, "unknown")
    fields: dict[str, Any] = {
        "kind": kind,
        "kind_word": word[:60] if kind == "unknown" else None,
        "text": string_of(message, "text"),
        "place": _place(message) if word == "location" else None,
        "attachments": tuple(_files(message, word)),
        "refers_to": string_of(message, "quotedMessageId") or None,
    }
    return fields | {"kind": "edit", "refers_to": string_of(message, "id") or None} if edited else fields


def _files(message: Json, word: str) -> list[Attachment]:
    if word not in _FILES:
        return []
    provider = object_of(message, "contentProvider")
    size = message.get("fileSize")
    elsewhere = string_of(provider, "type") == "external"
    file = Attachment(
        native_id=None if elsewhere else string_of(message, "id") or None,
        url=string_of(provider, "originalContentUrl") or None if elsewhere else None,
        media_type=_FILES[word],
        name=string_of(message, "fileName") or None,
        size=size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 2**53 else None,
    )
    return [file] if file.native_id or file.url else []


def _place(message: Json) -> Place | None:
    lat, lon = message.get("latitude"), message.get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float) or abs(lat) > 90 or abs(lon) > 180:
        return None
    words = ", ".join(filter(None, (string_of(message, "title"), string_of(message, "address"))))
    return Place(lat=lat, lon=lon, words=words or None, source="shared")


def _extra(value: Json) -> dict[str, str]:
    message = object_of(value, "message")
    sticker = f"{string_of(message, 'packageId')}/{string_of(message, 'stickerId')}"
    extra = {
        _REPLY_TOKEN: string_of(value, "replyToken"),
        "webhook_event_id": string_of(value, "webhookEventId"),
        "album": string_of(object_of(message, "imageSet"), "id"),
        "sticker": sticker if sticker != "/" else "",
    }
    return {name: text[:200] for name, text in extra.items() if text}


def _time(value: Json) -> datetime | None:
    millis = value.get("timestamp")
    return _instant(millis) if isinstance(millis, int) and not isinstance(millis, bool) else None


def _instant(millis: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(millis / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None

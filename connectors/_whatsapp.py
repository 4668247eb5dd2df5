"""What one WhatsApp message says, whatever its type: Meta's JSON object to the fields of a Message.

Nothing here trusts a type: what is not what Meta's reference says it is counts as missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from schemas import Attachment, MessageKind, Place, Raw

Said = dict[str, Any]
"""A JSON object of Meta's."""

_KINDS: dict[str, MessageKind] = {
    "text": "text", "image": "image", "audio": "audio", "voice": "audio", "video": "video", "document": "document",
    "sticker": "sticker", "location": "location", "contacts": "contact", "reaction": "reaction",
    "button": "interactive", "interactive": "interactive", "order": "interactive", "edit": "edit",
    "revoke": "deletion", "system": "system", "request_welcome": "system",
}  # fmt: skip
_MEDIA = ("image", "audio", "voice", "video", "document", "sticker")
_MEDIA_KEPT = timedelta(days=7)
"""How long Meta keeps what a webhook refers to."""


def contents(said: Said, raw: Raw) -> dict[str, Any]:
    word = string_of(said, "type") or "none"
    kind = _KINDS.get(word, "unknown")
    shown = object_of(object_of(said, "edit"), "message") or said
    asked_to_call = string_of(object_of(said, "interactive"), "type") == "call_permission_reply"
    return {
        "kind": kind,
        "kind_said": (string_of(object_of(said, "unsupported"), "type") or word) if kind == "unknown" else None,
        "sent_at": time_of(said),
        "text": _text(shown),
        "place": _place(object_of(shown, "location")),
        "attachments": tuple(_attachments(shown, raw.received_at)),
        "refers_to": _refers_to(said) or None,
        "refusal": "notice" if kind == "system" or asked_to_call else None,
        "extra": _extra(said),
    }


def _text(said: Said) -> str:
    word = string_of(said, "type")
    inside = object_of(said, word)
    if word in _TEXTS:
        return _TEXTS[word](said if word == "contacts" else inside)
    return string_of(inside, "body") or string_of(inside, "caption") or string_of(inside, "text")


def _interactive(inside: Said) -> str:
    """A button, a row of a list, or the answers of a flow, a line each."""
    chosen = object_of(inside, string_of(inside, "type"))
    lines = [string_of(chosen, "title"), string_of(chosen, "description")]
    try:
        answers = msgspec.json.decode(string_of(chosen, "response_json") or "{}")
    except (msgspec.DecodeError, UnicodeEncodeError):
        answers = {}
    if isinstance(answers, dict):
        lines += [f"{name}: {value}" for name, value in answers.items() if name != "flow_token"]
    return "\n".join(line for line in lines if line)


def _order(inside: Said) -> str:
    items = (
        f"{i.get('quantity')} × {string_of(i, 'product_retailer_id')}" for i in objects_of(inside, "product_items")
    )
    return "\n".join([string_of(inside, "text"), *items]).strip()


def _cards(said: Said) -> str:
    cards = objects_of(said, "contacts")
    told = ([string_of(object_of(card, "name"), "formatted_name"), *_phones(card)] for card in cards)
    return "\n".join(", ".join(word for word in card if word) for card in told)


def _phones(card: Said) -> list[str]:
    return [string_of(phone, "phone") for phone in objects_of(card, "phones")]


_TEXTS: dict[str, Callable[[Said], str]] = {
    "interactive": _interactive,
    "order": _order,
    "contacts": _cards,
    "reaction": lambda inside: string_of(inside, "emoji"),
    "location": lambda inside: "",
}


def _place(location: Said) -> Place | None:
    lat, lon = location.get("latitude"), location.get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    words = ", ".join(w for w in (string_of(location, "name"), string_of(location, "address")) if w)
    return Place(lat=lat, lon=lon, words=words or None, source="shared")


def _attachments(said: Said, received_at: datetime) -> Iterator[Attachment]:
    for media in (object_of(said, word) for word in _MEDIA if word in said):
        if string_of(media, "id"):
            yield Attachment(
                native_id=string_of(media, "id"),
                media_type=string_of(media, "mime_type") or None,
                name=string_of(media, "filename") or None,
                expires_at=received_at + _MEDIA_KEPT,
            )


def _refers_to(said: Said) -> str:
    changed = ((object_of(said, word), name) for word, name in _REFERENCES)
    return next((string_of(inside, name) for inside, name in changed if string_of(inside, name)), "")


_REFERENCES = (
    ("reaction", "message_id"), ("edit", "original_message_id"), ("revoke", "original_message_id"), ("context", "id"),
)  # fmt: skip


def _extra(said: Said) -> dict[str, str]:
    context, interactive = object_of(said, "context"), object_of(said, "interactive")
    chosen = object_of(interactive, string_of(interactive, "type"))
    extra = {
        "group": string_of(said, "group_id"),
        "payload": string_of(object_of(said, "button"), "payload") or string_of(chosen, "id"),
        "forwarded": "yes" if context.get("forwarded") or context.get("frequently_forwarded") else "",
        "referral": string_of(object_of(said, "referral"), "source_url"),
        "errors": errors_of(said),
    }
    return {name: value for name, value in extra.items() if value}


def errors_of(said: Said) -> str:
    """Meta's code and title; its details may name the citizen."""
    return "; ".join(f"{e.get('code')} {string_of(e, 'title')}".strip()[:200] for e in objects_of(said, "errors"))


def time_of(said: Said) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(said["timestamp"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None


def string_of(said: Any, name: str) -> str:
    value = said.get(name)
    return value if isinstance(value, str) else ""


def object_of(said: Said, name: str) -> Said:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def objects_of(said: Any, name: str) -> list[Said]:
    value = said.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def own_phone(said: Said) -> str:
    """Digits of the number that a citizen who hides it gave us when we asked for it; else empty."""
    if string_of(said, "origin") != "contact_request":
        return ""
    given = [phone for card in objects_of(said, "contacts") for phone in _phones(card)]
    return "".join(c for c in given[0] if c.isdigit()) if given else ""

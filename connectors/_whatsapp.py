"""The content of one WhatsApp message, whatever its type: Meta's JSON object to the fields of a Message."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors._json import Json, object_of, objects_of, string_of
from connectors._whatsapp_flow import answer_lines, answers_of, files_in
from schemas import Attachment, MessageKind, Place, Raw

_KINDS: dict[str, MessageKind] = {
    "text": "text", "image": "image", "audio": "audio", "voice": "audio", "video": "video", "document": "document",
    "sticker": "sticker", "location": "location", "contacts": "contact", "reaction": "reaction",
    "button": "interactive", "interactive": "interactive", "order": "interactive", "edit": "edit",
    "revoke": "deletion", "system": "system", "request_welcome": "system",
}  # fmt: skip
_MEDIA = ("image", "audio", "voice", "video", "document", "sticker")
_MEDIA_KEPT = timedelta(days=7)
"""How long Meta keeps the media of a webhook."""
_CHANGES = frozenset({"user_changed_number", "customer_changed_number", "user_changed_user_id"})
_NEW_IDS = (
    "wa_id", "new_wa_id", "user_id", "new_user_id", "parent_user_id", "previous_user_id", "previous_parent_user_id",
)  # fmt: skip
_REFERENCES = (
    ("reaction", "message_id"), ("edit", "original_message_id"), ("revoke", "original_message_id"), ("context", "id"),
)  # fmt: skip


def message_fields(message: Json, raw: Raw) -> dict[str, Any]:
    """The fields of a `Message` that hold what was written or sent."""
    word = string_of(message, "type") or "none"
    kind = _KINDS.get(word, "unknown")
    shown = object_of(object_of(message, "edit"), "message") or message
    asks_to_call = string_of(object_of(message, "interactive"), "type") == "call_permission_reply"
    return {
        "kind": kind,
        "kind_word": (string_of(object_of(message, "unsupported"), "type") or word) if kind == "unknown" else None,
        "sent_at": time_of(message),
        "text": _text(shown),
        "place": _place(object_of(shown, "location")),
        "attachments": tuple(_attachments(shown, raw.received_at)),
        "refers_to": next(filter(None, (string_of(object_of(message, o), n) for o, n in _REFERENCES)), None),
        "refusal": "notice" if kind == "system" or asks_to_call else None,
        "extra": _extra(message),
    }


def time_of(value: Json) -> datetime | None:
    """Meta's seconds since 1970, as text."""
    try:
        return datetime.fromtimestamp(int(value["timestamp"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None


def error_texts(value: Json) -> str:
    """Meta's codes and titles; its details may name the citizen."""
    return "; ".join(f"{e.get('code')} {string_of(e, 'title')}".strip()[:200] for e in objects_of(value, "errors"))


def shared_phone(message: Json) -> str:
    """Digits of the number that a citizen who hides it gave us when we asked for it; else empty."""
    if string_of(message, "origin") != "contact_request":
        return ""
    given = [phone for card in objects_of(message, "contacts") for phone in _phones(card)]
    return "".join(c for c in given[0] if c.isdigit()) if given else ""


def new_ids(message: Json) -> tuple[str, ...]:
    """The numbers and user ids that a citizen has from now on and had before, where Meta's notice names them."""
    notice = object_of(message, "system")
    if string_of(notice, "type") not in _CHANGES:
        return ()
    return tuple(string_of(notice, name).removeprefix("+") for name in _NEW_IDS)


def message_id_with_phone(wamid: str, user: str, phone: str) -> str:
    """The id of a message in its form with the citizen's number: Meta also writes it with the user id inside."""
    if not user or not phone:
        return wamid
    try:
        inside = b64decode(wamid.removeprefix("wamid."), validate=True)
        theirs, ours = (bytes([len(id)]) + id.encode() for id in (user, phone))
    except ValueError:  # no base64, or an id over 255 characters
        return wamid
    if not inside.startswith(theirs, 2):
        return wamid
    return f"wamid.{b64encode(inside[:2] + ours + inside[2 + len(theirs) :]).decode()}"


def _text(message: Json) -> str:
    word = string_of(message, "type")
    inside = object_of(message, word)
    if word in _TEXTS:
        return _TEXTS[word](message if word == "contacts" else inside)
    return string_of(inside, "body") or string_of(inside, "caption") or string_of(inside, "text")


def _interactive(inside: Json) -> str:
    """A button, a row of a list, or the answers of a flow, a line each."""
    chosen = object_of(inside, string_of(inside, "type"))
    sentence = string_of(chosen, "body") if string_of(chosen, "name") != "flow" else ""  # of a flow it is "Sent"
    lines = [string_of(chosen, "title"), string_of(chosen, "description"), sentence]
    lines += [line for name, answer in answers_of(chosen).items() for line in answer_lines(name, answer)]
    return "\n".join(filter(None, lines))


def _order(inside: Json) -> str:
    products = objects_of(inside, "product_items")
    items = (f"{one.get('quantity')} × {string_of(one, 'product_retailer_id')}" for one in products)
    return "\n".join([string_of(inside, "text"), *items]).strip()


def _cards(message: Json) -> str:
    cards = objects_of(message, "contacts")
    lines = ([string_of(object_of(card, "name"), "formatted_name"), *_phones(card)] for card in cards)
    return "\n".join(", ".join(filter(None, line)) for line in lines)


def _phones(card: Json) -> list[str]:
    return [string_of(phone, "phone") for phone in objects_of(card, "phones")]


_TEXTS: dict[str, Callable[[Json], str]] = {
    "interactive": _interactive,
    "order": _order,
    "contacts": _cards,
    "reaction": lambda inside: string_of(inside, "emoji"),
    "location": lambda inside: "",
}


def _place(location: Json) -> Place | None:
    lat, lon = location.get("latitude"), location.get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    words = ", ".join(filter(None, (string_of(location, "name"), string_of(location, "address"))))
    return Place(lat=lat, lon=lon, words=words or None, source="shared")


def _attachments(message: Json, received_at: datetime) -> Iterator[Attachment]:
    interactive = object_of(message, "interactive")
    chosen = object_of(interactive, string_of(interactive, "type"))
    for media in (*(object_of(message, word) for word in _MEDIA if word in message), *files_in(answers_of(chosen))):
        if isinstance(native := media.get("id"), str | int) and native:
            yield Attachment(
                native_id=str(native),
                media_type=string_of(media, "mime_type") or None,
                name=string_of(media, "filename") or string_of(media, "file_name") or None,
                expires_at=received_at + _MEDIA_KEPT,
            )


def _extra(message: Json) -> dict[str, str]:
    context, interactive = object_of(message, "context"), object_of(message, "interactive")
    chosen = object_of(interactive, string_of(interactive, "type"))
    extra = {
        "group": string_of(message, "group_id"),
        "payload": string_of(object_of(message, "button"), "payload") or string_of(chosen, "id"),
        "forwarded": "yes" if context.get("forwarded") or context.get("frequently_forwarded") else "",
        "referral": string_of(object_of(message, "referral"), "source_url"),
        "errors": error_texts(message),
    }
    return {name: value for name, value in extra.items() if value}

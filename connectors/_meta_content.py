"""The content of one message of Messenger or Instagram, whatever its attachments: JSON to the fields of a Message."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors._json import Json, object_of, objects_of, string_of
from schemas import Attachment, MessageKind, Place

_KINDS: dict[str, MessageKind] = {
    "image": "image", "video": "video", "audio": "audio", "file": "document", "sticker": "sticker",
    "location": "location", "story_mention": "image", "reel": "video", "ig_reel": "video", "ig_story": "image",
    "animated_image_share": "image", "share": "text", "ig_post": "text", "post": "text", "fallback": "text",
    "template": "text", "link": "text", "shared_media": "image", "like_heart": "sticker",
}  # fmt: skip
"""What is shared by its address is text: its title and address are the words. `link` and `shared_media` are ours."""
_SHARED = frozenset(word for word, kind in _KINDS.items() if kind == "text")
_TITLED = _SHARED | {"shared_media", "reel", "ig_reel", "ig_story"}
_PAGES = frozenset({"facebook.com", "instagram.com", "fb.watch"})
_STORES = ("fbcdn.net", "cdninstagram.com", "fbsbx.com")
_ADDRESS_LENGTH = 4096


def content_fields(message: Json) -> dict[str, Any]:
    """The fields of a `Message` that hold what was written or sent."""
    attachments = objects_of(message, "attachments")
    words = [_word(one) for one in attachments]
    kind = _kind(message, words)
    reply = object_of(message, "reply_to")
    return {
        "kind": kind,
        "kind_word": (words[0] if words else "unsupported") if kind == "unknown" else None,
        "text": "\n".join(dict.fromkeys(filter(None, (string_of(message, "text"), *map(_shared_text, attachments))))),
        "place": next(filter(None, map(_place, attachments)), None),
        "attachments": tuple(_files(attachments, object_of(reply, "story"))),
        "refers_to": string_of(reply, "mid") or None,
        "extra": _extra(message, words),
    }


def time_of(value: Any) -> datetime | None:
    """Meta's milliseconds or seconds since 1970."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value / 1000 if value > 10**11 else value, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def file_of(url: str, **known: Any) -> Attachment:
    """A file behind an address that may lapse."""
    return Attachment(url=url, expires_at=_expiry(url), **known)


def is_page(url: str) -> bool:
    """Does a page for people stand at this address of Meta's? No file lies there."""
    return _host(url).removeprefix("www.").removeprefix("m.").removeprefix("web.") in _PAGES


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _kind(message: Json, words: list[str]) -> MessageKind:
    if message.get("is_unsupported") is True:
        return "unknown"
    kinds: list[MessageKind] = [_KINDS.get(word, "unknown") for word in words]
    if not kinds:
        return "interactive" if object_of(message, "quick_reply") else "text"
    if string_of(message, "text") and kinds[0] == "unknown":
        return "text"
    return kinds[0]


def _word(attachment: Json) -> str:
    """Stickers came as images until August 2026. A reel may be a page, and a shared post a file."""
    payload = object_of(attachment, "payload")
    if payload.get("sticker_id"):
        return "sticker"
    word, url = string_of(attachment, "type") or "none", string_of(payload, "url")
    if word in _SHARED:
        return "shared_media" if _host(url).endswith(tuple(f".{store}" for store in _STORES)) else word
    return "link" if is_page(url) else word


def _shared_text(attachment: Json) -> str:
    word, payload = _word(attachment), object_of(attachment, "payload")
    if word not in _TITLED:
        return ""
    title = string_of(attachment, "title") or string_of(payload, "title")
    url = string_of(attachment, "url") or string_of(payload, "url") if word in _SHARED else ""
    return "\n".join(filter(None, (title, url)))


def _place(attachment: Json) -> Place | None:
    spot = object_of(object_of(attachment, "payload"), "coordinates")
    lat, lon = spot.get("lat"), spot.get("long")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    return Place(lat=lat, lon=lon, words=string_of(attachment, "title") or None, source="shared")


def _files(attachments: list[Json], story: Json) -> Iterator[Attachment]:
    files = [one for one in attachments if _word(one) not in _SHARED | {"location"}]
    named = {string_of(object_of(one, "payload"), "url"): string_of(one, "name") or None for one in files}
    yield from (file_of(url, name=name) for url, name in named.items() if url)  # a shared post comes twice
    if url := string_of(story, "url"):
        yield file_of(url, name="story")


def _expiry(url: str) -> datetime | None:
    """Meta's file servers name it: `oe`, seconds since 1970 in hex."""
    if len(url) > _ADDRESS_LENGTH:
        return None
    try:
        return datetime.fromtimestamp(int(dict(parse_qsl(urlsplit(url).query)).get("oe", ""), 16), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _extra(message: Json, words: list[str]) -> dict[str, str]:
    referral, story = object_of(message, "referral"), object_of(object_of(message, "reply_to"), "story")
    extra = {
        "payload": string_of(object_of(message, "quick_reply"), "payload"),
        "referral": string_of(referral, "ref") or string_of(referral, "source"),
        "story": "mention" if "story_mention" in words else "reply" if story else "",
    }
    return {name: value for name, value in extra.items() if value}

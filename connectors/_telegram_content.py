"""The content of one Telegram message, whatever it is: the Bot API's JSON to the fields of a Message.

Facts: core.telegram.org/bots/api up to Bot API 10.3. Content that the tables lack is `unknown`, with Telegram's word
and the words that stand in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._telegram_rich import blocks_of, inline_text, rich_text
from schemas import Attachment, MessageKind, Place

_KINDS: dict[str, MessageKind] = {
    "rich_message": "text", "text": "text", "live_photo": "image", "photo": "image", "animation": "video",
    "audio": "audio", "voice": "audio", "video": "video", "video_note": "video", "document": "document",
    "sticker": "sticker", "dice": "sticker", "venue": "location", "location": "location", "contact": "contact",
    "paid_media": "image", "checklist": "interactive", "poll": "interactive", "game": "interactive",
    "invoice": "interactive", "web_app_data": "interactive",
}  # fmt: skip
"""The first of these that a message has says its kind."""
_NOTICE_WORDS = (
    "new_chat_members new_chat_member new_chat_participant left_chat_member left_chat_participant new_chat_title "
    "new_chat_photo delete_chat_photo group_chat_created supergroup_chat_created channel_chat_created "
    "message_auto_delete_timer_changed migrate_to_chat_id migrate_from_chat_id pinned_message successful_payment "
    "refunded_payment users_shared user_shared chat_shared connected_website write_access_allowed passport_data "
    "proximity_alert_triggered boost_added chat_background_set checklist_tasks_done checklist_tasks_added "
    "community_chat_added community_chat_joined community_chat_removed direct_message_price_changed "
    "forum_topic_created forum_topic_edited forum_topic_closed forum_topic_reopened general_forum_topic_hidden "
    "general_forum_topic_unhidden giveaway_created giveaway giveaway_winners giveaway_completed managed_bot_created "
    "paid_message_price_changed poll_option_added poll_option_deleted suggested_post_approved "
    "suggested_post_approval_failed suggested_post_declined suggested_post_paid suggested_post_refunded "
    "video_chat_scheduled video_chat_started video_chat_ended video_chat_participants_invited gift unique_gift "
    "gift_upgrade_sent chat_owner_left chat_owner_changed"
)
_NOTICES = frozenset(_NOTICE_WORDS.split())
"""Service messages: Telegram's own words, not a citizen's."""
_WORDS_AROUND = (
    "message_id message_thread_id direct_messages_topic from sender_chat sender_boost_count sender_business_bot "
    "sender_tag receiver_user ephemeral_message_id guest_query_id business_connection_id date chat forward_origin "
    "forward_from forward_from_chat forward_from_message_id forward_signature forward_sender_name forward_date "
    "is_topic_message is_automatic_forward reply_to_message external_reply quote reply_to_story "
    "reply_to_checklist_task_id reply_to_poll_option_id via_bot guest_bot_caller_user guest_bot_caller_chat "
    "edit_date has_protected_content is_from_offline is_paid_post media_group_id author_signature paid_star_count "
    "entities link_preview_options suggested_post_info effect_id caption caption_entities show_caption_above_media "
    "has_media_spoiler reply_markup story"
)
_AROUND = frozenset(_WORDS_AROUND.split())
"""Fields beside the content."""
_FILES = {
    "photo": "image/jpeg", "live_photo": "video/mp4", "animation": "video/mp4", "video": "video/mp4",
    "video_note": "video/mp4", "audio": None, "voice": "audio/ogg", "voice_note": "audio/ogg", "document": None,
    "sticker": "image/webp",
}  # fmt: skip
"""The fields that hold files, and the type of a file for which Telegram names none."""
_SEEN = 2000
"""Values of an unknown content that are looked at for words."""


class Content(NamedTuple):
    """The kind of a message, and Telegram's word for it where ours says less."""

    kind: MessageKind
    word: str | None = None

    @classmethod
    def of(cls, message: Json) -> Content:
        """The kind of this message."""
        found = next((name for name in _KINDS if message.get(name)), None)
        if found:
            return cls(_KINDS[found])
        if notice := next((name for name in message if name in _NOTICES), None):
            return cls("system", notice)
        if message.get("story"):
            return cls("unknown", "story")
        return cls("unknown", next((name for name in message if name not in _AROUND), "none"))


def int_of(value: Json, name: str) -> int | None:
    """The whole number of that name; None where there is none that is an id or a time."""
    found = value.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 2**63 else None


def time_of(value: Json, name: str) -> datetime | None:
    """Telegram's seconds since 1970."""
    try:
        return datetime.fromtimestamp(int_of(value, name) or 0, UTC) if int_of(value, name) else None
    except (ValueError, OverflowError, OSError):
        return None


def content_fields(message: Json) -> dict[str, Any]:
    """The fields of a `Message` that hold what was written or sent."""
    kind, word = Content.of(message)
    rich = list(blocks_of(object_of(message, "rich_message")))
    return {
        "kind": kind,
        "kind_word": word[:60] if word else None,
        "text": _text(message, word if kind == "unknown" else None),
        "place": next(filter(None, map(_place, (message, *rich))), None),
        "attachments": tuple(_attachments((message, *rich))),
        "refusal": "notice" if kind == "system" else None,
        "extra": _extra(message),
    }


def _text(message: Json, unknown: str | None) -> str:
    rich = rich_text(object_of(message, "rich_message"))
    given = rich or _without_address(message) or string_of(message, "caption")
    if given or unknown is None:
        return given or next((words(object_of(message, name)) for name, words in _TEXTS.items() if name in message), "")
    return "\n".join(_any_words(message.get(unknown)))


def _without_address(message: Json) -> str:
    """The text; of a command in a group (`/lapor@bot …`) without the bot's name."""
    text = string_of(message, "text")
    word = text.split(None, 1)[0] if text.startswith("/") and len(text) > 1 else ""
    command, at, _ = word.partition("@")
    return command + text[len(word) :] if at else text


def _any_words(value: Any) -> list[str]:
    """Texts in a content that we do not know."""
    found: list[str] = []
    left = [value]
    for _ in range(_SEEN):
        if not left:
            break
        one = left.pop()
        if isinstance(one, list):
            left += one[::-1]
        elif isinstance(one, dict):
            found += [text for name in ("title", "text", "caption", "description") if (text := string_of(one, name))]
            left += [inner for inner in reversed(one.values()) if isinstance(inner, dict | list)]
        elif isinstance(one, str) and one is value:
            found.append(one)
    return found


def _lines(*lines: str) -> str:
    return "\n".join(filter(None, lines))


def _checklist(given: Json) -> str:
    tasks = (
        f"[{'x' if task.get('completion_date') else ' '}] {string_of(task, 'text')}"
        for task in objects_of(given, "tasks")
    )
    return _lines(string_of(given, "title"), *tasks)


def _poll(given: Json) -> str:
    options = (f"- {string_of(option, 'text')}" for option in objects_of(given, "options"))
    return _lines(string_of(given, "question"), string_of(given, "description"), *options)


def _contact(given: Json) -> str:
    name = " ".join(filter(None, (string_of(given, "first_name"), string_of(given, "last_name"))))
    return ", ".join(filter(None, (name, string_of(given, "phone_number"))))


_TEXTS: dict[str, Callable[[Json], str]] = {
    "checklist": _checklist,
    "poll": _poll,
    "contact": _contact,
    "dice": lambda given: string_of(given, "emoji"),
    "sticker": lambda given: string_of(given, "emoji"),
    "game": lambda given: _lines(
        string_of(given, "title"), string_of(given, "description"), inline_text(given.get("text"))
    ),
    "invoice": lambda given: _lines(string_of(given, "title"), string_of(given, "description")),
    "web_app_data": lambda given: string_of(given, "data"),
}
"""The words of a content that has neither text nor caption."""


def _place(holder: Json) -> Place | None:
    venue = object_of(holder, "venue")
    location = object_of(venue, "location") or object_of(holder, "location")
    lat, lon = location.get("latitude"), location.get("longitude")
    if not isinstance(lat, int | float) or not isinstance(lon, int | float) or abs(lat) > 90 or abs(lon) > 180:
        return None
    words = ", ".join(filter(None, (string_of(venue, "title"), string_of(venue, "address"))))
    return Place(lat=lat, lon=lon, words=words or None, source="shared")


def _attachments(holders: tuple[Json, ...]) -> Iterator[Attachment]:
    for holder in holders:
        inner = [object_of(holder, "game"), *objects_of(object_of(holder, "paid_media"), "paid_media")]
        for one in (holder, *inner):
            doubled = "document" if "animation" in one else ""  # Telegram shows an animation as both
            yield from (file for name in _FILES if name != doubled for file in _files(one, name))


def _files(holder: Json, name: str) -> Iterator[Attachment]:
    """Of a photo the largest size; of a live photo its picture and its clip."""
    sizes = objects_of(holder, name) or objects_of(object_of(holder, name), "photo")
    if sizes:
        yield from _file(max(sizes, key=_area), "image/jpeg")
    yield from _file(object_of(holder, name), _FILES[name])


def _area(size: Json) -> int:
    return (int_of(size, "width") or 0) * (int_of(size, "height") or 0)


def _file(given: Json, media_type: str | None) -> Iterator[Attachment]:
    if native := string_of(given, "file_id"):
        yield Attachment(
            native_id=native,
            media_type=_sticker_type(given) or string_of(given, "mime_type") or media_type,
            name=string_of(given, "file_name") or None,
            size=int_of(given, "file_size"),
        )


def _sticker_type(given: Json) -> str | None:
    if given.get("is_animated"):
        return "application/x-tgsticker"
    return "video/webm" if given.get("is_video") else None


def _extra(message: Json) -> dict[str, str]:
    extra = {
        "album": string_of(message, "media_group_id"),
        "quote": string_of(object_of(message, "quote"), "text"),
        "forwarded": "yes" if message.get("forward_origin") or message.get("forward_date") else "",
        "button": string_of(object_of(message, "web_app_data"), "button_text"),
        "paid_media": "yes" if message.get("paid_media") else "",
    }
    return {name: value for name, value in extra.items() if value}

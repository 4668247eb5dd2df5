"""An update read: native id, conversation and the fields of a Message."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._telegram_content import content_fields, int_of, time_of
from connectors._telegram_updates import NOTICES, Update, native_id, sender_of, writer_of
from schemas import Party, Reject

CALLBACK = "callback:"
"""Begins the native id of a pressed button."""
_OURS = re.compile(r"(?:CEK|TL|BELUM) \d{10}|NILAI \d{10} [1-5]")
"""The data of the buttons that we send."""
_START = re.compile(r"/start(?:\s+[\w-]{1,64})?\s*")
"""The button under an empty chat, with the word of the link that led there: no words of the citizen's."""


class ReadUpdate(NamedTuple):
    """An update as a Message holds it."""

    native: str | None
    conversation: str | None
    """None: it names nobody."""
    fields: dict[str, Any]


def read_update(update: Update, bot: str) -> ReadUpdate:
    """`bot` is the bot's own id. Raises Reject where the update makes no sense."""
    if update.word == "callback_query":
        return _pressed(update)
    if update.word == "message_reaction":
        return _reaction(update)
    if update.word == "deleted_business_messages":
        return _about(update, "deleted", kind="deletion", sender=sender_of(update.value))
    return _written(update, bot) if update.is_message else _other(update)


def _written(update: Update, bot: str) -> ReadUpdate:
    value, native = update.value, update.native
    if native is None:
        raise Reject("no_id", "a message without chat or id")
    fields = content_fields(value)
    fields["refusal"] = _refusal(update, bot) or fields["refusal"]
    fields["answerable"] = update.word != "guest_message"
    fields["sender"] = _with_own_phone(value)
    if _START.fullmatch(fields["text"]):
        fields["command"] = "BANTUAN"
    if edited := int_of(value, "edit_date") if update.word.startswith("edited_") else None:
        fields |= {"kind": "edit", "kind_word": None, "sent_at": time_of(value, "edit_date"), "refers_to": native}
        native = f"{native}.{edited}"
    else:
        fields |= {"sent_at": time_of(value, "date"), "refers_to": _replied(value)}
    if update.word not in {"message", "edited_message"}:
        fields["extra"] = fields["extra"] | {"update": update.word[:60]}
    return ReadUpdate(native, update.conversation, fields)


def _refusal(update: Update, bot: str) -> str | None:
    """Why it is no citizen's word to us."""
    value, author = update.value, object_of(update.value, "from")
    if "channel_post" in update.word or value.get("is_automatic_forward"):
        return "channel post"
    if str(int_of(author, "id")) == bot or value.get("sender_business_bot"):
        return "echo of our own"
    business = string_of(value, "business_connection_id")
    if business and int_of(author, "id") != int_of(object_of(value, "chat"), "id"):
        return "echo of our own"
    if update.word.startswith("edited_") and object_of(value, "location").get("live_period"):
        return "live location"  # an edit every few seconds; the first place counts
    return "automatic reply" if author.get("is_bot") is True and not value.get("sender_chat") else None


def _pressed(update: Update) -> ReadUpdate:
    """A button: the data of ours is the text that a citizen would type; of another's the label is shown."""
    value, id = update.value, string_of(update.value, "id")
    if not id or update.conversation is None:
        raise Reject("no_callback_id", "a pressed button without id or person")
    data = string_of(value, "data") or string_of(value, "game_short_name")
    words = data if _OURS.fullmatch(data) else _label(update.message, data) or data
    fields = {
        "kind": "interactive", "text": words, "sender": sender_of(value), "refers_to": update.native,
        "extra": {"payload": data} if data else {},
    }  # fmt: skip
    return ReadUpdate(f"{CALLBACK}{id}", update.conversation, fields)


def _reaction(update: Update) -> ReadUpdate:
    marks = objects_of(update.value, "new_reaction")
    text = "".join(string_of(mark, "emoji") or string_of(mark, "custom_emoji_id") or "⭐" for mark in marks)
    when, sender = time_of(update.value, "date"), sender_of(update.value)
    return _about(update, f"r{update.id}", kind="reaction", text=text, sender=sender, sent_at=when)


def _about(update: Update, suffix: str, **fields: Any) -> ReadUpdate:
    """Something about another message."""
    native = update.native
    if native is None:
        raise Reject("no_message_id", "it does not say which message it is about")
    return ReadUpdate(f"{native}.{suffix}", update.conversation, fields | {"refers_to": native})


def _other(update: Update) -> ReadUpdate:
    """A notice, or a kind of a later Bot API."""
    value, notice = update.value, update.word in NOTICES
    fields = content_fields({update.word: value})
    fields |= {
        "kind": "system" if notice else "unknown", "kind_word": update.word[:60],
        "refusal": "notice" if notice else None, "text": string_of(value, "query") or fields["text"],
        "sent_at": time_of(value, "date"), "sender": sender_of(value), "answerable": False,
    }  # fmt: skip
    native = None if update.id is None else f"{update.word[:60]}:{update.id}"
    return ReadUpdate(native, update.conversation, fields)


def _with_own_phone(value: Json) -> Party:
    """The sender, with the number that they shared of themselves: Telegram names the owner of a card."""
    sender, contact = sender_of(value), object_of(value, "contact")
    own, number = int_of(contact, "user_id"), string_of(contact, "phone_number").removeprefix("+")
    if not number or own is None or own != writer_of(value):
        return sender
    return Party(name=sender.name, user=sender.user, phone=f"+{number}")


def _replied(value: Json) -> str | None:
    """The message that it answers; in a topic every message answers the one that opened it."""
    replied = object_of(value, "reply_to_message")
    if not replied or "forum_topic_created" in replied:
        return None
    return native_id({"chat": value.get("chat")} | replied, string_of(value, "business_connection_id"))


def _label(message: Json, data: str) -> str:
    """The label of the button with that data."""
    rows = object_of(message, "reply_markup").get("inline_keyboard")
    buttons = (button for row in rows if isinstance(row, list) for button in row) if isinstance(rows, list) else ()
    return next((string_of(b, "text") for b in buttons if isinstance(b, dict) and b.get("callback_data") == data), "")

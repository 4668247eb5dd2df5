"""Telegram's updates taken apart, and whose each is.

A conversation is `CHAT`, of a private chat the citizen's own id. In a group each citizen has one: `CHAT:USER`. A topic
stands behind the chat (`CHAT.7`, of a channel's direct messages `CHAT.d7`), a business account's connection at the end
(`CHAT@CONNECTION`): the same citizen may write to the bot too, and both count their messages from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from connectors._json import Json, decode_lenient, object_of, string_of
from connectors._telegram_content import int_of
from schemas import Party, Reject

MESSAGES = frozenset({
    "message", "edited_message", "channel_post", "edited_channel_post", "business_message", "edited_business_message",
    "guest_message",
})  # fmt: skip
"""Updates that are a message."""
ALLOWED = (
    "message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message",
    "edited_business_message", "deleted_business_messages", "guest_message", "message_reaction", "callback_query",
    "my_chat_member",
)  # fmt: skip
"""The kinds that we ask for: without a list Telegram leaves out reactions, and sends the kinds of the last list."""
_PUBLIC = frozenset({"group", "supergroup", "channel"})
_ADDRESS = re.compile(r"(-?\d{1,20})(?:\.(d?)(\d{1,20}))?(?::-?\d{1,20})?(?:@(.+))?", re.DOTALL)


class Update(NamedTuple):
    """One item of an update."""

    word: str
    """Telegram's word for the kind."""
    value: Json
    id: int | None = None

    @property
    def message(self) -> Json:
        """The message that it is, or is about."""
        return object_of(self.value, "message") if self.word == "callback_query" else self.value

    @property
    def is_message(self) -> bool:
        """A kind of a later Bot API that holds a message is read as one."""
        known = self.word in MESSAGES
        return known or (self.word not in NOTICES and "chat" in self.value and "date" in self.value)

    @property
    def conversation(self) -> str | None:
        """None: it names nobody."""
        chat = int_of(object_of(self.message, "chat"), "id")
        writer = writer_of(self.value)
        if chat is None:
            return None if writer is None else str(writer)
        public = string_of(object_of(self.message, "chat"), "type") in _PUBLIC
        connection = self._connection
        return "".join((
            str(chat), _topic(self.message), f":{writer}" if public and writer is not None else "",
            f"@{connection}" if connection else "",
        ))  # fmt: skip

    @property
    def native(self) -> str | None:
        """The id of the message that it is or is about: chat and message."""
        return native_id(self.message, self._connection)

    @property
    def _connection(self) -> str:
        """Of the business account in whose chat it is. A pressed button does not name it, the message above it does."""
        return string_of(self.message, "business_connection_id")


class Address(NamedTuple):
    """Where an answer goes."""

    chat: int
    topic: int | None = None
    direct: bool = False
    """The topic is one of a channel's direct messages."""
    connection: str | None = None

    @classmethod
    def of(cls, to: str) -> Address:
        """Of a conversation. Raises Reject."""
        found = _ADDRESS.fullmatch(to)
        if found is None:
            raise Reject("no_address", "the conversation names no chat of Telegram's")
        chat, direct, topic, connection = found.groups()
        return cls(int(chat), int(topic) if topic else None, bool(direct), connection)

    @property
    def fields(self) -> dict[str, Any]:
        """As sendMessage takes it."""
        topic = {"direct_messages_topic_id" if self.direct else "message_thread_id": self.topic}
        return {
            "chat_id": self.chat,
            **(topic if self.topic else {}),
            **({"business_connection_id": self.connection} if self.connection else {}),
        }


def native_id(message: Json, connection: str = "") -> str | None:
    """`CHAT:MESSAGE`; None where it has none. An ephemeral message is counted apart."""
    chat, message_id = int_of(object_of(message, "chat"), "id"), int_of(message, "message_id")
    ephemeral = int_of(message, "ephemeral_message_id")
    number = f"e{ephemeral}" if ephemeral else message_id
    if chat is None or not number:
        return None
    return f"{chat}:{number}@{connection}" if connection else f"{chat}:{number}"


def writer_of(value: Json) -> int | None:
    """The id of the person, or of the chat in whose name somebody writes."""
    for name in ("sender_chat", "from", "user", "actor_chat", "guest_bot_caller_user"):
        if (found := int_of(object_of(value, name), "id")) is not None:
            return found
    return None


def sender_of(value: Json) -> Party:
    """The person, or the chat in whose name somebody writes."""
    for name in ("sender_chat", "from", "user", "actor_chat"):
        given = object_of(value, name)
        if (found := int_of(given, "id")) is not None:
            names = filter(None, (string_of(given, "first_name"), string_of(given, "last_name")))
            return Party(name=string_of(given, "title") or " ".join(names) or None, user=f"telegram:{found}")
    return Party()


def updates_of(body: bytes) -> Iterator[Update | str | None]:
    """The items of an update, an array of them, or an answer of getUpdates. Text: an update without content; None: it
    is no object."""
    try:
        given = decode_lenient(body)
    except ValueError:
        raise Reject("not_json", "Telegram sends nothing else than JSON") from None
    for update in _listed(given):
        yield from _items(update) if isinstance(update, dict) else [None]


def _listed(given: Any) -> list[Any]:
    if isinstance(given, dict) and "ok" in given:
        given = given.get("result")
        if not isinstance(given, list):
            raise Reject("no_updates", "an answer of the Bot API without updates")
    return given if isinstance(given, list) else [given]


def _items(update: Json) -> Iterator[Update | str]:
    number = int_of(update, "update_id")
    found = {name: value for name, value in update.items() if isinstance(value, dict)}
    if not found:
        yield "an update without content"
    for name, value in found.items():
        if name == "deleted_business_messages":
            ids = value.get("message_ids")
            for message_id in ids if ids and isinstance(ids, list) else [None]:
                yield Update(name, value | {"message_id": message_id}, number)
        else:
            yield Update(name, value, number)


def _topic(message: Json) -> str:
    direct = int_of(object_of(message, "direct_messages_topic"), "topic_id")
    if direct:
        return f".d{direct}"
    thread = int_of(message, "message_thread_id") if message.get("is_topic_message") else None
    return f".{thread}" if thread else ""


NOTICES = frozenset({
    "business_connection", "message_reaction_count", "inline_query", "chosen_inline_result", "shipping_query",
    "pre_checkout_query", "purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member",
    "chat_join_request", "chat_boost", "removed_chat_boost", "managed_bot", "subscription",
})  # fmt: skip
"""Updates that hold no words of a citizen's to us."""

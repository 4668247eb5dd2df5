"""The events of Messenger and Instagram: what stands in `messaging` and `standby` of an entry, and in the changes of
that name. Facts: developers.facebook.com, Messenger Platform, webhook events; Instagram Platform, webhooks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._meta_content import content_fields, time_of
from schemas import ReceiptState

_NOTICES = (
    "referral", "optin", "pass_thread_control", "take_thread_control", "request_thread_control", "app_roles",
    "policy_enforcement", "policy-enforcement", "account_linking", "messaging_feedback", "game_play",
    "message_context", "customer_information", "response_feedback",
)  # fmt: skip
"""Events that are no citizen's words."""
_ENVELOPE = frozenset({"sender", "recipient", "timestamp", "hop_context", "app_id", "is_self"})


class MessagingEvent(NamedTuple):
    """An event between a citizen and the page or Instagram account that the entry is about."""

    entry: str
    """Its id: ours."""
    value: Json
    standby: bool = False
    """Another app has the conversation: we may read, and not answer."""

    @property
    def is_ours(self) -> bool:
        """Did we write it, by whatever app?"""
        holders = (self.value, object_of(self.value, "message"), object_of(self.value, "postback"))
        echo = any(one.get(name) is True for one in holders for name in ("is_echo", "is_self"))
        return echo or (bool(self.entry) and self._id("sender") == self.entry)

    @property
    def citizen(self) -> str:
        """Their id for this page; empty where Meta names nobody."""
        return self._id("recipient" if self.is_ours else "sender")

    @property
    def conversation(self) -> str | None:
        """`PAGE:CITIZEN`."""
        return f"{self.entry}:{self.citizen}" if self.citizen else None

    @property
    def at(self) -> datetime | None:
        """When it happened."""
        return time_of(self.value.get("timestamp"))

    def _id(self, who: str) -> str:
        party = object_of(self.value, who)
        return next((str(id) for name in ("id", "user_ref") if isinstance(id := party.get(name), str | int) and id), "")


class ReceiptEvent(NamedTuple):
    """What became of one message of ours."""

    state: ReceiptState
    at: datetime | None
    native: str | None = None
    """None: all messages up to then."""
    reply: str | None = None
    """Our own reference, in an echo of what we sent."""


def receipts_of(event: MessagingEvent) -> Iterator[ReceiptEvent]:
    """The receipts in an event; none where it holds something else."""
    value = event.value
    if isinstance(value.get("delivery"), dict):
        yield from _receipts("delivered", value["delivery"])
    elif isinstance(value.get("read"), dict):
        yield from _receipts("read", value["read"], event.at)
    elif event.is_ours and (reference := string_of(object_of(value, "message"), "metadata")):
        yield ReceiptEvent("sent", event.at, string_of(value["message"], "mid") or None, reference)


def is_receipt(event: MessagingEvent) -> bool:
    """Does it hold nothing but receipts?"""
    return isinstance(event.value.get("delivery"), dict) or isinstance(event.value.get("read"), dict)


def _receipts(state: ReceiptState, given: Json, at: datetime | None = None) -> Iterator[ReceiptEvent]:
    named = given.get("mids") if isinstance(given.get("mids"), list) else [given.get("mid")]
    at = time_of(given.get("watermark")) or at
    for native in filter(None, named or []):
        yield ReceiptEvent(state, at, native if isinstance(native, str) else None)
    if not any(named or []):
        yield ReceiptEvent(state, at)


def event_fields(event: MessagingEvent, get_started: str) -> tuple[str, dict[str, Any]]:
    """The native id of an event, and the fields of its `Message`. `get_started` is the payload of the button that
    begins a conversation."""
    value = event.value
    message, edit, postback, reaction = (
        object_of(value, word) for word in ("message", "message_edit", "postback", "reaction")
    )
    if edit:
        return _edited(edit)
    if postback:
        return _postback(postback, event, get_started)
    if reaction:
        return _reaction(reaction, event)
    if message:
        return _message(message)
    return _notice(event)


def _message(message: Json) -> tuple[str, dict[str, Any]]:
    mid = string_of(message, "mid")
    if message.get("is_deleted") is True:
        return f"{mid}:deleted" if mid else "", {"kind": "deletion", "refers_to": mid or None}
    return mid, content_fields(message)


def _edited(edit: Json) -> tuple[str, dict[str, Any]]:
    mid = string_of(edit, "mid")
    fields = {"kind": "edit", "text": string_of(edit, "text"), "refers_to": mid or None}
    return f"{mid}:edit.{edit.get('num_edit')}" if mid else "", fields


def _postback(postback: Json, event: MessagingEvent, get_started: str) -> tuple[str, dict[str, Any]]:
    payload = string_of(postback, "payload")
    begins = bool(payload) and payload == get_started
    fields = {
        "kind": "interactive",
        "text": string_of(postback, "title"),
        "refusal": "notice" if begins else None,
        "extra": {"payload": payload} if payload else {},
    }
    return string_of(postback, "mid") or _derived(event, "postback"), fields


def _reaction(reaction: Json, event: MessagingEvent) -> tuple[str, dict[str, Any]]:
    mid, action = string_of(reaction, "mid"), string_of(reaction, "action") or "react"
    fields = {
        "kind": "reaction",
        "text": string_of(reaction, "emoji") or string_of(reaction, "reaction"),
        "refers_to": mid or None,
        "extra": {"action": action},
    }
    return _derived(event, f"{mid}:{action}"), fields


def _notice(event: MessagingEvent) -> tuple[str, dict[str, Any]]:
    word = next((word for word in _NOTICES if word in event.value), "")
    if word:
        fields = {"kind": "system", "kind_word": word, "refusal": "notice"}
        referral = object_of(event.value, "referral")
        ref = string_of(referral, "ref") or string_of(referral, "source")
        return _derived(event, word), fields | ({"extra": {"referral": ref}} if ref else {})
    strange = next((name for name in event.value if name not in _ENVELOPE), "none")
    return _derived(event, strange[:40]), {"kind": "unknown", "kind_word": strange[:40]}


def _derived(event: MessagingEvent, what: str) -> str:
    """An id of what Meta gives none: unique by who, when and what."""
    at = event.value.get("timestamp")
    return f"{event.citizen}:{at}:{what}" if event.citizen and isinstance(at, int) else ""


def events_of(entry: Json, id: str) -> Iterator[MessagingEvent | str]:
    """The events of an entry, in order; the name of the list for an element that is no object."""
    for name in ("messaging", "standby"):
        listed = entry.get(name)
        for value in listed if isinstance(listed, list) else []:
            yield MessagingEvent(id, value, name == "standby") if isinstance(value, dict) else name


def changed_events(entry: Json, id: str) -> Iterator[MessagingEvent]:
    """Events that come as changes: in what Meta's dashboard sends for a try, and with Instagram's own login."""
    for change in objects_of(entry, "changes"):
        value = object_of(change, "value")
        if string_of(change, "field") != "feed" and ("sender" in value or "recipient" in value):
            yield MessagingEvent(id, value, string_of(change, "field") == "standby")


def now_or(at: datetime | None, received_at: datetime) -> datetime:
    """The time that Meta names, else that of the receipt."""
    return (at or received_at).astimezone(UTC)

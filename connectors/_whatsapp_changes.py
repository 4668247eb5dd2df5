"""The changes of a WhatsApp webhook taken apart: whose each element is, and what it is about.

`value.standby` holds what happens while Meta's Business Agent has the conversation, `value.history` the past that a
phone brings along, thread by thread. Facts: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks:
messages, system, standby, history, smb_message_echoes, groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from connectors._json import Json, object_of, objects_of, string_of
from connectors._numbers import is_same_number
from connectors._request import Part

_FROM = ("from", "from_user_id")
_CITIZENS = {
    "messages": (_FROM,),
    "message_echoes": (("to", "to_user_id"),),
    "calls": (_FROM,),
    "statuses": (
        ("recipient_participant_id", "recipient_participant_user_id"), ("recipient_id", "recipient_user_id"),
    ),
}  # fmt: skip
"""The lists of a change, and by which fields their elements name the citizen; of a group's status, the member."""


class Citizen(NamedTuple):
    """A citizen, as far as Meta shows one: digits, business-scoped user id, name."""

    phone: str = ""
    user: str = ""
    name: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The first names the conversation."""
        return tuple(filter(None, self[:2]))


class Change:
    """A change of a webhook: Meta's word for its kind, our number that it is about, and the citizens it shows."""

    def __init__(self, field: str, value: Json, *, standby: bool = False) -> None:
        self.field = field
        self.standby = standby
        """Another app has the conversation."""
        self.number = string_of(object_of(value, "metadata"), "phone_number_id")
        """Our number's id with Meta."""
        self._value = value

    @property
    def phone(self) -> str:
        """Our number itself, as Meta writes it there."""
        return string_of(object_of(self._value, "metadata"), "display_phone_number")

    @cached_property
    def contacts(self) -> dict[str, Citizen]:
        """The citizens beside the messages, by number and by user id; where there is only one, also by no id at all."""
        contacts = objects_of(self._value, "contacts")
        found: dict[str, Citizen] = {}
        for contact in contacts:
            ids = _ids(contact, "wa_id", "user_id")
            citizen = Citizen(*ids, string_of(object_of(contact, "profile"), "name"))
            found |= {id: citizen for id in ids if id and id not in found}
            if len(contacts) == 1:
                found[""] = citizen
        return found


class Element(NamedTuple):
    """An element of a change's list."""

    of: str
    """`messages`, `message_echoes`, `calls` or `statuses`."""
    value: Json
    change: Change
    thread: str = ""
    """Of the past: the citizen whose thread it is."""

    @property
    def conversation(self) -> str | None:
        """`PHONE_NUMBER_ID:CITIZEN`. A number that the element names needs no look at the contacts: the ingress works
        out nothing else of a webhook."""
        if self.thread:
            return f"{self.change.number}:{self.thread}"
        for phone_field, user_field in _CITIZENS[self.of]:
            named = self.value.get(phone_field)
            if isinstance(named, str) and named.isdigit():
                return f"{self.change.number}:{named}"
            if named or self.value.get(user_field):
                break
        keys = self.citizen.keys
        return f"{self.change.number}:{keys[0]}" if keys else None

    @property
    def citizen(self) -> Citizen:
        """By the first pair of fields that names one, with what the contacts show besides."""
        if self.thread:
            return Citizen(*_ids({"id": self.thread}, "id", ""))
        notice = object_of(self.value, "system")
        named = [_ids(self.value, phone, user) for phone, user in _CITIZENS[self.of]]
        named += [_ids(notice, "", "previous_user_id"), _ids(notice, "wa_id", "user_id")]
        phone, user = next((pair for pair in named if any(pair)), ("", ""))
        contacts = {} if self.of == "statuses" else self.change.contacts
        ids = [id for id in (phone, user) if id] or [""]
        known = next((contacts[id] for id in ids if id in contacts), None)
        return Citizen(phone or known.phone, user or known.user, known.name) if known else Citizen(phone, user)

    @property
    def refusal(self) -> str | None:
        """Why it is no citizen's word to us now: the past that a phone brings along, or a word of our own."""
        ours = self.of == "message_echoes" or is_same_number(string_of(self.value, "from"), self.change.phone)
        if ours:
            return "echo of our own"
        return "history" if self.change.field == "history" else None


def parts_of(field: str, value: Json) -> Iterator[Part]:
    """The elements of a change, each with its conversation and our number; the name of a list for one that is none."""
    yield from _listed(field, value, Change(field, value))
    if standby := object_of(value, "standby"):
        shared = {name: value[name] for name in ("metadata", "contacts") if name in value}
        inner = shared | standby
        yield from _listed(field, inner, Change(field, inner, standby=True))
    if field == "history":
        yield from _history_parts(field, value)


def _listed(field: str, value: Json, change: Change) -> Iterator[Part]:
    address = change.number or None
    for name in _CITIZENS:
        given = value.get(name)
        if not given:
            continue
        of = "calls" if field == "calls" and name == "statuses" else name
        for listed in given if isinstance(given, list) else [given]:
            if isinstance(listed, dict):
                element = Element(of, listed, change)
                yield Part(element, element.conversation, address)
            else:
                yield Part(name, None, address)


def _history_parts(field: str, value: Json) -> Iterator[Part]:
    """Messages of the time before the account was connected, as Meta hands them over."""
    change = Change(field, value)
    for chunk in objects_of(value, "history"):
        for thread in objects_of(chunk, "threads"):
            citizen = string_of(thread, "id").removeprefix("+")
            for message in objects_of(thread, "messages"):
                element = Element("messages", message, change, citizen)
                yield Part(element, element.conversation, change.number or None)


def _ids(value: Json, phone_field: str, user_field: str) -> tuple[str, str]:
    """Number and user id. A user id may stand where a number used to be."""
    phone, user = string_of(value, phone_field).removeprefix("+"), string_of(value, user_field)
    return (phone, user) if not phone or phone.isdigit() else ("", user or phone)

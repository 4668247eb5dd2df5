"""WhatsApp, by Meta's Cloud API: its webhook in, the Graph API out.

One POST may hold entries, changes and messages of many citizens, for several of our numbers. A conversation is
`PHONE_NUMBER_ID:WHO`, WHO the citizen's number without plus, or the business-scoped user id ("ID.1349…") of one who
hides it; who shows both is known by either (`aliases`). A group's message belongs to the citizen who wrote it, so that
the answer is not read by the group. What is Meta's notice to us, and no citizen's word, yields nothing.
Facts: developers.facebook.com/documentation/business-messaging/whatsapp: webhooks, business-scoped-user-ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import msgspec

from connectors._http import TRIES, Unanswered
from connectors._meta import MetaDoor, MetaSettings
from connectors._port import Fetches, Request, Speaks, Spoken
from connectors._whatsapp import Said, contents, errors_of, object_of, objects_of, own_phone, string_of, time_of
from schemas import Attachment, Message, Party, Raw, Receipt, ReceiptState, Reject, Reply

if TYPE_CHECKING:
    from connectors._http import Http

Contacts = Sequence[tuple[str, str]]
"""Number and user id of those who stand beside the messages; empty where Meta shows none."""

_STATES: dict[str, ReceiptState] = {
    "sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed",
}  # fmt: skip


class WhatsappSettings(MetaSettings, frozen=True, kw_only=True):
    phone_number_id: str = ""
    """Our number with Meta: tells siblings apart that share one webhook."""


class Whatsapp(MetaDoor, Speaks, Fetches):
    kind = "whatsapp"
    settings_type = WhatsappSettings

    @property
    def address(self) -> str | None:
        return self.settings.phone_number_id or None

    @property
    def carries_reference(self) -> bool:
        return True

    def conversations(self, request: Request) -> Sequence[Spoken]:
        try:
            body = _glance.decode(request.body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return []
        listed = [_listed(change) for entry in body.entry for change in entry.changes]
        return listed[0] if len(listed) == 1 == len(listed[0]) else list(dict.fromkeys(chain.from_iterable(listed)))

    def parse(self, raw: Raw) -> Iterator[Message | Receipt | Reject]:
        body = _decoded(raw.body)
        if not isinstance(body, dict) or not isinstance(body.get("entry"), list):
            raise Reject("no entry: not a webhook of WhatsApp")
        for entry in objects_of(body, "entry"):
            for change in objects_of(entry, "changes"):
                yield from self._change(raw, object_of(change, "value"), of_calls=change.get("field") == "calls")

    def _change(self, raw: Raw, value: Said, *, of_calls: bool) -> Iterator[Message | Receipt | Reject]:
        contacts = [(string_of(c, "wa_id"), string_of(c, "user_id")) for c in objects_of(value, "contacts")]
        readers: dict[str, Callable[..., Message | Receipt | Reject]] = {
            "messages": self._spoken,
            "message_echoes": self._echo,
            "calls": self._call,
            "statuses": self._call if of_calls else self._status,
        }
        for name, read in readers.items():
            given = value.get(name) or []
            for said in given if isinstance(given, list) else [given]:
                yield read(raw, value, said, contacts) if isinstance(said, dict) else Reject(f"{name}: no object")

    def _spoken(self, raw: Raw, value: Said, said: Said, contacts: Contacts) -> Message | Reject:
        who = _who(string_of(said, "from"), string_of(said, "from_user_id"), contacts)
        return self._message(raw, value, said, who, sender=_sender(value, said, who), **contents(said, raw))

    def _echo(self, raw: Raw, value: Said, said: Said, contacts: Contacts) -> Message | Reject:
        who = _who(string_of(said, "to"), string_of(said, "to_user_id"), contacts)
        return self._message(raw, value, said, who, **contents(said, raw) | {"refusal": "echo of our own"})

    def _call(self, raw: Raw, value: Said, said: Said, contacts: Contacts) -> Message | Reject:
        """A call, or what became of it: several of one id, so the event belongs to the native id."""
        who = _who(string_of(said, "from"), string_of(said, "from_user_id"), contacts)
        event = string_of(said, "event") or string_of(said, "status")
        named = {"id": f"{string_of(said, 'id')}:{event}"}
        return self._message(
            raw, value, named, who, kind="system", kind_said=f"call {event}", sent_at=time_of(said), refusal="notice"
        )

    def _message(self, raw: Raw, value: Said, said: Said, who: _Who, **known: Any) -> Message | Reject:
        if not who.keys:
            return Reject("a message that says of nobody who wrote it")
        keys = (*who.keys, own_phone(said), string_of(said, "from_parent_user_id"))
        here, *aliases = dict.fromkeys(f"{_our_number(value)}:{key}" for key in keys if key)
        return self.message(raw, string_of(said, "id") or None, here, aliases=tuple(aliases), **known)

    def _status(self, raw: Raw, value: Said, said: Said, _: Contacts) -> Receipt:
        who = _receiver(*(string_of(said, name) for name in _RECEIVER))
        word = string_of(said, "status")
        state = _STATES.get(word, "unknown")
        return self.receipt(
            raw,
            state=state,
            at=time_of(said) or raw.received_at,
            conversation=f"{_our_number(value)}:{who.keys[0]}" if who.keys else None,
            reply=string_of(said, "biz_opaque_callback_data") or None,
            native_id=string_of(said, "id") or None,
            reason=errors_of(said) or (f"status {word[:40]}" if state == "unknown" else None),
        )

    def send(self, reply: Reply, http: Http) -> str | None:
        ours, _, key = reply.conversation.partition(":")
        to = reply.to.removeprefix("whatsapp:").removeprefix(f"{ours}:").removeprefix("+") or key
        said = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # a user id in `to` is accepted and goes nowhere
            "to" if to.isdigit() else "recipient": to,
            "type": "text",
            "text": {"body": reply.text, "preview_url": False},
            "biz_opaque_callback_data": reply.id,
        }
        if reply.in_reply_to and not reply.in_reply_to.startswith("~"):  # an id of ours is none to Meta
            said["context"] = {"message_id": reply.in_reply_to}
        answer = self.graph(http, f"{self.settings.phone_number_id or ours}/messages", said)
        sent = next((string_of(message, "id") for message in objects_of(answer, "messages")), "")
        if not sent:
            raise Unanswered("the Graph API gave no id for the reply", limit=TRIES)
        return sent

    def fetch(self, attachment: Attachment, http: Http) -> tuple[bytes, str | None]:
        if not attachment.native_id:
            raise Reject("an attachment without a media id")
        media = self.graph(http, quote(attachment.native_id, safe=""))
        size = media.get("file_size")
        if isinstance(size, int) and size > self.settings.file_limit:
            raise Reject(f"{size} bytes: the limit of this account is {self.settings.file_limit}")
        heard = self.download(http, string_of(media, "url"))
        return heard.body, string_of(media, "mime_type") or attachment.media_type


def _decoded(body: bytes) -> Any:
    """Bad UTF-8 or half an emoji in one message must not hide the others of its request."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        lenient = json.loads(body.decode("utf-8", "replace"))
        return msgspec.json.decode(json.dumps(lenient, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Reject("not JSON: Meta sends nothing else") from None


class _Who(NamedTuple):
    """A citizen, by what Meta shows: digits, and the business-scoped user id. Empty where it does not."""

    phone: str
    user: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The first names the conversation."""
        return tuple(key for key in self if key)


def _who(phone: str, user: str, contacts: Contacts = ()) -> _Who:
    phone = phone.removeprefix("+")
    if phone and not phone.isdigit():  # a user id, where a number used to be
        phone, user = "", user or phone
    known = next((c for c in contacts if (phone and c[0] == phone) or (user and c[1] == user)), None)
    if known is None and not phone and not user and len(contacts) == 1:
        known = contacts[0]
    return _Who(phone or known[0], user or known[1]) if known else _Who(phone, user)


_RECEIVER = (
    "recipient_participant_id", "recipient_participant_user_id", "recipient_id", "recipient_user_id",
)  # fmt: skip


def _receiver(member: str, member_user: str, phone: str, user: str) -> _Who:
    """Whom a status is about; of a group's, the member."""
    return _who(member, member_user) if member or member_user else _who(phone, user)


def _sender(value: Said, said: Said, who: _Who) -> Party:
    phone = who.phone or own_phone(said)
    names = {
        string_of(c, k): string_of(object_of(c, "profile"), "name") for c in objects_of(value, "contacts") for k in _IDS
    }
    return Party(
        name=next((names[key] for key in who.keys if names.get(key)), None),
        phone=f"+{phone}" if phone else None,
        user=f"whatsapp:{who.user}" if who.user else None,
    )


_IDS = ("wa_id", "user_id")


def _our_number(value: Said) -> str:
    return string_of(object_of(value, "metadata"), "phone_number_id")


class _Contact(msgspec.Struct):
    wa_id: str = ""
    user_id: str = ""


class _Said(msgspec.Struct):
    """As much of a message, an echo, a call or a status as tells whose it is."""

    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    to: str = ""
    to_user_id: str = ""
    recipient_participant_id: str = ""
    recipient_participant_user_id: str = ""
    recipient_id: str = ""
    recipient_user_id: str = ""


class _Metadata(msgspec.Struct):
    phone_number_id: str = ""


class _Value(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    contacts: list[_Contact] = []
    messages: list[_Said] = []
    message_echoes: list[_Said] = []
    calls: list[_Said] = []
    statuses: list[_Said] = []


class _Change(msgspec.Struct):
    value: _Value = msgspec.field(default_factory=_Value)
    field: str = ""


class _Entry(msgspec.Struct):
    changes: list[_Change] = []


class _Body(msgspec.Struct):
    entry: list[_Entry] = []


_glance = msgspec.json.Decoder(_Body)
"""All that the door looks at."""


def _listed(change: _Change) -> list[Spoken]:
    """Whose the items of a change are, as `parse` says it."""
    value, of_calls = change.value, change.field == "calls"
    ours, contacts = value.metadata.phone_number_id, [(c.wa_id, c.user_id) for c in value.contacts]
    written = value.messages + value.calls + (value.statuses if of_calls else [])
    keys = [_key(s.sender, s.from_user_id, contacts) for s in written]
    keys += [_key(s.to, s.to_user_id, contacts) for s in value.message_echoes]
    for s in () if of_calls else value.statuses:
        told = (s.recipient_participant_id, s.recipient_participant_user_id, s.recipient_id, s.recipient_user_id)
        keys.append(next(iter(_receiver(*told).keys), ""))
    return [Spoken(f"{ours}:{key}", ours) if key else Spoken(None) for key in keys]


def _key(phone: str, user: str, contacts: Contacts) -> str:
    """What names the conversation, without a look at the contacts where digits say it."""
    return phone if phone.isdigit() else next(iter(_who(phone, user, contacts).keys), "")

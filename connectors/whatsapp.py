"""WhatsApp, by Meta's Cloud API: its webhook in, the Graph API out.

One POST may hold entries, changes and messages of many citizens, for several of our numbers. A conversation is
`PHONE_NUMBER_ID:CITIZEN`, CITIZEN the number without plus, or the business-scoped user id ("ID.1349…") of one who hides
it; a citizen who shows both is known by either (`aliases`). A group's message belongs to the citizen who wrote it, so
that the answer is not read by the group. Meta's notices to us are no citizen's words and yield nothing.
Facts: developers.facebook.com/documentation/business-messaging/whatsapp: webhooks, business-scoped-user-ids.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import quote

from connectors._demo import DemoItem, DemoRequest
from connectors._http import TRIES
from connectors._json import Json, decode_lenient, object_of, objects_of, string_of
from connectors._meta import MetaSettings, MetaWebhook
from connectors._meta_codes import WHATSAPP
from connectors._numbers import is_same_number
from connectors._port import FetchedFile, Fetches, Item, ProviderConnections, SentReply, Speaks
from connectors._request import Part, Payload
from connectors._whatsapp import error_texts, message_fields, message_id_with_phone, new_ids, shared_phone, time_of
from schemas import Attachment, Message, Party, Raw, Receipt, ReceiptState, Reject, Reply, Unanswered

_STATES: dict[str, ReceiptState] = {
    "sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed",
}  # fmt: skip
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

    def __init__(self, field: str, value: Json) -> None:
        self.field = field
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

    @property
    def conversation(self) -> str | None:
        """`PHONE_NUMBER_ID:CITIZEN`. A number that the element names needs no look at the contacts: the ingress works
        out nothing else of a webhook."""
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
        named = (_ids(self.value, phone, user) for phone, user in _CITIZENS[self.of])
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


class WhatsappSettings(MetaSettings, frozen=True, kw_only=True):
    phone_number_id: str = ""
    """Our number with Meta: tells accounts apart that share one webhook."""


class WhatsappChannel(MetaWebhook, Speaks, Fetches):
    kind = "whatsapp"
    codes = WHATSAPP
    settings_type = WhatsappSettings
    conversational = True
    vouches_for_sender = True
    ids_hold_phones = True
    needs_contract = False
    template = """\
# WhatsApp, by Meta's Cloud API: enter app_secret from Meta's dashboard, and verify_token there.
app_secret = "{secret}"
verify_token = "{secret}"
# phone_number_id = "…"
# access_token = "env:WHATSAPP_TOKEN"     # without it nothing can be answered, no picture fetched
"""

    @property
    def address(self) -> str | None:
        return self.settings.phone_number_id or None

    @property
    def carries_reference(self) -> bool:
        return True

    def setup_help(self, url: str) -> str:
        return f"""\
in Meta's dashboard, WhatsApp, Configuration (the verify token as --secrets shows it):
  callback URL {url}, as it is reached from outside by HTTPS; subscribe to messages"""

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        body = json.dumps(_demo_webhook(item, self.address or "1708000000000001"), ensure_ascii=False).encode()
        body = body[: len(body) // 2] if item.form == "unreadable" else body
        secret = b"guessed" if item.form == "forged" else self.settings.app_secret.reveal().encode()
        signature = f"sha256={hmac.digest(secret, body, 'sha256').hex()}"
        headers = {"content-type": "application/json", "x-hub-signature-256": signature}
        return DemoRequest(path=f"/in/{self.account}", headers=headers, body=body)

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            body = decode_lenient(payload.body)
        except ValueError:
            raise Reject("not_json", "Meta sends nothing else than JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("entry"), list):
            raise Reject("not_a_webhook", "no entry: not a webhook of WhatsApp")
        for entry in objects_of(body, "entry"):
            for change in objects_of(entry, "changes"):
                yield from _parts(string_of(change, "field"), object_of(change, "value"))

    def read(self, part: Part, raw: Raw) -> Item:
        if not isinstance(part.payload, Element):
            raise Reject("not_an_object", f"an element of {part.payload} is no object")
        return self._status(raw, part) if part.payload.of == "statuses" else self._message(raw, part.payload)

    def _message(self, raw: Raw, element: Element) -> Message:
        value, citizen = element.value, element.citizen
        if not citizen.keys:
            raise Reject("no_sender", "the message does not say who wrote it")
        keys = (*citizen.keys, shared_phone(value), string_of(value, "from_parent_user_id"), *new_ids(value))
        conversation, *aliases = dict.fromkeys(f"{element.change.number}:{key}" for key in keys if key)
        native = message_id_with_phone(string_of(value, "id"), citizen.user, citizen.phone)
        known = message_fields(value, raw)
        known["refers_to"] = message_id_with_phone(known["refers_to"] or "", citizen.user, citizen.phone) or None
        known["refusal"] = element.refusal or known["refusal"]
        if element.of == "messages":
            known["sender"] = _sender(citizen, shared_phone(value))
        elif element.of == "calls":  # several events of one call have one id
            event = string_of(value, "event") or string_of(value, "status")
            native = f"{native}:{event}"
            known = {"kind": "system", "kind_word": f"call {event}", "sent_at": time_of(value), "refusal": "notice"}
        return self.message(raw, native or None, conversation, aliases=tuple(aliases), **known)

    def _status(self, raw: Raw, part: Part) -> Receipt:
        value, citizen = part.payload.value, part.payload.citizen
        word = string_of(value, "status")
        state = _STATES.get(word, "unknown")
        return self.receipt(
            raw,
            state=state,
            at=time_of(value) or raw.received_at,
            conversation=part.conversation,
            reply=string_of(value, "biz_opaque_callback_data") or None,
            native_id=message_id_with_phone(string_of(value, "id"), citizen.user, citizen.phone) or None,
            reason=error_texts(value) or (f"status {word[:40]}" if state == "unknown" else None),
        )

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        number = reply.conversation.partition(":")[0] or self.address or ""  # ours that the citizen wrote to
        to = reply.to.rpartition(":")[2].removeprefix("+")
        message = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # a user id in `to` is accepted and goes nowhere
            "to" if to.isdigit() else "recipient": to,
            "type": "text",
            "text": {"body": reply.text, "preview_url": False},
            "biz_opaque_callback_data": reply.id,
        }
        if reply.in_reply_to and not reply.in_reply_to.startswith("~"):  # an id of ours is none to Meta
            message["context"] = {"message_id": reply.in_reply_to}
        answer = await self.graph(outbound, f"{quote(number, safe='')}/messages", message)
        native = next((string_of(one, "id") for one in objects_of(answer, "messages")), "")
        if not native:
            raise Unanswered("the Graph API gave no id for the reply", limit=TRIES)
        return SentReply((native,))

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        if not attachment.native_id:
            raise Reject("no_media_id", "an attachment without a media id")
        media = await self.graph(outbound, quote(attachment.native_id, safe=""))
        size = media.get("file_size")
        if isinstance(size, int) and size > self.settings.file_limit:
            raise Reject("file_too_large", f"{size} bytes: the limit of this account is {self.settings.file_limit}")
        file = await self.download(outbound, string_of(media, "url"))
        return file._replace(media_type=string_of(media, "mime_type") or attachment.media_type)


def _parts(field: str, value: Json) -> Iterator[Part]:
    change = Change(field, value)
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


def _ids(value: Json, phone_field: str, user_field: str) -> tuple[str, str]:
    """Number and user id. A user id may stand where a number used to be."""
    phone, user = string_of(value, phone_field).removeprefix("+"), string_of(value, user_field)
    return (phone, user) if not phone or phone.isdigit() else ("", user or phone)


def _sender(citizen: Citizen, given_phone: str) -> Party:
    phone = citizen.phone or given_phone
    return Party(
        name=citizen.name or None,
        phone=f"+{phone}" if phone else None,
        user=f"whatsapp:{citizen.user}" if citizen.user else None,
    )


def _demo_webhook(item: DemoItem, number: str) -> Json:
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "622100001708", "phone_number_id": number},
        "contacts": [{"profile": {"name": item.name}, "wa_id": item.phone}],
        "messages": [
            {
                "from": item.phone,
                "id": f"wamid.{item.id}",
                "timestamp": str(int(item.at.timestamp())),
                **_demo_content(item),
            }
        ],
    }
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
    }


def _demo_content(item: DemoItem) -> dict[str, Any]:
    match item.form:
        case "image":
            return {
                "type": "image",
                "image": {"mime_type": "image/jpeg", "id": f"media.{item.id}", "caption": item.text},
            }
        case "location":
            return {"type": "location", "location": {"latitude": item.lat, "longitude": item.lon}}
        case "sticker":
            return {"type": "sticker", "sticker": {"mime_type": "image/webp", "id": f"media.{item.id}"}}
    return {"type": "text", "text": {"body": item.text}}

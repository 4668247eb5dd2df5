"""WhatsApp, by Meta's Cloud API: its webhook in, the Graph API out.

One POST may hold entries, changes and messages of many citizens, for several of our numbers. A conversation is
`PHONE_NUMBER_ID:CITIZEN`, CITIZEN the number without plus, or the business-scoped user id ("ID.1349…") of one who hides
it; a citizen who shows both is known by either (`aliases`), and so is one who changes number or id. A group's message
belongs to the citizen who wrote it, so that the answer is not read by the group. Meta's notices to us are no citizen's
words and yield nothing. How a webhook is taken apart stands in `_whatsapp_changes.py`, the content in `_whatsapp.py`.
Facts: developers.facebook.com/documentation/business-messaging/whatsapp: webhooks, business-scoped-user-ids.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from connectors._demo import DemoItem, DemoRequest
from connectors._http import TRIES
from connectors._json import Json, object_of, objects_of, string_of
from connectors._long_text import send_pieces
from connectors._meta import LATER, WINDOW, MetaSettings, MetaWebhook, decode_webhook, refuse_other, split_text
from connectors._meta_check import check_number
from connectors._meta_codes import TEMPLATE_TOO_LONG, WHATSAPP
from connectors._numbers import normalize_number
from connectors._port import CheckResult, FetchedFile, Fetches, Item, ProviderConnections, SentReply, Speaks
from connectors._request import Part, Payload
from connectors._results import AnswerTerms
from connectors._whatsapp import error_texts, message_fields, message_id_with_phone, new_ids, shared_phone, time_of
from connectors._whatsapp_changes import Citizen, Element, parts_of
from connectors._whatsapp_demo import demo_webhook
from schemas import AccountFault, Attachment, Message, Party, Raw, Receipt, ReceiptState, Reject, Reply, Unanswered

TEXT_LIMIT, PARAMETER_LIMIT = 4096, 1000
"""UTF-8 bytes of a message, and characters of a template's parameter."""
_NOT_IN_PARAMETERS = re.compile(r"\s+")
_IN_GROUP = "group:"
"""Begins the address of a citizen who wrote in a group."""
_REFUSED_VALUES = frozenset({"meta_100", "meta_131009"})
_STATES: dict[str, ReceiptState] = {
    "sent": "sent", "delivered": "delivered", "read": "read", "played": "read", "failed": "failed",
}  # fmt: skip


class WhatsappSettings(MetaSettings, frozen=True, kw_only=True):
    phone_number_id: str = ""
    """Our number with Meta: tells accounts apart that share one webhook."""
    late_template: str = ""
    """A template that Meta has approved, of the category utility, with one parameter in its body: answers of officers
    and changes of status go out in it, as it is taken after the 24 hours too, and is free within them."""
    template_language: str = "id"
    """The language in which `late_template` was approved."""


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
# late_template = "kabar_laporan"         # an approved template: without it nothing is answered after 24 hours
"""

    @property
    def address(self) -> str | None:
        return self.settings.phone_number_id or None

    @property
    def carries_reference(self) -> bool:
        return True

    def reply_address(self, message: Message) -> str:
        return f"{_IN_GROUP if message.extra.get('group') else ''}{message.conversation}"

    def typed_address(self, typed: str) -> str:
        return f"{self.address or ''}:{normalize_number(typed).removeprefix('+')}"

    def answer_terms(self, to: str, template: str) -> AnswerTerms:
        late = self.settings.late_template and template in LATER
        return AnswerTerms(taken_for=None if late else WINDOW, free_for=WINDOW)

    def setup_help(self, url: str) -> str:
        return f"""\
in Meta's dashboard, WhatsApp, Configuration (the verify token as --secrets shows it):
  callback URL {url}, as it is reached from outside by HTTPS; subscribe to messages"""

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        body = json.dumps(demo_webhook(item, self.address or "1708000000000001"), ensure_ascii=False).encode()
        body = body[: len(body) // 2] if item.form == "unreadable" else body
        secret = b"guessed" if item.form == "forged" else self.settings.app_secret.reveal().encode()
        signature = f"sha256={hmac.digest(secret, body, 'sha256').hex()}"
        headers = {"content-type": "application/json", "x-hub-signature-256": signature}
        return DemoRequest(path=f"/in/{self.account}", headers=headers, body=body)

    def parts(self, payload: Payload) -> Iterator[Part]:
        for entry in decode_webhook(payload):
            for change in objects_of(entry, "changes") if isinstance(entry, dict) else ():
                yield from parts_of(string_of(change, "field"), object_of(change, "value"))

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
        known["answerable"] = not element.change.standby
        if element.of == "messages" and not (element.thread and known["refusal"] == "echo of our own"):
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
            reason=error_texts(value) or (f"status {word[:40]}" if state == "unknown" else _price(value)),
        )

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        try:
            return await self._say(reply, outbound)
        except AccountFault as fault:
            refuse_other(fault, reply.conversation.partition(":")[0], self.address)
            raise

    async def _say(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        if template := self._template(reply):
            try:
                return SentReply((await self._send(reply, template, outbound),))
            except Reject as refused:
                if refused.code != TEMPLATE_TOO_LONG:
                    raise
        return await send_pieces(_texts(reply), lambda content: self._send(reply, content, outbound))

    def _template(self, reply: Reply) -> Json | None:
        """None: it goes as a plain text."""
        words = _NOT_IN_PARAMETERS.sub(" ", reply.text).strip()
        if not (self.settings.late_template and reply.template in LATER and len(words) <= PARAMETER_LIMIT):
            return None
        body = {"type": "body", "parameters": [{"type": "text", "text": words}]}
        language = {"code": self.settings.template_language}
        named = {"name": self.settings.late_template, "language": language, "components": [body]}
        return {"type": "template", "template": named}

    async def _send(self, reply: Reply, content: Json, outbound: ProviderConnections) -> str:
        number = reply.conversation.partition(":")[0] or self.address or ""  # ours that the citizen wrote to
        to = reply.to.rpartition(":")[2].removeprefix("+")
        message = content | {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            # a user id in `to` is accepted and goes nowhere
            "to" if to.isdigit() else "recipient": to,
            "biz_opaque_callback_data": reply.id,
        }
        path, quoted = f"{quote(number, safe='')}/messages", _quoted(reply)
        try:
            answer = await self.graph(outbound, path, message | ({"context": quoted} if quoted else {}))
        except Reject as refused:
            if quoted is None or refused.code not in _REFUSED_VALUES:
                raise
            answer = await self.graph(outbound, path, message)  # what it quotes may be what Meta refuses
        native = next((string_of(one, "id") for one in objects_of(answer, "messages")), "")
        if not native:
            raise Unanswered("the Graph API gave no id for the reply", limit=TRIES)
        return native

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        if not self.address:
            return [CheckResult("phone_number_id is not set: the account answers for every number of the webhook")]
        return await check_number(self, outbound, quote(self.address, safe=""))

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        if not attachment.native_id:
            raise Reject("no_media_id", "an attachment without a media id")
        media = await self.graph(outbound, quote(attachment.native_id, safe=""), of_file=True)
        size = media.get("file_size")
        if isinstance(size, int) and size > self.settings.file_limit:
            raise Reject("file_too_large", f"{size} bytes: the limit of this account is {self.settings.file_limit}")
        file = await self.download(outbound, string_of(media, "url"))
        return file._replace(media_type=string_of(media, "mime_type") or attachment.media_type)


def _quoted(reply: Reply) -> Json | None:
    """The citizen's message, where Meta knows it: not by an id of ours, which begins with `~` or ends in `~2`. One of a
    group cannot be quoted outside of it."""
    id = (reply.in_reply_to or "").partition("~")[0]
    return {"message_id": id} if id and not reply.to.startswith(_IN_GROUP) else None


def _texts(reply: Reply) -> list[Json]:
    """A long text is several messages."""
    texts = split_text(reply.text, TEXT_LIMIT)
    return [{"type": "text", "text": {"body": text, "preview_url": False}} for text in texts]


def _price(status: Json) -> str | None:
    """Meta's category of what it bills for this message; None: it costs nothing, or Meta does not say."""
    pricing = object_of(status, "pricing")
    return f"billed: {string_of(pricing, 'category')[:40]}" if pricing.get("billable") is True else None


def _sender(citizen: Citizen, given_phone: str) -> Party:
    phone = citizen.phone or given_phone
    return Party(
        name=citizen.name or None,
        phone=f"+{phone}" if phone else None,
        user=f"whatsapp:{citizen.user}" if citizen.user else None,
    )

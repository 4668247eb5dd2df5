"""Messenger, Instagram and the pages of Facebook: one webhook of Meta's holds messages, comments and posts, so every
kind reads all of them. A kind is an own account because its address, its access token and its answers differ.

A conversation is `PAGE:CITIZEN` for messages and `PAGE:THREAD:AUTHOR` for comments; PAGE is our id with Meta.
An answer to a message is a message: within 24 hours by itself, within 7 days if a person wrote it (HUMAN_AGENT). An
answer to a comment is a private reply (one, within 7 days); what comes later stands under the comment, for everybody.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import ClassVar, Literal
from urllib.parse import quote

from connectors._demo import DemoItem, DemoRequest
from connectors._http import HELD, TRIES
from connectors._json import Json, string_of
from connectors._long_text import send_pieces
from connectors._meta import LATER, WINDOW, MetaSettings, MetaWebhook, decode_webhook, refuse_other, split_text
from connectors._meta_check import Rights, check_account
from connectors._meta_codes import MESSAGING
from connectors._meta_events import (
    MessagingEvent,
    ReceiptEvent,
    changed_events,
    event_fields,
    events_of,
    is_receipt,
    now_or,
    receipts_of,
)  # fmt: skip
from connectors._meta_feed import FeedChange, changes_of, feed_fields
from connectors._port import CheckResult, FetchedFile, Fetches, Item, ProviderConnections, SentReply, Speaks
from connectors._request import Part, Payload
from connectors._results import NEVER_TAKEN, AnswerTerms
from schemas import AccountFault, Attachment, Held, Message, Party, Raw, Reject, Reply, Unanswered

FILE_DOMAINS = ("fbcdn.net", "cdninstagram.com", "fbsbx.com", "facebook.com", "instagram.com")
"""Where Meta keeps files of messages and posts."""
_ANSWERED = {"comment": "comment_id", "unsigned": "comment_id", "post": "post_id"}
"""What can be answered beside a message, and Meta's name for it in a private reply."""
BY_PEOPLE = frozenset({"officer_answer", "question"})
"""Templates of answers that a person wrote."""
WINDOW_OF_PEOPLE = timedelta(days=7)
"""After the citizen's last message, for `BY_PEOPLE`."""


class MessagingSettings(MetaSettings, frozen=True, kw_only=True):
    get_started: str = "GET_STARTED"
    """Payload of the button that begins a conversation: pressing it is no report."""
    human_agent: bool = True
    """Answers of officers go out until 7 days after the citizen's last message; Meta must have granted the feature."""
    comment_answers: Literal["private", "public"] = "private"
    """How a comment is answered first."""


class MessagingChannel(MetaWebhook, Speaks, Fetches):
    """What the three kinds share. Each names its own settings and paths."""

    codes = MESSAGING
    conversational = True
    names_us_first = True
    vouches_for_sender = True
    text_limit: ClassVar[int] = 2000
    """UTF-8 bytes of one message."""
    people: ClassVar[str] = "facebook"
    """Begins the ids of people."""
    comment_path: ClassVar[str] = "comments"
    rights: ClassVar[Rights]
    own_setting: ClassVar[str] = "page_id"

    @property
    def address(self) -> str | None:
        return getattr(self.settings, self.own_setting) or None

    def sending_path(self, ours: str) -> str:
        """The node that sends messages for our id."""
        return f"{quote(ours, safe='')}/messages"

    def parts(self, payload: Payload) -> Iterator[Part]:
        for entry in decode_webhook(payload):
            if not isinstance(entry, dict):
                yield Part("entry")
                continue
            id = entry.get("id")
            ours = str(id) if isinstance(id, str | int) else ""
            for event in (*events_of(entry, ours), *changed_events(entry, ours)):
                yield from _parts(event, ours)
            for change in changes_of(entry, ours):
                yield Part(change, change.conversation, ours or None)

    def read(self, part: Part, raw: Raw) -> Item:
        match part.payload:
            case ReceiptEvent(state, at, native, reply):
                return self.receipt(
                    raw, state=state, at=now_or(at, raw.received_at), native_id=native, reply=reply,
                    conversation=part.conversation,
                )  # fmt: skip
            case MessagingEvent() as event:
                return self._event(raw, event, part.conversation)
            case FeedChange() as change:
                native, known = feed_fields(change, self.people)
                return self.message(raw, native or None, part.conversation or raw.id, aliases=change.aliases, **known)
        raise Reject("not_an_object", f"an element of {part.payload} is no object")

    def _event(self, raw: Raw, event: MessagingEvent, conversation: str | None) -> Message:
        native, known = event_fields(event, self.settings.get_started)
        known["refusal"] = "echo of our own" if event.is_ours else known.get("refusal")
        if event.citizen and not event.is_ours:
            known["sender"] = Party(user=f"{self.people}:{event.citizen}")
        return self.message(
            raw, native or None, conversation or raw.id, sent_at=event.at,
            answerable=bool(event.citizen) and not event.standby, **known,
        )  # fmt: skip

    def reply_address(self, message: Message) -> str:
        place = message.extra.get("reply_to")
        return f"{message.conversation.partition(':')[0]}:{place}" if place else message.conversation

    def answers_publicly(self, to: str, template: str) -> bool:
        """What comes later does: the one private reply is spent by then. A comment without its author may be our own:
        the first answer to it is private, so that no answer of ours is answered for ever."""
        what = to.split(":")[1:2]
        public = self.settings.comment_answers == "public" and what != ["unsigned"]
        return what != [] and what[0] in _ANSWERED and (public or template in LATER)

    def answer_terms(self, to: str, template: str) -> AnswerTerms:
        if ":" in to.partition(":")[2]:
            return NEVER_TAKEN  # a comment has had its one private reply, a mention gets none
        return AnswerTerms(WINDOW_OF_PEOPLE if template in BY_PEOPLE and self.settings.human_agent else WINDOW)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        ours, _, to = reply.to.partition(":") if ":" in reply.to else ("", "", reply.to)
        what, _, id = to.partition(":")
        ours = ours or self.address or "me"
        if ":" not in to:
            try:
                return await self._send_message(reply, self.sending_path(ours), to, outbound)
            except AccountFault as fault:
                refuse_other(fault, ours, self.address)
                raise
        if what not in _ANSWERED:
            raise Reject("not_answerable", "Meta lets nobody answer a mention elsewhere or a recommendation")
        path, body, name = self._answer_to_comment(reply, ours, what, id)
        try:
            return SentReply((_id(await self.graph(outbound, path, body), name),))
        except AccountFault as fault:
            if fault.code != "permission_missing":
                raise
            reason = f"{fault.code}: comments have rights of their own: {fault.detail}"
        raise Held(reason, after=HELD)

    def _answer_to_comment(self, reply: Reply, ours: str, what: str, id: str) -> tuple[str, Json, str]:
        """Path and body of the request, and the name of the id in its answer."""
        if self.answers_publicly(reply.to, reply.template):
            return f"{quote(id, safe='')}/{self.comment_path}", {"message": reply.text}, "id"
        words = split_text(reply.text, self.text_limit)[0]
        recipient = {_ANSWERED[what]: id}
        return self.sending_path(ours), {"recipient": recipient, "message": {"text": words}}, "message_id"

    async def _send_message(self, reply: Reply, path: str, to: str, outbound: ProviderConnections) -> SentReply:
        async def send(text: str) -> str:
            body = {
                "recipient": {"id": to},
                "messaging_type": "RESPONSE",
                "message": {"text": text, "metadata": reply.id},
            }
            return _id(await self._sent_in_window(path, body, reply.template, outbound), "message_id")

        try:
            return await send_pieces(split_text(reply.text, self.text_limit), send)
        except Reject as refused:
            if refused.code != "gone":
                raise
        raise AccountFault("wrong_page", "the access token may not send for our id in the webhook: check it and the id")

    async def _sent_in_window(self, path: str, body: Json, template: str, outbound: ProviderConnections) -> Json:
        """Past the 24 hours Meta refuses; what a person wrote may then go as such, within 7 days."""
        try:
            return await self.graph(outbound, path, body)
        except Reject as refused:
            late = refused.code == "window_closed" and template in BY_PEOPLE and self.settings.human_agent
            if not late:
                raise
        try:
            return await self.graph(outbound, path, body | {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"})
        except AccountFault as fault:
            if fault.code != "permission_missing":
                raise
        raise Reject("window_closed", "more than 24 hours, and Meta has not granted this app the Human Agent feature")

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        self.require_outbound()
        file = await self.download_signed(outbound, attachment.url or "", FILE_DOMAINS)
        return file._replace(media_type=file.media_type or attachment.media_type)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        return await check_account(self, outbound, self.rights)

    def demo_request(self, item: DemoItem) -> DemoRequest | None:
        if item.form in {"image", "sticker", "location"}:
            return None
        body = json.dumps(self._demo_webhook(item), ensure_ascii=False).encode()
        body = body[: len(body) // 2] if item.form == "unreadable" else body
        secret = b"guessed" if item.form == "forged" else self.settings.app_secret.reveal().encode()
        signature = f"sha256={hmac.digest(secret, body, 'sha256').hex()}"
        headers = {"content-type": "application/json", "x-hub-signature-256": signature}
        return DemoRequest(path=f"/in/{self.account}", headers=headers, body=body)

    def _demo_webhook(self, item: DemoItem) -> Json:
        ours = self.address or "1708000000000002"
        at = int(item.at.timestamp() * 1000)
        event = {
            "sender": {"id": item.phone},
            "recipient": {"id": ours},
            "timestamp": at,
            "message": {"mid": f"m_{item.id}", "text": item.text},
        }
        return {"object": "page", "entry": [{"id": ours, "time": at, "messaging": [event]}]}


def _parts(event: MessagingEvent | str, ours: str) -> Iterator[Part]:
    if isinstance(event, str):
        yield Part(event, None, ours or None)
        return
    if not is_receipt(event):
        yield Part(event, event.conversation, ours or None)
    for receipt in receipts_of(event):
        yield Part(receipt, event.conversation, ours or None)


def _id(answer: Json, name: str) -> str:
    if not (native := string_of(answer, name)):
        raise Unanswered("the Graph API gave no id for the reply", limit=TRIES)
    return native

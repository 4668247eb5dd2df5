"""LINE, by the Messaging API: its webhook in, answers by reply token while it is young, else by push.

The native id is the message's own, because quotes, edits and unsends name it; an event that brings no message has its
webhookEventId. A redelivery repeats both. In `standby` another system has the conversation: what is written is taken
in, and not answered.
Facts: developers.line.biz/en/reference/messaging-api (November 2026).
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from connectors._json import Json, decode_lenient, string_of
from connectors._line_calls import LineApi
from connectors._line_events import Address, Event, address_of, read_event
from connectors._long_text import cut_text
from connectors._port import CheckResult, FetchedFile, Fetches, Listens, ProviderConnections, SentReply, Speaks
from connectors._request import Forbidden, Part, Payload, Request
from connectors._results import ALWAYS_COSTS, AnswerTerms
from connectors._settings import Secret, Settings
from schemas import Attachment, Message, Raw, Reject, Reply, Unanswered

_LONGEST = 5000
"""Units of UTF-16 in one message."""
_AT_ONCE = 5
"""Messages of one request."""


class LineSettings(Settings, frozen=True, kw_only=True):
    channel_secret: Secret = Secret("")
    """Signs every request of LINE's."""
    access_token: Secret = Secret("")
    """The channel access token: without it nothing can be answered and no picture fetched."""
    api_url: str = "https://api.line.me"
    """The Messaging API."""
    data_url: str = "https://api-data.line.me"
    """Where files lie."""
    file_limit: int = 25 * 1024 * 1024
    """Bytes of an attachment; LINE itself takes videos of up to 200 MB."""


class LineChannel(Listens, Speaks, Fetches):
    kind = "line"
    settings_type = LineSettings
    conversational = True
    vouches_for_sender = True
    outbound_settings = ("access_token",)
    proof_settings = ("channel_secret",)
    url_settings = ("api_url", "data_url")
    proof_header = "x-line-signature"
    kept_headers = ()
    template = """\
# LINE: an official account with the Messaging API; enter channel_secret from LINE Developers Console.
channel_secret = "{secret}"
# access_token = "env:LINE_TOKEN"         # without it nothing can be answered, no picture fetched
"""

    def now(self) -> datetime:
        """The time by which a reply token is young."""
        return datetime.now(UTC)

    @property
    def takes_once(self) -> bool:
        return True  # by the retry key

    def setup_help(self, url: str) -> str:
        return f"""\
in LINE Developers Console, the channel, Messaging API:
  webhook URL {url}, as it is reached from outside by HTTPS; Use webhook on; Webhook redelivery on
in LINE Official Account Manager, Response settings: chat off, auto-response off"""

    def reply_address(self, message: Message) -> str:
        return address_of(message.conversation, message.extra, message.received_at)

    def answers_publicly(self, to: str, template: str) -> bool:
        return to[:1] in {"C", "R"}  # a group, a room

    def answer_terms(self, to: str, template: str) -> AnswerTerms:
        return ALWAYS_COSTS  # by the time another channel has failed its reply token is too old

    def verify(self, request: Request) -> None:
        given = request.headers.get("x-line-signature", "")
        if not given:
            raise Forbidden("no signature")
        if not self.settings.channel_secret:
            raise Forbidden("no channel_secret to check the signature with")
        right = b64encode(hmac.digest(self.settings.channel_secret.reveal().encode(), request.body, "sha256"))
        if not hmac.compare_digest(right, given.encode("utf-8", "replace")):
            raise Forbidden("wrong signature")

    def parts(self, payload: Payload) -> Iterator[Part]:
        try:
            body = decode_lenient(payload.body)
        except ValueError:
            raise Reject("not_json", "LINE sends nothing else than JSON") from None
        events = body.get("events") if isinstance(body, dict) else None
        if not isinstance(events, list):
            raise Reject("not_a_webhook", "no events: not a webhook of LINE's")
        for listed in events:
            event = Event(listed) if isinstance(listed, dict) else None
            yield Part(event, event.conversation if event else None)

    def read(self, part: Part, raw: Raw) -> Message:
        event: Event | None = part.payload
        if event is None:
            raise Reject("not_an_object", "an event that is no object")
        return self.message(raw, event.native_id, event.conversation or raw.id, **read_event(event, raw))

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        api, to, messages = self._api(outbound), Address.of(reply.to), messages_of(reply)
        if reply.repeated and to.young(reply.created_at):
            raise Unanswered("the process that was sending it ended, and its reply token may have been used")
        if to.token and to.young(self.now()):
            try:
                return SentReply(await api.reply(to.token, messages))
            except Reject as reject:
                if reject.code != "reply_token_spent":
                    raise
        return SentReply(await api.push(to.to, messages, reply.id))

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        self.require_outbound()
        if not attachment.native_id:
            raise Reject("file_elsewhere", "the file does not lie with LINE")
        limit = self.settings.file_limit
        if (attachment.size or 0) > limit:
            raise Reject("file_too_large", f"{attachment.size} bytes: the limit of this account is {limit}")
        file = await self._api(outbound).download(quote(attachment.native_id, safe=""), limit)
        return file._replace(media_type=file.media_type or attachment.media_type)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        api = self._api(outbound)
        info, webhook = await api.get("info"), await api.get("channel/webhook/endpoint")
        quota, used = await api.get("message/quota"), await api.get("message/quota/consumption")
        return [
            CheckResult(f"the access token is that of {string_of(info, 'displayName')} ({string_of(info, 'basicId')})"),
            _chat_mode(info), _webhook(webhook, self.account), _quota(quota, used),
        ]  # fmt: skip

    def _api(self, outbound: ProviderConnections) -> LineApi:
        return LineApi(self.settings.api_url, self.settings.data_url, self.settings.access_token, outbound)


def messages_of(reply: Reply) -> list[Json]:
    """The messages of an answer, with buttons over the keyboard where it is about the citizen's own report. Raises
    Reject where it is too long."""
    messages: list[Json] = [{"type": "text", "text": text} for text in cut_text(reply.text, _LONGEST)]
    if len(messages) > _AT_ONCE:
        raise Reject("text_too_long", f"LINE takes {_AT_ONCE} messages of {_LONGEST} characters")
    if reply.number and reply.complaint:
        actions: list[Json] = [{"type": "clipboard", "label": "Salin nomor", "clipboardText": reply.number}]
        actions += [{"type": "message", "label": label, "text": text} for label, text in _buttons(reply)]
        messages[-1]["quickReply"] = {"items": [{"type": "action", "action": action} for action in actions]}
    return messages


def _buttons(reply: Reply) -> list[tuple[str, str]]:
    """Labels, and the words that a citizen would type."""
    more = ("Tambah keterangan", f"TL {reply.number}")
    if reply.template != "finished":
        return [("Cek status", f"CEK {reply.number}"), more]
    return [("Belum selesai", f"BELUM {reply.number}"), more, *(
        (f"Nilai {n}", f"NILAI {reply.number} {n}") for n in range(1, 6)
    )]  # fmt: skip


def _chat_mode(info: Json) -> CheckResult:
    if string_of(info, "chatMode") == "chat":
        return CheckResult(
            "chats are on, so people and the hub both answer: switch them off in LINE's Response settings", True
        )
    return CheckResult("chats by hand are off")


def _webhook(webhook: Json, account: str) -> CheckResult:
    where = urlsplit(string_of(webhook, "endpoint"))
    if not where.hostname:
        return CheckResult("no webhook URL is set: enter it in the console, as `satupintu channels` shows it", True)
    if webhook.get("active") is not True:
        return CheckResult("the webhook is switched off: switch on Use webhook in the console", True)
    if not where.path.rstrip("/").endswith(f"/in/{account}"):
        return CheckResult(
            f"the webhook leads to {where.hostname}, and not to /in/{account}: correct it in the console", True
        )
    return CheckResult(f"the webhook leads to {where.hostname}{where.path}")


def _quota(quota: Json, used: Json) -> CheckResult:
    count, limit = used.get("totalUsage"), quota.get("value")
    sent = int(count) if isinstance(count, int | str) and str(count).isdecimal() else 0
    if string_of(quota, "type") != "limited" or not isinstance(limit, int):
        return CheckResult(f"{sent} pushes this month, without a limit")
    spent = sent >= limit
    advice = ": answers later than a minute fail; buy more" if spent else ""
    return CheckResult(f"{sent} of {limit} pushes are spent this month{advice}", spent)

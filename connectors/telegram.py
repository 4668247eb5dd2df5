"""Telegram, by the Bot API: updates in by webhook or by long polling, `sendMessage` out.

A poll names the first update that is not durable yet: Telegram forgets those before it, and keeps the others for 24
hours. After a week of silence Telegram counts from anywhere: after half a day of it one poll names none, and is given
the first that was never confirmed. Another bot's token counts anew.
Facts: core.telegram.org/bots/api, up to Bot API 10.3 (August 2026).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from connectors._json import Json, decode_object
from connectors._port import (
    CheckResult,
    FetchedFile,
    Fetches,
    Gap,
    Listens,
    PollResult,
    Polls,
    ProviderConnections,
    SentReply,
    Speaks,
)
from connectors._request import Forbidden, Part, Payload, Request
from connectors._settings import Secret, Settings
from connectors._telegram_calls import BotApi
from connectors._telegram_check import bot_results, webhook_results
from connectors._telegram_reading import read_update
from connectors._telegram_sending import send_text
from connectors._telegram_updates import ALLOWED, Update, updates_of
from schemas import Attachment, Message, Raw, Reject, Reply, Retry

_AT_ONCE = 100
"""Updates; Telegram gives no more."""
_SILENCE = 12 * 3600.0
"""Seconds without news after which a poll names no update: less than Telegram keeps one."""
_NEW_START = 100_000
"""A jump further than that is no gap."""
_GRACE = 15.0
"""Seconds beyond `poll_wait` for the answer to a poll."""


class TelegramSettings(Settings, frozen=True, kw_only=True):
    token: Secret = Secret("")
    """The bot's, as BotFather shows it."""
    mode: Literal["webhook", "poll"] = "webhook"
    """Does Telegram call us, or do we ask it? For `poll` no address of ours has to be reached from outside."""
    secret: Secret = Secret("")
    """The `secret_token` of setWebhook: Telegram shows it with every call. Letters, digits, `_` and `-`."""
    api_url: str = "https://api.telegram.org"
    """The Bot API's server."""
    poll_wait: int = 25
    """Seconds that Telegram holds a poll open while there is nothing new."""
    file_limit: int = 20 * 1024 * 1024
    """Bytes of an attachment; api.telegram.org gives no larger ones."""
    send_rate: float = 25.0
    """Messages a second; Telegram allows about 30."""


class _Updates(msgspec.Struct):
    result: list[msgspec.Raw]


class _Numbered(msgspec.Struct):
    update_id: int


_updates = msgspec.json.Decoder(_Updates)
_numbered = msgspec.json.Decoder(_Numbered)


class TelegramChannel(Listens, Polls, Speaks, Fetches):
    kind = "telegram"
    settings_type = TelegramSettings
    conversational = True
    vouches_for_sender = True
    ids_hold_phones = True  # no phone, but they lead to a person
    outbound_settings = ("token",)
    proof_settings = ("secret",)
    url_settings = ("api_url",)
    proof_header = "x-telegram-bot-api-secret-token"
    kept_headers = ()
    poll_disturbs = True
    template = """\
# Telegram: a bot of @BotFather's. `satupintu channels` prints how its webhook is set.
secret = "{secret}"
# token = "env:TELEGRAM_TOKEN"          # without it nothing can be answered, polled or fetched
# mode = "poll"                         # where nothing of ours can be reached from outside
# api_url = "http://127.0.0.1:8081"     # a Bot API server of your own
"""

    def __init__(self, account: str, owner: str, settings: Any) -> None:
        super().__init__(account, owner, settings)
        self._news_at = self.monotonic()

    def monotonic(self) -> float:
        """Seconds, by which silence is measured."""
        return time.monotonic()

    @property
    def polling(self) -> bool:
        return bool(self.settings.mode == "poll")

    @property
    def missing_for_intake(self) -> str | None:
        return self.missing_setting if self.polling else super().missing_for_intake

    @property
    def poll_every(self) -> float:
        return 0.2  # Telegram itself waits until there is something

    @property
    def sends_a_second(self) -> float | None:
        return float(self.settings.send_rate)

    def setup_help(self, url: str) -> str:
        api = f"{self.settings.api_url.rstrip('/')}/botTOKEN"
        if self.polling:
            return f"""\
in Telegram, @BotFather: /newbot, and enter its token here; the hub asks Telegram for what is new.
  Where the bot had a webhook before: curl -X POST {api}/deleteWebhook"""
        return f"""\
in Telegram, @BotFather: /newbot, and enter its token here; then (TOKEN and SECRET as --secrets shows them):
  curl {api}/setWebhook -d url={url} -d secret_token=SECRET \\
    -d 'allowed_updates={json.dumps(ALLOWED)}'"""

    def answers_publicly(self, to: str, template: str) -> bool:
        return to.startswith("-")  # a group

    def verify(self, request: Request) -> None:
        if not self.settings.secret.matches(request.headers.get("x-telegram-bot-api-secret-token", "")):
            raise Forbidden("no secret token, or a wrong one")

    def parts(self, payload: Payload) -> Iterator[Part]:
        for update in updates_of(payload.body):
            yield Part(update, update.conversation if isinstance(update, Update) else None)

    def read(self, part: Part, raw: Raw) -> Message:
        if isinstance(part.payload, str):
            raise Reject("empty_update", "an update without content")
        if not isinstance(part.payload, Update):
            raise Reject("not_an_object", "an update that is no object")
        native, conversation, fields = read_update(part.payload, self._bot)
        return self.message(raw, native, conversation or raw.id, **fields)

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        self.require_outbound()
        bot, _, first = (cursor or "").partition(":")
        wait = self.settings.poll_wait
        body: Json = {"timeout": wait, "limit": _AT_ONCE, "allowed_updates": ALLOWED}
        silent = self.monotonic() - self._news_at > _SILENCE
        if bot == self._bot and first.isdecimal() and not silent:
            body["offset"] = int(first)
        answer = await self._api(outbound).answer("getUpdates", body, timeout=wait + _GRACE if wait else None)
        updates = _listed(answer)
        newest = max(map(_number_of, updates), default=-1)
        if updates and newest < 0:
            raise Retry("the Bot API answered with updates that have no number")
        if updates or silent:
            self._news_at = self.monotonic()
        requests = tuple(Request(body=bytes(update)) for update in updates)
        return PollResult(requests, f"{self._bot}:{newest + 1}" if updates else None, bool(updates))

    def gap(self, before: str, after: str, taken: int) -> Gap | None:
        """Updates of a bot are numbered without gaps, and Telegram keeps each for a day. After a week without any it
        begins anew at any number."""
        (bot, _, first), (new_bot, _, last) = before.partition(":"), after.partition(":")
        if bot != new_bot or not (first.isdecimal() and last.isdecimal()):
            return None
        missing = int(last) - int(first) - taken
        if not 0 < missing <= _NEW_START:
            return None
        words = f"{missing} updates are missing: not fetched within a day, or another program polls this bot"
        return Gap("updates_missing", words)

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        self.require_outbound()
        return SentReply(await send_text(reply, self._api(outbound)))

    async def fetch(self, attachment: Attachment, outbound: ProviderConnections) -> FetchedFile:
        self.require_outbound()
        if not attachment.native_id:
            raise Reject("no_file_id", "an attachment without a file_id")
        limit = self.settings.file_limit
        if (attachment.size or 0) > limit:
            raise Reject("file_too_large", f"{attachment.size} bytes: the limit of the Bot API is {limit}")
        body = await self._api(outbound).download(attachment.native_id, limit)
        return FetchedFile(body, attachment.media_type)

    async def check(self, outbound: ProviderConnections) -> Sequence[CheckResult]:
        api = self._api(outbound)
        bot, webhook = await api.call("getMe", {}), await api.call("getWebhookInfo", {})
        return [*bot_results(bot), *webhook_results(webhook, self.account, polls=self.polling)]

    @property
    def _bot(self) -> str:
        """The bot's own id: what stands before the colon of its token."""
        return str(self.settings.token.reveal()).partition(":")[0]

    def _api(self, outbound: ProviderConnections) -> BotApi:
        return BotApi(self.settings.api_url, self.settings.token, outbound)


def _listed(answer: bytes) -> list[msgspec.Raw]:
    """The updates as they came; where one is odd, as they were read, so that it stands before no others. Raises
    Retry."""
    try:
        return _updates.decode(answer).result
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    found = (decode_object(answer) or {}).get("result")
    if not isinstance(found, list):
        raise Retry("the Bot API answered with something else than updates")
    return [msgspec.Raw(msgspec.json.encode(update)) for update in found]


def _number_of(update: msgspec.Raw) -> int:
    """-1: it has none, and is dead once it is read; those beside it go on."""
    try:
        return _numbered.decode(update).update_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return -1

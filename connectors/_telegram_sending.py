"""A reply by sendMessage: cut to Telegram's length, with buttons under what is about the citizen's own report."""

from __future__ import annotations

import re

from connectors._http import TRIES, ErrorMeaning, HttpResponse
from connectors._json import Json, decode_object, object_of
from connectors._long_text import cut_text
from connectors._telegram_calls import BotApi, judged
from connectors._telegram_content import int_of
from connectors._telegram_reading import CALLBACK
from connectors._telegram_updates import Address, native_id
from schemas import PipelineError, Reject, Reply, Unanswered

LONGEST = 4096
"""Units of UTF-16 in one message."""
ACKNOWLEDGED_WITHIN = 5.0
"""Seconds."""
_NATIVE = re.compile(r"(-?\d+):(\d+)")
"""Chat and message of a native id."""


async def send_text(reply: Reply, api: BotApi) -> tuple[str, ...]:
    """The ids of the messages that the text became. Raises Retry, Unanswered, AccountFault or Reject."""
    to, texts = Address.of(reply.to), list(cut_text(reply.text, LONGEST))
    await _acknowledge(reply, api)
    ids: list[str] = []
    for position, text in enumerate(texts):
        body: Json = {"text": text, "link_preview_options": {"is_disabled": True}}
        if position == 0 and (quoted := _quoted(reply, to)):
            body["reply_parameters"] = {"message_id": quoted, "allow_sending_without_reply": True}
        if position == len(texts) - 1 and (keyboard := keyboard_of(reply)):
            body["reply_markup"] = keyboard
        try:
            to, native = await _post(to, body, api)
        except PipelineError:
            if not ids:
                raise
            raise Unanswered(f"{position} of {len(texts)} parts of the text arrived", limit=TRIES) from None
        ids.append(native)
    return tuple(ids)


def keyboard_of(reply: Reply) -> Json | None:
    """The buttons under an answer. None: there is nothing to press."""
    if reply.template == "awaiting_words":
        to = Address.of(reply.to)
        if to.connection or to.direct:  # Telegram refuses a reply that is forced there, and the words with it
            return None
        return {"force_reply": True, "selective": True, "input_field_placeholder": "Tulis keterangan"}
    number = reply.number
    if not number or not reply.complaint:
        return None
    status = {"text": "Cek status", "callback_data": f"CEK {number}"}
    more = {"text": "Tambah keterangan", "callback_data": f"TL {number}"}
    first = [{"text": f"Salin nomor {number}", "copy_text": {"text": number}}]
    if reply.template == "finished":
        again = {"text": "Belum selesai", "callback_data": f"BELUM {number}"}
        rates = [{"text": f"Nilai {n}", "callback_data": f"NILAI {number} {n}"} for n in range(1, 6)]
        return {"inline_keyboard": [first, [again, more], rates]}
    return {"inline_keyboard": [first, [status, more]]}


async def _post(to: Address, body: Json, api: BotApi) -> tuple[Address, str]:
    """One message, and where it went; once more where the topic is gone, or the group has another id."""
    moved: list[int] = []

    def judge(response: HttpResponse) -> ErrorMeaning | None:
        parameters = object_of(decode_object(response.body) or {}, "parameters")
        moved.extend(filter(None, [int_of(parameters, "migrate_to_chat_id")]))
        return judged(response)

    try:
        result = await api.call("sendMessage", to.fields | body, judge=judge)
    except Reject as reject:
        if moved:
            to = Address(moved[0])
            body.pop("reply_parameters", None)  # messages are counted anew there: another's would be quoted
        elif reject.code == "topic_missing" and to.topic:
            to = to._replace(topic=None)
        else:
            raise
        result = await api.call("sendMessage", to.fields | body)
    native = native_id(result, to.connection or "") if isinstance(result, dict) else None
    if native is None:
        raise Unanswered("the Bot API gave no id for the message", limit=TRIES)
    return to, native


async def _acknowledge(reply: Reply, api: BotApi) -> None:
    """Let the pressed button stop turning. Telegram may refuse it by now; the answer itself counts."""
    pressed = (reply.in_reply_to or "").partition(CALLBACK)[2]
    if pressed:
        try:
            await api.call("answerCallbackQuery", {"callback_query_id": pressed}, timeout=ACKNOWLEDGED_WITHIN)
        except PipelineError:
            return


def _quoted(reply: Reply, to: Address) -> int | None:
    found = _NATIVE.match(reply.in_reply_to or "")
    return int(found[2]) if found and int(found[1]) == to.chat else None

"""Reports of other servers about our replies: delivery status (RFC 3464) and disposition (RFC 8098) notifications."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email import message_from_string
from email.message import Message as Mail
from typing import NamedTuple

from connectors._email_body import DEPTH, PARTS, payload_of
from connectors._email_headers import MailHead
from connectors._email_ids import OwnId, parse_own_id
from schemas import ReceiptState

_STATES: dict[str, ReceiptState] = {
    "failed": "failed", "delayed": "sent", "delivered": "delivered", "relayed": "sent", "expanded": "sent",
}  # fmt: skip
"""Action of a delivery report, as the state of the reply; delayed: a server has it and goes on trying."""
_FIELDS = frozenset({"action", "status", "original-envelope-id", "original-message-id", "disposition"})
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ID_LINE = re.compile(r"^(?:message-id|in-reply-to|references):.{0,2000}", re.IGNORECASE | re.MULTILINE)
_OWN_ID = re.compile(r"sp\.[0-9a-zA-Z-]{1,64}\.[0-9a-f]{16}@[^@\s<>]{1,255}")
_SEARCHED = 64 * 1024
_DELAYED = re.compile(r"\b(?:warning|delay(?:ed)?|still undelivered|tertunda)\b", re.IGNORECASE)
"""In the subject of a bounce: the server goes on trying."""


class ReplyReport(NamedTuple):
    """What became of a reply of ours."""

    of: str
    own: OwnId
    state: ReceiptState
    reason: str | None = None


def is_report(head: MailHead) -> bool:
    """Is it the structure of a report?"""
    return head.fields.get_content_type() == "multipart/report"


def read_report(mail: Mail) -> ReplyReport | None:
    """None: it is not about a reply of ours, or says nothing of it."""
    fields: dict[str, str] = {}
    ids: list[str] = []
    for part in _leaves(mail):
        for name, value in _fields_of(part).items():
            fields.setdefault(name, value)
        ids += _own_ids(part)
    ids += [fields[name].strip("<> ") for name in ("original-message-id", "original-envelope-id") if name in fields]
    found = next(((id, own) for id in ids if (own := parse_own_id(id))), None)
    state = _state(fields)
    if found is None or state is None:
        return None
    status = _STATUS.search(fields.get("status", ""))
    return ReplyReport(*found, state, status[0] if status and state == "failed" else None)


def bounced_reply(text: str, subject: str) -> ReplyReport | None:
    """The reply that a bounce without structure quotes."""
    found = _OWN_ID.search(text[:_SEARCHED])
    own = parse_own_id(found[0]) if found else None
    state: ReceiptState = "sent" if _DELAYED.search(subject) else "failed"
    return ReplyReport(found[0], own, state) if found and own else None


def _state(fields: dict[str, str]) -> ReceiptState | None:
    if "disposition" in fields:
        return "read" if "displayed" in fields["disposition"].lower() else None
    return _STATES.get(fields.get("action", "").strip().lower())


def _leaves(mail: Mail) -> Iterable[Mail]:
    for number, part in enumerate(mail.walk()):
        if number > min(PARTS, 10 * DEPTH):
            return
        yield part


def _fields_of(part: Mail) -> dict[str, str]:
    """The fields of a report's machine part, wherever the parser has put them."""
    named = {name.lower(): str(value).strip() for name, value in part.items()}
    payload = payload_of(part)
    if part.get_content_type() in {"message/disposition-notification", "text/plain"} and isinstance(payload, str):
        inside = message_from_string(payload[:_SEARCHED]) if "disposition" in payload.lower() else Mail()
        named |= {name.lower(): str(value).strip() for name, value in inside.items()}
    return {name: value for name, value in named.items() if name in _FIELDS}


def _own_ids(part: Mail) -> list[str]:
    """Ids of ours in the mail that is reported about, or in its head alone."""
    head = MailHead(part).ids("message-id") if part.get("message-id") else []
    payload = payload_of(part)
    if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers", "text/rfc822"} and isinstance(
        payload, str
    ):
        head = [id for line in _ID_LINE.findall(payload[:_SEARCHED]) for id in _OWN_ID.findall(line)]
    return [id for id in head if parse_own_id(id)]

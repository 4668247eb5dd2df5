"""What another server of GeoReport v2 says of our reports, as fields of Actions.

A stored request is an answer of `servicerequestupdates` or of `requests`, cut down to what is new.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from connectors._lapor_body import OURS
from connectors._open311_documents import read_items
from connectors._open311_form import FormFault, instant_of
from connectors._open311_words import meaning_of
from connectors._request import Payload
from schemas import CLOSED_STATUSES, Actor, Attachment, Reject

WAS = "open311-was"
"""Header of a stored answer of `requests`: the status at the last look."""
ECHO = "an echo of our own"
NO_NEWS = "no words, and a status that moves nothing"


class ServerItem(NamedTuple):
    """One thing that the other server says."""

    fields: dict[str, str]
    was: str


def is_answer(payload: Payload) -> bool:
    """An answer of a server, not a form that a client posts."""
    return payload.method == "GET" or payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"<", b"[", b"{"}


def items_in(payload: Payload) -> Iterator[ServerItem]:
    """Raises Reject where the answer is neither XML nor JSON."""
    try:
        found = read_items(payload.body, "request_update") or read_items(payload.body, "request")
    except ValueError:
        raise Reject("not_an_answer", "the body is neither XML nor JSON") from None
    for fields in found:
        yield ServerItem(fields, payload.headers.get(WAS, ""))


def action_fields(item: ServerItem, account: str) -> tuple[str, dict[str, Any]]:
    """The native id and the fields of the Action. Raises Reject."""
    fields, native = item.fields, item.fields.get("service_request_id", "")
    if not native:
        raise Reject("no_request", "it names no service request")
    text = fields.get("description", "") if "update_id" in fields else fields.get("status_notes", "")
    own, word = _own_id(fields), fields.get("status", "")
    meaning = meaning_of("reopen" if item.was == "closed" and word.lower() == "open" else word)
    status = None if meaning.status == "unverified" else meaning.status
    known: dict[str, Any] = {
        "what": "status" if status in CLOSED_STATUSES or not text else "answer", "text": text,
        "status": status, "status_said": word or None, "reopens": meaning.reopens, "of": {account: native},
        "observed_at": time_of(fields.get("updated_datetime", "")), "actor": Actor(kind="system", id=account),
        "attachments": _picture(fields),
    }  # fmt: skip
    if OURS.search(text):
        known["refusal"] = ECHO
    elif not text and status is None and not known["attachments"]:
        known["refusal"] = NO_NEWS
    return f"{native}/{own}", known


def _picture(fields: dict[str, str]) -> tuple[Attachment, ...]:
    """Of an update. That of a request is the citizen's own, which may be ours."""
    url = fields.get("media_url", "") if "update_id" in fields else ""
    return (Attachment(url=url),) if url.startswith(("http://", "https://")) else ()


def time_of(written: str) -> datetime | None:
    """A time as servers write it; None: it has no zone, or is none."""
    try:
        return instant_of(written, "") if written else None
    except FormFault:
        return None


def _own_id(fields: dict[str, str]) -> str:
    if "update_id" in fields:
        if not fields["update_id"]:
            raise Reject("no_update_id", "an update without an id")
        return f"update/{fields['update_id']}"
    if not fields.get("status"):
        raise Reject("no_status", "a service request without a status")
    return f"status/{fields['status'].lower()}/{fields.get('updated_datetime', '')}"

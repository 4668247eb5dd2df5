"""What LAPOR! says of a complaint, as Actions: its follow-ups, its log and its status.

A stored request is an answer of `/complaints/{id}/complaint` or `/complaints/{id}/followups`, cut down to what is new.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import unquote

from connectors._durations import WIB
from connectors._json import Json, decode_lenient, object_of, objects_of, string_of
from connectors._lapor_api import id_of
from connectors._lapor_body import OURS
from connectors._request import Part, Payload
from schemas import Actor, Attachment, Office, Reject, Status

STATUSES: dict[str, Status] = {
    "belum terverifikasi": "unverified", "belum diverifikasi": "unverified", "terverifikasi": "verified",
    "dalam proses": "in_progress", "diproses": "in_progress", "selesai": "done", "diarsipkan": "archived",
    "arsip": "archived", "ditolak": "rejected",
}  # fmt: skip
RANK = {"unverified": 0, "verified": 1, "in_progress": 2, "done": 3, "archived": 3, "rejected": 3}
_PATH = re.compile(r"/complaints/([^/]+)/")
_TAG = re.compile(r"<br\s*/?>|</p>", re.IGNORECASE)
_MARKUP = re.compile(r"<[a-zA-Z/][^<>]*>")
_FORMS = ("%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%d-%m-%Y", "%Y-%m-%d")
ECHO = "an echo of our own"


class LaporItem(NamedTuple):
    """One thing that LAPOR! says of a complaint."""

    kind: str
    """followup, log or status."""
    native: str
    """The complaint's id there."""
    item: Json


def parts_of(payload: Payload) -> Iterator[Part]:
    """The items of a stored answer. Raises Reject where it is none."""
    try:
        answer = decode_lenient(payload.body)
    except ValueError:
        raise Reject("not_json", "the body is no JSON") from None
    results = object_of(answer, "results") if isinstance(answer, dict) else {}
    if "data" not in results:
        raise Reject("no_results", "the body has no results.data")
    named = _PATH.search(payload.path)
    native = unquote(named[1]) if named else None
    for item in objects_of(results, "data"):
        yield _part("followup", native, item)
    if detail := object_of(results, "data"):
        for log in objects_of(detail, "data_logs"):
            yield _part("log", native or id_of(detail.get("id")), log)
        if detail.get("status_name"):
            yield _part("status", native or id_of(detail.get("id")), detail)


def _part(kind: str, native: str | None, item: Json) -> Part:
    native = native or id_of(item.get("complaint_id")) or ""
    return Part(LaporItem(kind, native, item), native or None)


def action_fields(found: LaporItem) -> tuple[str, dict[str, Any]]:
    """The native id and the fields of the Action. Raises Reject."""
    if not found.native:
        raise Reject("no_complaint", "it names no complaint")
    own, fields = {"followup": _followup, "log": _log, "status": _status}[found.kind](found.item)
    return f"{found.native}/{found.kind}/{own}", {"of": {"sp4n": found.native}, **fields}


def status_word(name: str) -> Status:
    """Ours for the name of a status."""
    lowered = " ".join(name.lower().split())
    return "archived" if "ditutup" in lowered else STATUSES.get(lowered, "unknown")


def local_time(written: Any) -> datetime | None:
    """A time as LAPOR! writes it, without a zone: western Indonesia's is assumed."""
    if not isinstance(written, str):
        return None
    text = written.strip().removesuffix("WIB").strip()
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=WIB).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=WIB)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def digest_of(item: Json) -> str:
    """What makes two lines of a log the same."""
    fields = ("date", "created_at", "content", "data")
    return sha256("\0".join(str(item.get(name)) for name in fields).encode()).hexdigest()[:16]


def status_key(detail: Json) -> str:
    """The status and since when: what makes it new."""
    times = [string_of(log, "timestamp") for log in objects_of(detail, "status_logs")]
    return f"{status_word(string_of(detail, 'status_name'))}/{max(times, default='')}"


def new_status(log: Json) -> tuple[str, str]:
    """The names of the old and the new status in a line of the log; empty where it names none."""
    try:
        data = decode_lenient(string_of(log, "data").encode()) if isinstance(log.get("data"), str) else log.get("data")
    except ValueError:
        data = None
    data = data if isinstance(data, dict) else {}
    return string_of(object_of(data, "status_old"), "name"), string_of(object_of(data, "status_new"), "name")


def _followup(item: Json) -> tuple[str, dict[str, Any]]:
    own = id_of(item.get("id"))
    if own is None:
        raise Reject("no_id", "a follow-up without an id")
    words = _plain(string_of(item, "content") or string_of(item, "template_content"))
    sender, receiver = string_of(item, "institution_from_name"), string_of(item, "institution_to_name")
    fields: dict[str, Any] = {
        "text": OURS.sub("", words).strip(), "observed_at": local_time(item.get("created_at")),
        "actor": Actor(kind="office", name=sender) if sender else Actor(kind="citizen"),
        "attachments": tuple(_files(item)), "refusal": ECHO if OURS.search(words) else None,
    }  # fmt: skip
    if string_of(item, "template_code").lower() == "disposition" and receiver:
        return own, fields | {"what": "disposition", "office": _office(receiver, item.get("institution_to_id"))}
    by = _office(sender, item.get("institution_from_id"))
    return own, fields | ({"what": "answer", "office": by} if sender else {"what": "note"})


def _log(item: Json) -> tuple[str, dict[str, Any]]:
    old, new = new_status(item)
    at = local_time(item.get("date") or item.get("created_at"))
    by = string_of(object_of(item, "institution_from"), "name")
    actor = Actor(kind="office", name=by) if by else Actor(kind="system", id="lapor")
    if not new:
        return digest_of(item), {
            "what": "note", "observed_at": at, "actor": actor,
            "refusal": "a line of the log that names no status",
        }  # fmt: skip
    status, before = status_word(new), status_word(old)
    return digest_of(item), {
        "what": "status", "status": status, "status_said": new, "observed_at": at, "actor": actor,
        "reopens": RANK.get(status, 9) < RANK.get(before, -1) or _ends_anew(before, status),
    }  # fmt: skip


def _ends_anew(before: Status, status: Status) -> bool:
    """LAPOR! states that what was closed otherwise is closed so now."""
    return before != status and before in {"archived", "rejected"} and status in {"done", "archived", "rejected"}


def _status(item: Json) -> tuple[str, dict[str, Any]]:
    name = string_of(item, "status_name")
    times = [string_of(log, "timestamp") for log in objects_of(item, "status_logs")]
    return status_key(item), {
        "what": "status", "status": status_word(name), "status_said": name, "actor": Actor(kind="system", id="lapor"),
        "observed_at": local_time(max(times, default=None)),
    }  # fmt: skip


def _office(name: str, id: Any) -> Office:
    """By their id where they tell it: the registry of offices knows both."""
    return Office(id=f"sp4n:{id_of(id) or name}", name=name)


def _files(item: Json) -> Iterator[Attachment]:
    for file in objects_of(item, "attachments"):
        if url := string_of(file, "path"):
            yield Attachment(native_id=id_of(file.get("id")), url=url, name=string_of(file, "file_name") or None)


def _plain(words: str) -> str:
    """Without the markup that LAPOR!'s editor leaves."""
    if "<" not in words and "&" not in words:
        return words
    return html.unescape(_MARKUP.sub("", _TAG.sub("\n", words))).strip()

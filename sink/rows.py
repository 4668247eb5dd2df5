"""One routed message as rows of the record. Pure but for the sealing; what is personal leaves here sealed or hashed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Table

from schemas import REFERRING, Attachment, Complaint, Match, Message, Party, Routed, encode
from sink.bulk import Stamp
from sink.tables import attachments, complaints, matches, messages, parties, readings, timeline
from sink.vault import Vault


class Rows:
    """Rows by table, growing message by message; `at` is what the database takes for an instant."""

    def __init__(self, vault: Vault, at: Stamp, now: Any) -> None:
        self.by_table: dict[Table, list[dict[str, Any]]] = defaultdict(list)
        self._vault = vault
        self._at = at
        self._now = now

    def add(self, routed: Routed) -> None:
        """What this message leaves behind in the record."""
        complaint, message = routed.complaint, routed.complaint.message
        if complaint.outcome in ("recorded", "added"):
            self._message(complaint, message)
            self._timeline(routed, complaint, message)
            if not complaint.stranger:
                self._words(complaint, message)
        if complaint.outcome == "recorded":
            self._complaint(routed, complaint, message)
        self._matches(complaint, message)

    def _message(self, complaint: Complaint, message: Message) -> None:
        stranger = complaint.stranger and complaint.outcome == "added"
        self.by_table[messages].append({
            "raw": message.raw, "idx": message.index, "id": message.id,
            "complaint": complaint.id, "stranger": stranger,
            "owner": message.owner, "channel": message.channel, "account": message.account, "direction": "in",
            "native_id": message.native_id, "kind": message.kind, "kind_said": message.kind_said,
            "refers_to": message.refers_to, "text": "" if stranger else clean(message.text),
            "sent_at": self._at(message.sent_at) if message.sent_at else None,
            "received_at": self._at(message.received_at),
            "conversation": self._vault.digest("conversation", message.key),
            "reader": message.reader, "matcher": complaint.matcher,
        })  # fmt: skip

    def _words(self, complaint: Complaint, message: Message) -> None:
        self.by_table[readings].append({
            "raw": message.raw, "idx": message.index, "reader": message.reader, "owner": message.owner,
            "message": message.id, "made": clean(encode(bare(message)).decode()),
        })  # fmt: skip
        self._party(message)
        for n, attachment in enumerate(message.attachments):
            self._attachment(n, attachment, complaint, message)

    def _party(self, message: Message) -> None:
        party = message.sender
        if party == Party():
            return
        self.by_table[parties].append({
            "raw": message.raw, "idx": message.index, "owner": message.owner,
            "sealed": self._vault.seal(encode(party).decode()),
            "phone": self._hash(party.phone), "email": self._hash(party.email), "nik": self._hash(party.nik),
            "user_id": self._hash(party.user),
        })  # fmt: skip

    def _hash(self, value: str | None) -> bytes | None:
        return self._vault.digest("identity", value) if value else None

    def _attachment(self, n: int, one: Attachment, complaint: Complaint, message: Message) -> None:
        self.by_table[attachments].append({
            "id": f"{message.raw}.{message.index}.{n}", "raw": message.raw, "idx": message.index, "n": n,
            "owner": message.owner, "account": message.account,
            "native_id": one.native_id, "media_type": one.media_type,
            "name": self._vault.seal(one.name) if one.name else None,
            "url": one.url, "size": one.size, "sha256": one.sha256, "state": one.state,
            "expires_at": self._at(one.expires_at) if one.expires_at else None, "next_try": None, "attempts": 0,
        })  # fmt: skip

    def _timeline(self, routed: Routed, complaint: Complaint, message: Message) -> None:
        what = "recorded" if complaint.outcome == "recorded" else _joined(message)
        who = "stranger" if complaint.stranger and complaint.outcome == "added" else "citizen"
        self._step(complaint, 0, (self._at(message.received_at), what, who, complaint.reason))
        if complaint.outcome == "recorded" and routed.office is not None:
            self._step(complaint, 1, (self._now, "routed", "router", routed.why or routed.rule))

    def _step(self, complaint: Complaint, step: int, told: tuple[Any, str, str, str | None]) -> None:
        at, what, who, why = told
        message = complaint.message
        self.by_table[timeline].append({
            "raw": message.raw, "idx": message.index, "step": step, "owner": message.owner,
            "at": at, "what": what, "who": who, "why": why,
        })  # fmt: skip

    def _matches(self, complaint: Complaint, message: Message) -> None:
        for n, match in enumerate(complaint.matches):
            self.by_table[matches].append(_match(n, match, complaint, message))

    def _complaint(self, routed: Routed, complaint: Complaint, message: Message) -> None:
        at = self._at(message.received_at)
        self.by_table[complaints].append({
            "id": complaint.id, "number": complaint.number, "owner": message.owner, "channel": message.channel,
            "account": message.account, "raw": message.raw, "idx": message.index, "message": message.id,
            "received_at": at, "updated_at": at, "sent_at": self._at(message.sent_at) if message.sent_at else None,
            "report_class": message.report_class, "needs_investigation": message.needs_investigation,
            "incident_date": message.incident_date, "title": clean(message.title),
            "text": clean(message.text), "read": clean(message.read), "status": "unverified",
            **_place(message), **_category(routed, message),
            "rule": routed.rule, "why": routed.why, "anonymous": message.anonymous, "secret": message.secret,
            "external_ids": _json(message.external_ids), "tags": _json(message.tags),
            "missing": _json(complaint.missing),
            "extra": self._vault.seal(encode(message.extra).decode()) if message.extra else None,
            "reader": message.reader, "matcher": complaint.matcher, "rules": routed.rules,
        })  # fmt: skip


def bare(message: Message) -> Message:
    """A reading without what is personal, and without the words as said: those stand in `messages` and `parties`."""
    return replace(message, text="", conversation="", aliases=(), sender=Party(), attachments=(), extra={},
                   fingerprint=None)  # fmt: skip


def _match(n: int, match: Match, complaint: Complaint, message: Message) -> dict[str, Any]:
    return {
        "raw": message.raw, "idx": message.index, "n": n, "complaint": complaint.id, "owner": message.owner,
        "message": message.id, "kind": match.kind, "of": match.of, "score": match.score, "evidence": match.evidence,
        "matcher": complaint.matcher,
    }  # fmt: skip


def _joined(message: Message) -> str:
    if message.command == "CEK":
        return "status_asked"
    return message.kind if message.kind in REFERRING else "added"


def _place(message: Message) -> dict[str, Any]:
    place = message.place
    if place is None:
        return dict.fromkeys(("place_code", "place_level", "place_name", "place_words", "place_source", "lat", "lon"))
    return {
        "place_code": place.code, "place_level": place.level, "place_name": place.name, "place_words": place.words,
        "place_source": place.source, "lat": place.lat, "lon": place.lon,
    }  # fmt: skip


def _category(routed: Routed, message: Message) -> dict[str, Any]:
    category, office, named = message.category, routed.office, message.office
    return {
        "category_id": category.id if category else None, "category_name": category.name if category else None,
        "office_id": office.id if office else None, "office_name": office.name if office else None,
        "named_office_id": named.id if named else None, "named_office_name": named.name if named else None,
    }  # fmt: skip


def _json(value: Any) -> str | None:
    return encode(value).decode() if value else None


def clean(text: str) -> str:
    """PostgreSQL's text holds no NUL; the Raw still has it."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text

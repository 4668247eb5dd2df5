"""The rows that a routed message leaves in the record. Pure but for the sealing: personal values leave sealed or
hashed.

They are made before the record's lock is taken; an item that turns out to be recorded already is simply left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table

from schemas import COURTESIES, REFERRING_KINDS, Action, Assignment, Attachment, Match, Matched, Message, Routed
from sink.bulk import InstantEncoder
from sink.contacts import Contact, ReplyAddressOf, contact_of, seal_attachment_source, seal_contact
from sink.identifiers import Identifiers
from sink.tables import assignments, attachments, complaints, matches, messages, outcomes, parties, timeline
from sink.text import json_or_none, without_nul
from sink.vault import Vault

Row = dict[str, Any]
RowsByTable = Mapping[Table, list[Row]]
OF_A_COMPLAINT = frozenset({"recorded", "added", "asked"})
"""Outcomes of messages that belong to a complaint."""


def is_courtesy(message: Message) -> bool:
    """Thanks or a greeting, without a file: it adds nothing to a report."""
    return message.sort in COURTESIES and not message.attachments


@dataclass(frozen=True, slots=True)
class RowMaker:
    """What rows are made with. `at` encodes an instant for the driver; `now` is encoded already."""

    vault: Vault
    ids: Identifiers
    at: InstantEncoder
    now: Any
    reply_address: ReplyAddressOf

    def contact(self, message: Message | None) -> Contact | None:
        """Of a message's sender."""
        return None if message is None else contact_of(message, self.ids, self.reply_address)

    def rows_of(self, routed: Routed, contact: Contact | None) -> RowsByTable:
        """All rows of a message by table; of an action only those that do not depend on the complaint's state."""
        matched = routed.matched
        rows: RowsByTable = defaultdict(list)
        rows[outcomes].append(self._outcome(matched))
        if matched.matches:
            rows[matches].extend(self._match(match, matched) for match in matched.matches)
        if matched.message is not None and contact is not None and matched.outcome in OF_A_COMPLAINT:
            self._add_message(rows, routed, matched.message, contact)
        return rows

    def _outcome(self, matched: Matched) -> Row:
        item = matched.item
        elsewhere = matched.outcome in OF_A_COMPLAINT
        return {
            "raw": item.raw, "item_index": item.item_index, "item_count": item.item_count, "owner": item.owner,
            "account": item.account, "outcome": matched.outcome, "complaint": matched.id,
            "message": None if elsewhere else self.ids.public_message_id(item.id),
            "reason": None if elsewhere else matched.reason, "at": self.at(item.received_at),
        }  # fmt: skip

    def _match(self, match: Match, matched: Matched) -> Row:
        item = matched.item
        return {
            "complaint": matched.id, "owner": item.owner, "raw": item.raw, "item_index": item.item_index,
            "kind": match.kind, "of": self.ids.public_message_id(match.of), "score": match.score,
            "evidence": match.evidence, "matcher": matched.matcher,
        }  # fmt: skip

    def _add_message(self, rows: RowsByTable, routed: Routed, message: Message, contact: Contact) -> None:
        matched = routed.matched
        stranger = matched.stranger and matched.outcome != "recorded"
        rows[messages].append(self._message(matched, message, stranger))
        rows[timeline].append(self._step(matched, message, stranger))
        if not stranger:
            rows[parties].append(self._party(message, contact))
            if message.attachments:
                rows[attachments].extend(attachment_rows(self, matched.id, message))
        if matched.outcome == "recorded":
            rows[complaints].append(self._complaint(routed, message))
            owner, given = message.owner, routed.assignments
            rows[assignments].extend(self.assignment(one, matched.id, owner) for one in given)

    def _message(self, matched: Matched, message: Message, stranger: bool) -> Row:
        refers_to = message.refers_to and self.ids.key(message.channel, message.account, message.refers_to)
        cleaned = None if stranger or message.cleaned == message.text else message.cleaned
        return {
            "raw": message.raw, "item_index": message.item_index, "key": self.vault.message_key(message.id),
            "complaint": matched.id, "stranger": stranger, "courtesy": is_courtesy(message), "proven": message.proven,
            "owner": message.owner, "channel": message.channel, "account": message.account, "direction": "in",
            "public_id": self.ids.public_id(message.channel, message.native_id),
            "kind": message.kind, "kind_word": message.kind_word, "refers_to": refers_to or None,
            "text": "" if stranger else without_nul(message.text),
            "cleaned": None if cleaned is None else without_nul(cleaned),
            "sent_at": self._maybe_at(message.sent_at), "received_at": self.at(message.received_at),
            "conversation": self.vault.digest("conversation", message.key),
            "reader": message.reader, "matcher": matched.matcher,
        }  # fmt: skip

    def _step(self, matched: Matched, message: Message, stranger: bool) -> Row:
        return {
            "complaint": matched.id, "owner": message.owner, "at": self.at(message.received_at),
            "what": _what_happened(matched, message), "actor_kind": "stranger" if stranger else "citizen",
            "actor": None, "why": str(message.rating) if message.rating else matched.reason,
            "raw": message.raw, "item_index": message.item_index,
        }  # fmt: skip

    def _party(self, message: Message, contact: Contact) -> Row:
        party = message.sender
        return {
            "raw": message.raw, "item_index": message.item_index, "owner": message.owner,
            "sealed": seal_contact(self.vault, contact),
            "phone": self._identity(party.phone), "email": self._identity(party.email),
            "nik": self._identity(party.nik), "user_id": self._identity(party.user),
        }  # fmt: skip

    def _identity(self, value: str | None) -> bytes | None:
        return self.vault.digest("identity", value) if value else None

    def assignment(self, assignment: Assignment, complaint: str | None, owner: str) -> Row:
        """Of an office that the router chose."""
        return {
            "complaint": complaint, "owner": owner,
            "office_id": assignment.office.id, "office_name": assignment.office.name, "state": "assigned",
            "rule": assignment.rule, "why": assignment.why, "since": self.now, "by_kind": "router", "by": None,
        }  # fmt: skip

    def _complaint(self, routed: Routed, message: Message) -> Row:
        matched, at = routed.matched, self.at(message.received_at)
        return {
            "id": matched.id, "number": matched.number, "owner": message.owner, "channel": message.channel,
            "account": message.account, "raw": message.raw, "item_index": message.item_index,
            "received_at": at, "updated_at": at, "sent_at": self._maybe_at(message.sent_at),
            "status": "unverified", "status_said": None, "status_at": None, "touched_at": None,
            **self.read_columns(message),
            "anonymous": message.anonymous, "secret": message.secret, "missing": json_or_none(matched.missing),
            "completed": None,
            "incident_id": next((match.of for match in matched.matches if match.kind == "same_incident"), None),
            "reader": message.reader, "matcher": matched.matcher, "rules": routed.rules,
        }  # fmt: skip

    def read_columns(self, message: Message) -> Row:
        """The columns of a complaint that a later reading may change."""
        return {
            "report_class": message.report_class, "needs_investigation": message.needs_investigation,
            "incident_date": message.incident_date, "title": without_nul(message.title) or None,
            **_place(message), **_category(message),
            "external_ids": json_or_none(message.external_ids), "tags": json_or_none(message.tags),
            "extra": self._sealed_extra(message.extra),
        }  # fmt: skip

    def completed_columns(self, message: Message) -> Row:
        """The columns of a complaint that what its reporter adds may complete."""
        return {"report_class": message.report_class, **_place(message), **_category(message)}

    def _sealed_extra(self, extra: Mapping[str, str]) -> bytes | None:
        plain = json_or_none(extra)
        return None if plain is None else self.vault.seal(plain, "complaints.extra")

    def _maybe_at(self, at: datetime | None) -> Any:
        return None if at is None else self.at(at)


def attachment_rows(make: RowMaker, complaint: str | None, item: Message | Action) -> list[Row]:
    """A row for each file of a message or an action."""
    return [_attachment(make, n, file, complaint, item) for n, file in enumerate(item.attachments)]


def _attachment(make: RowMaker, n: int, file: Attachment, complaint: str | None, item: Message | Action) -> Row:
    return {
        "id": f"{item.raw}.{item.item_index}.{n}", "complaint": complaint,
        "raw": item.raw, "item_index": item.item_index, "n": n,
        "owner": item.owner, "channel": item.channel, "account": item.account,
        "source": seal_attachment_source(make.vault, file),
        "name": make.vault.seal(file.name, "attachments.name") if file.name else None,
        "media_type": file.media_type, "size": file.size, "sha256": file.sha256, "state": file.state,
        "expires_at": None if file.expires_at is None else make.at(file.expires_at),
        "check_at": None if file.sha256 is None else make.now,
    }  # fmt: skip


_STEPS = {"BELUM": "disagreed", "NILAI": "rated"}


def _what_happened(matched: Matched, message: Message) -> str:
    if matched.outcome != "added":
        return "recorded" if matched.outcome == "recorded" else "status_asked"
    if message.command in _STEPS:
        return _STEPS[message.command]
    return message.kind if message.kind in REFERRING_KINDS else "added"


_NO_PLACE: Row = dict.fromkeys(("place_code", "place_level", "place_name", "place_words", "place_source", "lat", "lon"))


def _place(message: Message) -> Row:
    place = message.place
    if place is None:
        return _NO_PLACE
    return {
        "place_code": place.code, "place_level": place.level, "place_name": place.name, "place_words": place.words,
        "place_source": place.source, "lat": place.lat, "lon": place.lon,
    }  # fmt: skip


def _category(message: Message) -> Row:
    category, named = message.category, message.office
    return {
        "category_id": category and category.id, "category_name": category and category.name,
        "named_office_id": named and named.id, "named_office_name": named and named.name,
    }  # fmt: skip

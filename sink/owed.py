"""From what the router planned to rows of the outbox: to the sender of a message, or to a complaint's reporter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import Owed, Routed
from sink.actions import action_time
from sink.applied import AppliedAction
from sink.bulk import query_in
from sink.contacts import Contact
from sink.instant import parse_instant
from sink.outbox import NewReply, Recipient, ReplyAddress, new_reply
from sink.reporters import Reporter, reporters_of
from sink.rows import RowMaker

_owed = msgspec.json.Decoder(Owed).decode


def reply_to_sender(
    make: RowMaker, routed: Routed, contact: Contact | None, speaks: Collection[str]
) -> NewReply | None:
    """The automatic answer to a message. None: nothing is owed, or the account cannot send."""
    matched, message, owed = routed.matched, routed.matched.message, routed.owed
    if message is None or contact is None or owed is None or message.account not in speaks:
        return None
    stranger = matched.stranger and matched.outcome != "recorded"
    address = ReplyAddress(contact.conversation, contact.address, message.native_id or None)
    to = Recipient(message.owner, message.account, message.channel, address, contact.person)
    return new_reply(
        make.vault, to, routed.event_id, owed.template, owed.params,
        complaint=None if stranger else matched.id, number=matched.number,
    )  # fmt: skip


def answers_to_reporters(
    connection: Connection,
    make: RowMaker,
    applied: Sequence[AppliedAction],
    waiting: Sequence[Any],
    speaks: Collection[str],
) -> list[NewReply]:
    """Answers of officers and offices: for the actions just applied, and for earlier ones (rows of `actions`) whose
    complaint was recorded just now."""
    due = [
        _Due(complaint, one.routed.event_id, owed, action_time(one.action)) for one in applied
        if one.case is not None and one.case.recorded and (owed := one.owed) is not None
        for complaint in (one.case.complaint, *one.effect.shared)
    ]  # fmt: skip
    due += [
        _Due(row.complaint, f"{row.raw}.{row.item_index}", _owed(row.owed), parse_instant(action_time(row)))
        for row in waiting
    ]
    if not due:
        return []
    reporters = reporters_of(connection, make.vault, {one.complaint for one in due}, speaks)
    said = _said_at(connection, {one.complaint for one in due if one.words})
    found: dict[tuple[str, bytes], NewReply] = {}
    for one in due:
        if one.complaint in reporters:
            reply = _answer(make, one, said.get(one.complaint, ()), reporters[one.complaint])
            found.setdefault((one.source, reply.recipient), reply)  # one answer to an incident goes to each person once
    return list(found.values())


class _Due(NamedTuple):
    """An answer for the reporter of a complaint."""

    complaint: str
    source: str
    """The event that it comes of."""
    owed: Owed
    at: datetime

    @property
    def words(self) -> str:
        return str(self.owed.params.get("text", "")) if self.owed.template == "officer_answer" else ""


def _said_at(connection: Connection, complaints: Collection[str]) -> dict[str, list[datetime]]:
    """When their reporters added something, thanks left out."""
    sql = (
        "SELECT m.complaint, m.received_at FROM messages m "
        "JOIN outcomes o ON o.raw = m.raw AND o.item_index = m.item_index "
        "WHERE m.complaint IN (*) AND NOT m.stranger AND NOT m.courtesy AND o.outcome = 'added'"
    )
    found: dict[str, list[datetime]] = defaultdict(list)
    for row in query_in(connection, sql, complaints):
        found[row.complaint].append(parse_instant(row.received_at))
    return found


def _answer(make: RowMaker, due: _Due, said: Collection[datetime], reporter: Reporter) -> NewReply:
    """The same words go to one report once, as after a double click or by two systems; again only to a reporter who
    said something in between, such as that it is not solved."""
    before = sum(at <= due.at for at in said)
    key = f"words/{sha256(due.words.encode()).hexdigest()}/{before}" if due.words else due.source
    contact = reporter.contact
    address = ReplyAddress(contact.conversation, contact.address, reporter.native or None)
    to = Recipient(reporter.owner, reporter.account, reporter.channel, address, contact.person)
    return new_reply(
        make.vault, to, f"{key}/{due.complaint}", due.owed.template, due.owed.params,
        complaint=due.complaint, number=reporter.number, automatic=False,
    )  # fmt: skip

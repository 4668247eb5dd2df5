"""From what the router planned to rows of the outbox: to the sender of a message, or to a complaint's reporter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import Connection

from schemas import Owed, Routed
from sink.applied import AppliedAction
from sink.contacts import Contact
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
        (complaint, one.routed.event_id, owed) for one in applied
        if one.case is not None and one.case.recorded and (owed := one.owed) is not None
        for complaint in (one.case.complaint, *one.effect.shared)
    ]  # fmt: skip
    due += [(row.complaint, f"{row.raw}.{row.item_index}", _owed(row.owed)) for row in waiting]
    if not due:
        return []
    reporters = reporters_of(connection, make.vault, {complaint for complaint, _, _ in due}, speaks)
    found: dict[tuple[str, bytes], NewReply] = {}
    for complaint, source, owed in due:
        if complaint in reporters:
            reply = _answer(make, source, owed, complaint, reporters[complaint])
            found.setdefault((source, reply.recipient), reply)  # one answer to an incident goes to each person once
    return list(found.values())


def _answer(make: RowMaker, source: str, owed: Owed, complaint: str, reporter: Reporter) -> NewReply:
    words = str(owed.params.get("text", "")) if owed.template == "officer_answer" else ""
    key = f"words/{sha256(words.encode()).hexdigest()}" if words else source  # the same words to one report once
    contact = reporter.contact
    address = ReplyAddress(contact.conversation, contact.address, reporter.native or None)
    to = Recipient(reporter.owner, reporter.account, reporter.channel, address, contact.person)
    return new_reply(
        make.vault, to, f"{key}/{complaint}", owed.template, owed.params,
        complaint=complaint, number=reporter.number, automatic=False,
    )  # fmt: skip

"""The outbox: replies that are owed, written in the transaction that records what they answer. The table is the queue.

    owed -> claimed -> sent | unknown | failed -> delivered -> read        or suppressed: over the day's limit
                                        failed -> moved | dismissed        by another address; by a person

The process that holds an account's lease claims its replies (`outbox_claims`), sends them and stores the results
(`outbox_results`). A row says what to say, by template and parameters; the text is made when it is sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas import encode, reply_id
from sink.bulk import insert, instant_encoder, lock_names, query_in
from sink.instant import parse_instant
from sink.tables import outbox
from sink.vault import Vault

DAILY_LIMIT = 20
"""Automatic answers to one person on one local day; it also ends a talk of two machines."""
_STEP = timedelta(microseconds=1)
RECIPIENT = 2
"""Purpose of the locks on recipients."""


class ReplyAddress(msgspec.Struct, frozen=True):
    """Where a reply goes; sealed as JSON in the outbox."""

    conversation: str
    to: str
    in_reply_to: str | None = None

    def seal(self, vault: Vault) -> bytes:
        """As the outbox holds it."""
        return vault.seal(encode(self).decode(), "outbox.address")

    @classmethod
    def open(cls, vault: Vault, sealed: bytes) -> ReplyAddress:
        """Raises WrongKeys."""
        return _decode_address(vault.open(sealed, "outbox.address"))


_decode_address = msgspec.json.Decoder(ReplyAddress).decode


class NewReply(NamedTuple):
    """A reply to be enqueued, with personal values sealed or hashed."""

    id: str
    complaint: str | None
    number: str | None
    owner: str
    account: str
    channel: str
    template: str
    params: str | None
    """JSON."""
    automatic: bool
    address: bytes
    conversation: bytes
    recipient: bytes
    instead_of: str | None = None
    """The reply that failed, for which this one goes to another address."""


class Recipient(NamedTuple):
    """To whom a reply goes, and by which account."""

    owner: str
    account: str
    channel: str
    address: ReplyAddress
    person: str
    """Identifies the recipient for the day's limit."""


def new_reply(
    vault: Vault, to: Recipient, source: str, template: str, params: Mapping[str, Any] | None = None,
    *, complaint: str | None = None, number: str | None = None, automatic: bool = True,
) -> NewReply:  # fmt: skip
    """A reply whose id derives from `source` (the event that it answers) and the template: owed twice is owed once.
    Without `complaint`, as for a stranger, `number` is only for the text."""
    return NewReply(
        id=reply_id(source, template), complaint=complaint, number=number, owner=to.owner, account=to.account,
        channel=to.channel, template=template, params=encode(params).decode() if params else None, automatic=automatic,
        address=to.address.seal(vault),
        conversation=vault.digest("conversation", f"{to.account}/{to.address.conversation}"),
        recipient=vault.digest("recipient", to.person),
    )  # fmt: skip


def enqueue_replies(connection: Connection, replies: Sequence[NewReply], now: datetime, zone: tzinfo) -> int:
    """Write the replies, in their order, inside the caller's transaction; returns how many will be sent. `zone` tells
    where a recipient's day begins."""
    if not replies:
        return 0
    day, encoded = now.astimezone(zone).date().isoformat(), instant_encoder(connection)
    suppressed = _over_limit(connection, [reply for reply in replies if reply.automatic], day)
    common = {"day": day, "attempts": 0, "due_at": encoded(now)}
    rows = [
        reply._asdict() | common | {
            "state": "suppressed" if reply.id in suppressed else "owed", "created_at": encoded(created_at),
        }
        for reply, created_at in zip(replies, _in_order(connection, replies, now), strict=True)
    ]  # fmt: skip
    insert(connection, outbox, rows, "ON CONFLICT (id) DO NOTHING")
    return len(replies) - len(suppressed)


def _in_order(connection: Connection, replies: Sequence[NewReply], now: datetime) -> Iterator[datetime]:
    """When each counts as enqueued: after those of its conversation that wait, whose clock may have been ahead of ours,
    and a microsecond after the one before it."""
    sql = (
        "SELECT conversation, max(created_at) FROM outbox WHERE conversation IN (*) AND state IN ('owed', 'claimed') "
        "GROUP BY conversation"
    )
    waiting = query_in(connection, sql, {reply.conversation for reply in replies})
    last = {bytes(conversation): parse_instant(created_at) for conversation, created_at in waiting}
    for n, reply in enumerate(replies):
        earliest = last.get(reply.conversation, now - _STEP) + _STEP
        last[reply.conversation] = max(now + n * _STEP, earliest)
        yield last[reply.conversation]


def _over_limit(connection: Connection, replies: Sequence[NewReply], day: str) -> set[str]:
    recipients = {reply.recipient for reply in replies}
    lock_names(connection, RECIPIENT, recipients)  # two processes that answer one person count one after the other
    sql = "SELECT recipient, count(id) FROM outbox WHERE recipient IN (*) AND day = ? AND automatic AND state <> ? "
    counted = query_in(connection, f"{sql} GROUP BY recipient", recipients, day, "suppressed")
    spent = Counter({bytes(recipient): count for recipient, count in counted})
    over: set[str] = set()
    for reply in replies:
        spent[reply.recipient] += 1
        if spent[reply.recipient] > DAILY_LIMIT:
            over.add(reply.id)
    return over

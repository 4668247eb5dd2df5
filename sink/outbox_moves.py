"""Replies that failed for good: once to another verified address of the same citizen, else on the list for officers.

It is decided in the transaction in which the reply fails. It is then `moved`, and another reply, whose id derives from
its own, stands for it; one that stands for another is never moved again. The timeline says why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Connection, and_, or_, select, text

from schemas import UndeliveredReply, VerifiedAddress
from sink.bulk import execute_each, insert, instant_encoder, lock_rows, query_in
from sink.outbox import NewReply, Recipient, ReplyAddress, enqueue_replies, new_reply
from sink.record import Record
from sink.tables import outbox, timeline
from sink.vault import Vault
from sink.verified_addresses import AddressFound, other_addresses

MOVED, UNREACHED = "reply_moved", "reply_failed"
"""Steps of the timeline."""
_REPLIES = """
    SELECT o.id, o.complaint, o.number, o.owner, o.account, o.channel, o.template, o.params, o.address, o.conversation,
    o.recipient, o.code, o.instead_of, c.anonymous OR c.secret AS withheld
    FROM outbox o JOIN complaints c ON c.id = o.complaint WHERE o.id IN (*) AND o.state = """
_UPDATE = "UPDATE outbox SET state = 'moved' WHERE id = :id AND state = 'failed'"
_GIVE_UP = "UPDATE outbox SET state = 'failed', code = :code, reason = :reason WHERE id = :id AND state = 'owed'"


class Position(NamedTuple):
    """Of a reply among those that its account owes."""

    created_at: datetime
    id: str


class ReplyPlanner(Protocol):
    """Chooses among the other addresses of a citizen."""

    @property
    def speaking(self) -> Collection[str]:
        """The accounts that can send."""
        ...

    def choose(
        self, reply: UndeliveredReply, addresses: Sequence[VerifiedAddress], now: datetime
    ) -> VerifiedAddress | None:
        """None: no address will do."""
        ...


def move_failed(
    connection: Connection, vault: Vault, planner: ReplyPlanner, failed: Collection[str], now: datetime
) -> int:
    """Move those of these replies that have failed in this transaction, whose rows the caller has locked; returns how
    many. Of one without another address the timeline says that it reached nobody."""
    rows = list(query_in(connection, f"{_REPLIES} 'failed'", failed)) if failed else []
    return _move(connection, vault, rows, _reachable(connection, vault, planner, rows, now), now)


def stuck_replies(record: Record, account: str, before: datetime, after: Position | None, most: int) -> list[Position]:
    """Those that the account owes since before that moment, the oldest first, behind a position. Raises Retry."""
    c = outbox.c
    query = select(c.created_at, c.id).where(c.account == account, text("state = 'owed'"), c.created_at <= before)
    if after is not None:
        same = and_(c.created_at == after.created_at, c.id > after.id)
        query = query.where(c.created_at >= after.created_at, or_(c.created_at > after.created_at, same))
    with record.read() as connection:
        rows = connection.execute(query.order_by(c.created_at, c.id).limit(most))
        return [Position(*row) for row in rows]


def move_stuck(record: Record, planner: ReplyPlanner, ids: Collection[str], code: str, now: datetime) -> int:
    """Move those of these replies, of an account that sends nothing for long, for which another address is known; the
    others stay owed. Returns how many. Raises Retry."""
    with record.read() as connection:
        owed = list(query_in(connection, f"{_REPLIES} 'owed'", ids))
        ids = _reachable(connection, record.vault, planner, owed, now)
    if not ids:
        return 0
    with record.write() as connection:
        lock_rows(connection, outbox, "id", ids)
        owed = list(query_in(connection, f"{_REPLIES} 'owed'", ids))
        reached = _reachable(connection, record.vault, planner, owed, now)
        reason = "its account sends nothing for long"
        ended = [{"id": id, "code": code, "reason": reason} for id in reached]
        execute_each(connection, outbox, _GIVE_UP, ended)
        rows = list(query_in(connection, f"{_REPLIES} 'failed'", reached))
        return _move(connection, record.vault, rows, reached, now)


def _move(
    connection: Connection, vault: Vault, rows: Sequence[Any], to: Mapping[str, AddressFound], now: datetime
) -> int:
    """Put another reply in the place of each of which `to` knows an address; the timeline tells of all."""
    moved = [_instead(vault, row, to[row.id]) for row in rows if row.id in to]
    at = instant_encoder(connection)(now)
    execute_each(connection, outbox, _UPDATE, [{"id": reply.instead_of} for reply in moved])
    enqueue_replies(connection, moved, now, UTC)
    insert(connection, timeline, [_step(row, to[row.id].shown if row.id in to else None, at) for row in rows])
    return len(moved)


def _reachable(
    connection: Connection, vault: Vault, planner: ReplyPlanner, rows: Sequence[Any], now: datetime
) -> dict[str, AddressFound]:
    """The other address of each that has one, by its id."""
    first_tries = [row for row in rows if row.instead_of is None]
    known = other_addresses(connection, vault, planner.speaking, first_tries, now)
    chosen = {row.id: _chosen(planner, row, known[row.id], now) for row in first_tries}
    return {id: one for id, one in chosen.items() if one is not None}


def _chosen(planner: ReplyPlanner, reply: Any, addresses: Sequence[AddressFound], now: datetime) -> AddressFound | None:
    if not addresses:
        return None
    about = UndeliveredReply(
        template=reply.template, account=reply.account, channel=reply.channel, code=reply.code,
        withheld=bool(reply.withheld),
    )  # fmt: skip
    chosen = planner.choose(about, [one.shown for one in addresses], now)
    return next((one for one in addresses if one.shown == chosen), None)


def _instead(vault: Vault, reply: Any, to: AddressFound) -> NewReply:
    """It does not count for the day's budget: the one that failed did."""
    address = ReplyAddress(to.contact.conversation, to.contact.address)
    recipient = Recipient(reply.owner, to.shown.account, to.shown.channel, address, to.contact.person)
    params = msgspec.json.decode(reply.params) if reply.params else None
    return new_reply(
        vault, recipient, f"instead/{reply.id}", reply.template, params,
        complaint=reply.complaint, number=reply.number, automatic=False,
    )._replace(instead_of=reply.id)  # fmt: skip


def _step(reply: Any, to: VerifiedAddress | None, at: Any) -> dict[str, Any]:
    why = f"{reply.channel}: {reply.code}"
    return {
        "complaint": reply.complaint, "owner": reply.owner, "at": at, "what": UNREACHED if to is None else MOVED,
        "actor_kind": "system", "actor": None, "why": why if to is None else f"{why}; {to.channel}", "raw": None,
        "item_index": None,
    }  # fmt: skip

"""Replies that failed for good: once to another verified address of the same citizen, else on the list for officers.

It is decided in the transaction in which the reply fails. It is then `moved`, and another reply, whose id derives from
its own, stands for it; one that stands for another is never moved again. The timeline says why.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection

from schemas import UndeliveredReply, VerifiedAddress
from sink.bulk import execute_each, insert, instant_encoder, lock_rows, query_in
from sink.outbox import NewReply, enqueue_replies, new_reply
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
_STUCK = """
    SELECT id, account FROM outbox WHERE account IN (*) AND state = 'owed' AND created_at <= ? AND id > ?
    ORDER BY id LIMIT ?
"""
_GIVE_UP = "UPDATE outbox SET state = 'failed', code = :code, reason = :reason WHERE id = :id AND state = 'owed'"


class ReplyPlanner(Protocol):
    """Chooses among the other addresses of a citizen."""

    @property
    def speaking(self) -> Collection[str]:
        """The accounts that can send."""
        ...

    def choose(self, reply: UndeliveredReply, addresses: Sequence[VerifiedAddress]) -> VerifiedAddress | None:
        """None: no address will do."""
        ...


def move_failed(
    connection: Connection, vault: Vault, planner: ReplyPlanner, failed: Collection[str], now: datetime
) -> int:
    """Move those of these replies that have failed in this transaction, whose rows the caller has locked; returns how
    many. Of one without another address the timeline says that it reached nobody."""
    rows = list(query_in(connection, f"{_REPLIES} 'failed'", failed)) if failed else []
    known = other_addresses(connection, vault, planner.speaking, _first_tries(rows), now)
    moved: list[NewReply] = []
    steps = []
    for row in rows:
        chosen = _chosen(planner, row, known.get(row.id, ()))
        if chosen is not None:
            moved.append(_instead(vault, row, chosen))
        steps.append(_step(row, None if chosen is None else chosen.shown, instant_encoder(connection)(now)))
    execute_each(connection, outbox, _UPDATE, [{"id": reply.instead_of} for reply in moved])
    enqueue_replies(connection, moved, now, UTC)
    insert(connection, timeline, steps)
    return len(moved)


def move_stuck(
    record: Record, planner: ReplyPlanner, causes: Mapping[str, str], *, before: datetime, now: datetime,
    after_id: str = "", most: int = 200,
) -> str | None:  # fmt: skip
    """Move replies of accounts that send nothing for long, where another address is known; the others stay owed.
    `causes` are the reasons by account. Looks at `most` replies behind `after_id` that were owed before that moment;
    returns where to go on, None: that was all. Raises Retry."""
    with record.write() as connection:
        at = instant_encoder(connection)
        rows = sorted(query_in(connection, _STUCK, causes, at(before), after_id, most), key=lambda row: str(row.id))
        ids = {row.id: row.account for row in rows[:most]}
        lock_rows(connection, outbox, "id", ids)
        owed = list(query_in(connection, f"{_REPLIES} 'owed'", ids))
        known = other_addresses(connection, record.vault, planner.speaking, _first_tries(owed), now)
        reached = [row.id for row in owed if _chosen(planner, row, known.get(row.id, ())) is not None]
        reason = "its account sends nothing for long"
        ended = [{"id": id, "code": causes[ids[id]], "reason": reason} for id in reached]
        execute_each(connection, outbox, _GIVE_UP, ended)
        move_failed(connection, record.vault, planner, reached, now)
    return max(ids) if len(ids) == most else None


def _first_tries(replies: Sequence[Any]) -> list[Any]:
    return [row for row in replies if row.instead_of is None]


def _chosen(planner: ReplyPlanner, reply: Any, addresses: Sequence[AddressFound]) -> AddressFound | None:
    if not addresses:
        return None
    about = UndeliveredReply(
        template=reply.template, account=reply.account, channel=reply.channel, code=reply.code,
        withheld=bool(reply.withheld),
    )  # fmt: skip
    chosen = planner.choose(about, [one.shown for one in addresses])
    return next((one for one in addresses if one.shown == chosen), None)


def _instead(vault: Vault, reply: Any, to: AddressFound) -> NewReply:
    """It does not count for the day's budget: the one that failed did."""
    return new_reply(
        vault, source=f"instead/{reply.id}", template=reply.template, owner=reply.owner, account=to.shown.account,
        channel=to.shown.channel, conversation=to.contact.conversation, to=to.contact.address,
        person=to.contact.person, complaint=reply.complaint, number=reply.number, automatic=False,
        params=msgspec.json.decode(reply.params) if reply.params else None,
    )._replace(instead_of=reply.id)  # fmt: skip


def _step(reply: Any, to: VerifiedAddress | None, at: Any) -> dict[str, Any]:
    why = f"{reply.channel}: {reply.code}"
    return {
        "complaint": reply.complaint, "owner": reply.owner, "at": at, "what": UNREACHED if to is None else MOVED,
        "actor_kind": "system", "actor": None, "why": why if to is None else f"{why}; {to.channel}", "raw": None,
        "item_index": None,
    }  # fmt: skip

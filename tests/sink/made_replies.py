"""Replies to people who do not exist, and short ways through the outbox for the tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sink import Record, Vault
from sink.leases import renew_leases
from sink.outbox import NewReply, Recipient, ReplyAddress, enqueue_replies, new_reply
from sink.outbox_claims import OwedReply, SenderFacts, claim_replies
from sink.outbox_results import SendResult, SendState, store_results

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def reply(vault: Vault, n: int, conversation: str = "", **more: Any) -> NewReply:
    """The n-th reply, to a person of its own unless a conversation is named."""
    talk = conversation or f"+6281200{n:05d}"
    recipient: dict[str, Any] = {"owner": "32.73", "account": "sms", "channel": "sms", "person": talk}
    address: dict[str, Any] = {"conversation": talk, "to": talk, "in_reply_to": None}
    known: dict[str, Any] = {"source": f"raw-{n}.0", "template": "added", "number": f"{1_000_000_000 + n}"}
    for own in (recipient, address):
        own |= {name: more.pop(name) for name in own.keys() & more.keys()}
    return new_reply(vault, Recipient(**recipient, address=ReplyAddress(**address)), **(known | more))


def enqueue(record: Record, *replies: NewReply, now: datetime = NOW) -> int:
    with record.write() as connection:
        return enqueue_replies(connection, replies, now, JAKARTA)


def lease(
    record: Record, holder: str = "a", accounts: Collection[str] = ("sms",), now: datetime = NOW
) -> dict[str, int]:
    return renew_leases(record, holder, accounts, now=now)


def take_over(record: Record, holder: str = "b", accounts: Collection[str] = ("sms",)) -> dict[str, int]:
    """Another process holds the accounts, because the leases of the first lapsed."""
    with record.write() as connection:
        connection.exec_driver_sql("DELETE FROM lease_holders")  # locks are taken in this order: holders, then leases
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SELECT account FROM leases ORDER BY account FOR UPDATE").all()
        connection.exec_driver_sql("UPDATE leases SET until = '2001-01-01 00:00:00.000000'")
    return renew_leases(record, holder, accounts, now=at(60))


def claim(
    record: Record, epochs: Mapping[str, int], room: int = 100, in_flight: Collection[str] = (), now: datetime = NOW,
    **facts: Any,
) -> list[OwedReply]:  # fmt: skip
    rooms = dict.fromkeys(epochs, room)
    claimed = claim_replies(record, epochs, rooms, in_flight=in_flight, now=now, facts=SenderFacts(**facts))
    return sorted(claimed, key=lambda owed: owed.created_at)


def store(record: Record, owed: OwedReply, state: SendState, **more: Any) -> None:
    store_results(record, [SendResult(owed, state, more.pop("at", NOW), **more)])


def states(record: Record) -> list[str]:
    """In the order in which the replies were enqueued."""
    with record.read() as connection:
        rows: Sequence[Any] = connection.exec_driver_sql("SELECT state FROM outbox ORDER BY created_at, id").all()
    return [row.state for row in rows]


def one(record: Record, columns: str) -> tuple[Any, ...]:
    """Some columns of the only reply."""
    with record.read() as connection:
        return tuple(connection.exec_driver_sql(f"SELECT {columns} FROM outbox").one())

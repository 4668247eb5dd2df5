"""Messages of people who do not exist, and the short ways of the tests through the sink."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from schemas import Complaint, Dead, Message, Office, Party, Receipt, Routed, complaint_id, message_id
from schemas.memory import Decision, Known
from sink import Record, RecordMemory, balance, booked, count, keep

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)
PHONE = "+628120000177"
NAME = "Siti Rahmawati"
JAKARTA = ZoneInfo("Asia/Jakarta")


def raw(n: int) -> str:
    """A raw id."""
    return str(UUID(int=n))


def message(n: int = 1, **more: Any) -> Message:
    """The n-th message of Siti by SMS."""
    known: dict[str, Any] = {
        "id": message_id("sms", "sms", f"m{n}"), "native_id": f"m{n}", "raw": raw(n), "account": "sms",
        "channel": "sms", "owner": "32.73", "conversation": PHONE, "received_at": NOW + timedelta(minutes=n),
        "sender": Party(name=NAME, phone=PHONE), "text": "Lampu jalan di Jalan Melati mati sejak Senin",
        "read": "Lampu jalan di Jalan Melati mati sejak Senin", "reader": "1",
    }  # fmt: skip
    return Message(**(known | more))


def routed(of: Message, outcome: str = "recorded", opener: Message | None = None, **more: Any) -> Routed:
    """What the road says of it; `opener` is the message that opened the complaint it is added to."""
    about = complaint_id((opener or of).id) if outcome in ("recorded", "added") else None
    known = {"id": about, "number": number(about) if about else None, "outcome": outcome, "matcher": "1", "reason": "x"}
    office = Office(id="front", name="Meja depan") if outcome == "recorded" else None
    return Routed(
        complaint=Complaint(message=of, **(known | more)), office=office, rule="front", why="Tidak ada yang lain",
        rules="1",
    )  # fmt: skip


def number(complaint: str) -> str:
    """Some number for it."""
    return f"{1_000_000_000 + UUID(complaint).int % 1_000_000_000}"


def kept(record: Record, *events: Routed, speaks: Sequence[str] = ("sms",), now: datetime = NOW) -> int:
    """Keep one batch."""
    return keep(record, events, speaks=set(speaks), now=now, zone=JAKARTA)


def counted(record: Record, *messages: Message) -> None:
    """As the ledger's group reads them from the log."""
    count(record, [(m.raw, m.account, m.received_at) for m in messages])


def books(record: Record, *road: str) -> dict[str, Any]:
    """All accounts together; what is zero is left out. The two sides are always equal."""
    line = balance(record, booked(record), road)["all"]
    ends = ("recorded", "added", "redelivered", "refused", "dead", "on_the_road", "lost")
    assert line["received"] == sum(line[end] for end in ends)
    return {name: value for name, value in line.items() if value}


def dead(of: Message, n: int = 1, **more: Any) -> Dead:
    """A letter about it."""
    known = {"id": f"letter-{n}", "stage": "reader", "of_topic": "raw", "event_key": of.key, "event": of.text.encode(),
             "reason": "no text", "at": NOW, "account": "sms", "channel": "sms", "raw": of.raw, "index": of.index,
             "of": of.of}  # fmt: skip
    return Dead(**(known | more))


def receipt(state: str, **more: Any) -> Receipt:
    """Word of a reply."""
    return Receipt(**({"account": "sms", "channel": "sms", "state": state, "at": NOW} | more))


def memory(record: Record) -> RecordMemory:
    return RecordMemory(record, lambda: NOW)


def decision(of: Message, known: Known | None = None, **more: Any) -> Decision:
    """That it opens a complaint, with the number that the memory offers."""
    about = complaint_id(of.id)
    offered = {"complaint": about, "number": known.fresh[about], "opens": True, "moves": True} if known else {}
    decided = {"raw": of.raw, "index": of.index, "message": of.id, "outcome": "recorded", "matcher": "1",
               "received_at": of.received_at}  # fmt: skip
    return Decision(**(decided | offered | more))


def rows(record: Record, sql: str) -> list[tuple[Any, ...]]:
    """A look at the tables."""
    with record.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def run(record: Record, sql: str) -> None:
    """A hand in the tables."""
    with record.write() as connection:
        connection.exec_driver_sql(sql)

"""Messages and actions about people who do not exist, and the tests' short ways through the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from normalizer.incidents_profile import profile_of
from schemas import (
    Action,
    Actor,
    Assignment,
    Dead,
    Matched,
    Message,
    Office,
    Owed,
    Party,
    Receipt,
    Routed,
    complaint_id,
    message_id,
)
from schemas.memory import Decision, Entry, Known, Profile, Query
from sink import Record, RecordMemory, book_received, last_booked, read_balance
from sink.batch_items import PersistOptions
from sink.persist import Persisted, persist_batch

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)
PHONE = "+628120000177"
NAME = "Siti Rahmawati"
JAKARTA = ZoneInfo("Asia/Jakarta")
FRONT_DESK = Assignment(office=Office(id="front", name="Meja depan"), rule="front", why="Tidak ada yang lain")
OFFICER = Actor(kind="officer", id="o1", name="Budi")


def raw(n: int) -> str:
    """A raw id."""
    return str(UUID(int=n))


def message(n: int = 1, **more: Any) -> Message:
    """The n-th message of Siti by SMS."""
    known: dict[str, Any] = {
        "id": message_id("sms", "sms", f"m{n}"), "raw": raw(n), "account": "sms", "channel": "sms", "owner": "32.73",
        "conversation": PHONE, "received_at": NOW + timedelta(minutes=n), "sender": Party(name=NAME, phone=PHONE),
        "text": "Lampu jalan di Jalan Melati mati sejak Senin", "reader": "1", "proven": True,
    }  # fmt: skip
    return Message(**(known | more))


def routed(of: Message, outcome: str = "recorded", opener: Message | None = None, **more: Any) -> Routed:
    """A message as the router gives it; `opener` is the message that opened the complaint to which it belongs."""
    complaint = complaint_id((opener or of).id) if outcome in ("recorded", "added", "asked") else None
    owed = more.pop("owed", _owed(outcome))
    known: dict[str, Any] = {
        "id": complaint, "number": number(complaint) if complaint else None, "outcome": outcome, "matcher": "1",
        "reason": "x",
    }  # fmt: skip
    offices = (FRONT_DESK,) if outcome == "recorded" else ()
    return Routed(matched=Matched(message=of, **(known | more)), assignments=offices, rules="1", owed=owed)


def _owed(outcome: str) -> Owed | None:
    template = {"recorded": "number_given", "added": "added", "asked": "status"}.get(outcome)
    return Owed(template=template) if template else None


def action(n: int, what: str, **more: Any) -> Action:
    """The n-th action of an officer, n minutes later, by the console."""
    known: dict[str, Any] = {
        "id": message_id("console", "console", f"a{n}"), "raw": raw(10_000 + n), "account": "console",
        "channel": "console", "owner": "32.73", "received_at": NOW + timedelta(minutes=n),
        "observed_at": NOW + timedelta(minutes=n), "actor": OFFICER, "what": what,
    }  # fmt: skip
    return Action(**(known | more))


def acted(act: Action, on: Message, outcome: str = "added", owed: Owed | None = None, **more: Any) -> Routed:
    """An action as the router gives it, on the complaint that the message `on` opened."""
    complaint = complaint_id(on.id)
    known: dict[str, Any] = {"id": complaint, "number": number(complaint), "outcome": outcome, "matcher": "1"}
    return Routed(matched=Matched(action=act, **(known | more)), rules="1", owed=owed)


def number(complaint: str) -> str:
    """Some number for a complaint."""
    return f"{1_000_000_000 + UUID(complaint).int % 1_000_000_000}"


def persist(record: Record, *events: Routed, speaks: Sequence[str] = ("sms", "wa"), now: datetime = NOW) -> Persisted:
    """Persist one batch."""
    return persist_batch(record, events, now, PersistOptions(speaks=set(speaks), zone=JAKARTA))


def replies(record: Record, *events: Routed, **more: Any) -> int:
    """Persist one batch; how many replies it owes."""
    return persist(record, *events, **more).replies


def received(record: Record, *messages: Message) -> None:
    """Book these as the ledger's own group reads them from the log."""
    book_received(record, [(m.raw, m.account, m.received_at) for m in messages])


def ledger(record: Record, *in_flight: str) -> dict[str, Any]:
    """The line of all accounts; zeros are left out. Its two sides are always equal."""
    line = read_balance(record, last_booked(record), in_flight)["all"]
    ends = ("recorded", "added", "asked", "redelivered", "refused", "dead", "in_flight", "lost")
    assert line["received"] == sum(line[end] for end in ends)
    return {name: value for name, value in line.items() if value}


def dead(of: Message, n: int = 1, **more: Any) -> Dead:
    """A letter about a message."""
    known: dict[str, Any] = {
        "id": f"letter-{n}", "stage": "reader", "of_topic": "raw", "event_key": of.key, "event": of.text.encode(),
        "code": "no_text", "detail": "there is no text in it", "at": NOW, "account": "sms", "channel": "sms",
        "raw": of.raw, "item_index": of.item_index, "item_count": of.item_count,
    }  # fmt: skip
    return Dead(**(known | more))


def receipt(state: str, n: int = 500, **more: Any) -> Receipt:
    """The n-th receipt of the SMS account."""
    known: dict[str, Any] = {
        "account": "sms", "channel": "sms", "state": state, "at": NOW, "raw": raw(n), "received_at": NOW,
    }  # fmt: skip
    return Receipt(**(known | more))


def memory(record: Record) -> RecordMemory:
    return RecordMemory(record, lambda: NOW)


def recall(record: Record, *items: Message | Action, keys: Sequence[str] = ()) -> Known:
    """What the memory knows of these items; `keys` are the report keys of each."""
    return memory(record).recall([Query(item=item, report_keys=tuple(keys)) for item in items])


def remember(record: Record, decided: Sequence[tuple[Message | Action, Decision]], keys: Sequence[str] = ()) -> None:
    memory(record).remember(
        [
            Entry(item=item, decision=made, report_keys=tuple(keys), profile=_profile(item, made))
            for item, made in decided
        ]
    )


def _profile(item: Message | Action, decision: Decision) -> Profile | None:
    return profile_of(item, item.place) if isinstance(item, Message) and decision.opens_complaint else None


def decision(of: Message | Action, known: Known | None = None, **more: Any) -> Decision:
    """That a message opens a complaint, with the number that the memory offers."""
    opened: dict[str, Any] = {}
    if known is not None:
        complaint = complaint_id(of.id)
        opened = {"complaint": complaint, "number": known.new_numbers[complaint], "opens_complaint": True,
                  "switches_thread": True}  # fmt: skip
    decided: dict[str, Any] = {
        "raw": of.raw, "item_index": of.item_index, "message": of.id, "outcome": "recorded", "matcher": "1",
        "received_at": of.received_at,
    }  # fmt: skip
    return Decision(**(decided | opened | more))


def rows(record: Record, sql: str) -> list[tuple[Any, ...]]:
    """What a query gives, as the driver gives it."""
    with record.read() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]


def execute(record: Record, sql: str) -> None:
    """A change of the tables by hand."""
    with record.write() as connection:
        connection.exec_driver_sql(sql)

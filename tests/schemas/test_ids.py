"""What names an event on a bus (`event_id`) and what its way through the house has in common (`trace`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from schemas import Complaint, Dead, Message, Raw, Receipt, Reply, Routed

NOW = datetime(2025, 8, 4, tzinfo=UTC)
RAW = "01985f3c-7a00-7000-8000-000000000001"


def message(index: int = 0) -> Message:
    return Message(
        id="sms/sms/1", native_id="1", raw=RAW, index=index, of=2, account="sms", channel="sms", owner="32",
        conversation="c", received_at=NOW,
    )  # fmt: skip


def test_one_way_through_the_house_has_one_trace() -> None:
    raw = Raw(id=RAW, account="sms", channel="sms", owner="32", received_at=NOW)
    complaint = Complaint(outcome="recorded", message=message())
    dead = Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", reason="r", at=NOW, raw=RAW)
    way = [raw, message(), complaint, Routed(complaint=complaint), dead]
    assert {event.trace for event in way} == {RAW}
    assert dead.event_id == "d"


def test_the_messages_of_one_raw_have_ids_of_their_own() -> None:
    first, second = message(0), message(1)
    assert first.event_id != second.event_id
    assert Complaint(outcome="recorded", message=first).event_id == first.event_id
    assert Routed(complaint=Complaint(outcome="recorded", message=second)).event_id == second.event_id


def test_two_receipts_of_one_reply_are_two_events() -> None:
    sent = Receipt(account="sms", channel="sms", state="sent", at=NOW, reply="r-1")
    later = Receipt(account="sms", channel="sms", state="sent", at=NOW + timedelta(seconds=1), reply="r-1")
    failed = Receipt(account="sms", channel="sms", state="failed", at=NOW, reply="r-1")
    told = Receipt(account="sms", channel="sms", state="delivered", at=NOW, reply="r-1", raw=RAW, index=3)
    assert len({sent.event_id, later.event_id, failed.event_id, told.event_id}) == 4
    assert sent.trace == "r-1"
    assert told.trace == RAW


def test_a_reply_is_its_own_trace() -> None:
    reply = Reply(
        id="r-1",
        account="sms",
        channel="sms",
        conversation="c",
        to="628",
        text="t",
        template="received",
        created_at=NOW,
    )
    assert (reply.event_id, reply.trace) == ("r-1", "r-1")

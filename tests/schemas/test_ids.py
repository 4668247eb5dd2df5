"""Names of events on a bus (`event_id`), the trace that all events of one Raw have, keys and foreign ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import (
    Action,
    Dead,
    Matched,
    Message,
    Raw,
    Receipt,
    Routed,
    bounded_id,
    complaint_id,
    message_id,
    native_of,
    reply_id,
)
from schemas.ids import MAX_ID

NOW = datetime(2025, 8, 4, tzinfo=UTC)
RAW = "01985f3c-7a00-7000-8000-000000000001"
ACCOUNT = {"account": "sms", "channel": "sms", "owner": "32", "received_at": NOW}


def message(index: int = 0) -> Message:
    return Message(**ACCOUNT, id="sms/sms/1", raw=RAW, item_index=index, item_count=2, conversation="c")


def action(**known) -> Action:
    return Action(**ACCOUNT, id="sms/sms/9", raw=RAW, what="answer", **known)


def test_all_events_of_one_raw_have_one_trace() -> None:
    matched = Matched(outcome="recorded", message=message())
    dead = Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", code="c", at=NOW, raw=RAW)
    receipt = Receipt(account="sms", channel="sms", state="sent", at=NOW, raw=RAW, received_at=NOW)
    events = [Raw(id=RAW, **ACCOUNT), message(), action(), matched, Routed(matched=matched), receipt, dead]
    assert {event.trace for event in events} == {RAW}
    assert dead.event_id == "d"


def test_the_items_of_one_raw_have_ids_of_their_own() -> None:
    first, second = message(0), message(1)
    assert first.event_id != second.event_id
    assert Matched(outcome="recorded", message=first).event_id == first.event_id
    assert Routed(matched=Matched(outcome="recorded", message=second)).event_id == second.event_id


def test_two_receipts_of_one_reply_are_two_events() -> None:
    given = {"account": "sms", "channel": "sms", "at": NOW, "reply": "r-1", "received_at": NOW}
    receipts = [
        Receipt(**given, state="sent", raw=RAW),
        Receipt(**given, state="delivered", raw=RAW, item_index=1),
        Receipt(**given | {"at": NOW + timedelta(seconds=1)}, state="sent", raw="later"),
    ]
    assert len({receipt.event_id for receipt in receipts}) == 3
    assert {receipt.key for receipt in receipts} == {"sms/r-1"}


@pytest.mark.parametrize(
    ("known", "key"),
    [
        ({"number": "1234567897"}, "sms/1234567897"),
        ({"of": {"sp4n": "7", "lapor": "8"}}, "sms/lapor:8,sp4n:7"),
        ({}, "sms/sms/sms/9"),
    ],
)
def test_actions_on_one_complaint_keep_their_order(known: dict, key: str) -> None:
    assert action(**known).key == key


def test_a_matched_event_keeps_the_order_of_its_complaint() -> None:
    assert Matched(outcome="recorded", id="c-1", message=message()).key == "c-1"
    assert Matched(outcome="refused", message=message()).key == message().key


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_the_native_id_comes_back_from_a_message_id(native: str, kind: str, account: str) -> None:
    assert native_of(message_id(kind, account, native)) == native


def test_a_complaint_and_a_reply_have_the_same_id_in_every_process() -> None:
    assert complaint_id("sms/sms/1") == complaint_id("sms/sms/1") != complaint_id("sms/sms/2")
    assert reply_id("raw.0", "added") == reply_id("raw.0", "added") != reply_id("raw.1", "added")


@given(st.text(max_size=2 * MAX_ID))
def test_a_key_is_never_longer_than_it_may_be(value: str) -> None:
    assert len(bounded_id(value)) <= MAX_ID
    assert bounded_id(value) == value or bounded_id(value).startswith("sha256:")

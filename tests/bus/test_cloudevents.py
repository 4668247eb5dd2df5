"""The headers of a record."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from bus._cloudevents import cloudevents_headers
from schemas import EVENTS, Action, Aside, Dead, Event, Matched, Raw, Routed, Slow
from tests.bus.events import AT, message, receipt

ID = "0195a0b2-7c1e-7def-8123-456789abcdef"
RAW = Raw(id=ID, account="wa bandung", channel="whatsapp", owner="32.73", received_at=AT, conversation="628120000001")
MESSAGE = message(RAW)
MATCHED = Matched(id="c", number="1234567890", outcome="recorded", message=MESSAGE)
ALL: list[Event] = [
    RAW,
    Slow(id=ID, account="sms", channel="sms", owner="32.73", received_at=AT),
    MESSAGE,
    MATCHED,
    Routed(matched=MATCHED),
    Action(id="a", raw=ID, account="sms", channel="sms", owner="32.73", received_at=AT, what="answer"),
    Aside(
        lane="reader@sms@1", stage="reader", account="sms", of_topic="raw", of_partition=0, of_offset=1, of_at=AT,
        event_key="sms/628120000001",
    ),
    replace(receipt(), raw=ID),
    Dead(id="d", stage="reader", of_topic="raw", event_key="sms/628120000001", event=b"x", code="r", at=AT, raw=ID),
]  # fmt: skip


def header_texts(event: Event) -> dict[str, str]:
    return {name: value.decode() for name, value in cloudevents_headers(event)}


def test_a_raw_as_a_cloud_event() -> None:
    found = header_texts(RAW)
    parent = found.pop("traceparent")
    assert found == {
        "ce_specversion": "1.0",
        "ce_id": ID,
        "ce_source": "/satupintu/wa%20bandung",
        "ce_type": "id.satupintu.raw.v1",
        "ce_time": "2026-03-02T08:00:00+00:00",
        "content-type": "application/json",
    }
    assert parent.startswith(f"00-{ID.replace('-', '')}-")


def test_every_kind_of_event_has_them() -> None:
    assert {event.topic for event in ALL} == set(EVENTS)
    for event in ALL:
        assert header_texts(event)["ce_type"] == f"id.satupintu.{event.topic}.v1"
        assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", header_texts(event)["traceparent"])


def test_the_events_of_one_raw_are_one_trace_of_different_spans() -> None:
    parents = [header_texts(event)["traceparent"].split("-") for event in ALL if event.trace]
    assert {trace for _, trace, _, _ in parents} == {ID.replace("-", "")}
    assert len({span for _, _, span, _ in parents}) == len(ALL) - 1  # all but the event that was put aside


def test_the_same_event_is_the_same_span() -> None:
    assert cloudevents_headers(MESSAGE) == cloudevents_headers(MESSAGE)


@pytest.mark.parametrize("name", ["7", "x" * 32, "~1.2", ""])
def test_ids_that_are_no_uuid_have_a_trace_as_well(name: str) -> None:
    event = Raw(id=name, account="sms", channel="sms", owner="32.73", received_at=AT)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", header_texts(event)["traceparent"])


def test_nothing_personal_stands_in_them() -> None:
    for event in ALL:
        assert "62812" not in str(cloudevents_headers(event))

"""Webhooks that a recording does not show: redeliveries in disorder, and events made at random."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import Request
from schemas import Message, Reject
from tests.channels.recording import channel, raw, read

SARI = "U" + "a" * 32


def items(*events: Any) -> list[Any]:
    body = json.dumps({"destination": "U", "events": list(events)}).encode()
    return read(channel("line"), raw("line", Request(body=body)))


def event(kind: str, number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": kind, "webhookEventId": f"01K{number}", "timestamp": 1755400000000 + number,
        "source": {"type": "group", "groupId": "C1", "userId": SARI}, "mode": "active",
    } | fields  # fmt: skip


def test_a_redelivery_has_the_id_of_the_first_whatever_came_between() -> None:
    message = {"type": "text", "id": "1", "text": "Banjir"}
    first, again = (
        event("message", 1, message=message, replyToken=token, deliveryContext={"isRedelivery": redelivery})
        for token, redelivery in (("a", False), ("b", True))
    )
    found = items(first, event("unsend", 2, unsend={"messageId": "9"}), again)
    assert [item.native_id for item in found] == ["1", "01K2", "1"]


def test_quotes_edits_and_unsends_name_the_message_that_they_are_about() -> None:
    found = items(
        event("message", 1, message={"type": "text", "id": "1", "text": "Banjir"}),
        event("message", 2, message={"type": "text", "id": "2", "text": "Masih", "quotedMessageId": "1"}),
        event("messageEdited", 3, message={"type": "text", "id": "1", "text": "Banjir besar"}),
        event("unsend", 4, unsend={"messageId": "1"}),
    )
    assert [item.native_id for item in found] == ["1", "2", "01K3", "01K4"]
    assert {item.refers_to for item in found[1:]} == {found[0].native_id}
    assert [item.extra["webhook_event_id"] for item in found] == ["01K1", "01K2", "01K3", "01K4"]


def test_messages_under_one_event_id_are_each_their_own() -> None:
    made = [event("message", 1, message={"type": "text", "id": f"{n}", "text": "Banjir"}) for n in range(13)]
    assert len({item.id for item in items(*made)}) == 13


def test_a_message_without_an_id_has_that_of_its_event() -> None:
    [found] = items(event("message", 1, message={"type": "text", "text": "Banjir"}))
    assert found.native_id == "01K1"


def test_edits_carry_their_time_so_that_the_latest_is_known_in_any_order() -> None:
    late, early = (
        event("messageEdited", number, message={"type": "text", "id": "1", "text": f"edit {number}"})
        for number in (9, 5)
    )
    found = items(late, early)
    assert max(found, key=lambda item: item.sent_at).text == "edit 9"
    assert {(item.kind, item.refers_to) for item in found} == {("edit", "1")}


WORDS = (
    "type mode timestamp source userId groupId roomId webhookEventId deliveryContext replyToken message id text "
    "contentProvider originalContentUrl fileName fileSize latitude longitude title address imageSet packageId "
    "stickerId quotedMessageId unsend messageId postback data isRedelivery"
)
KINDS = "message messageEdited unsend postback follow beacon text image file location sticker external line"
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from(KINDS.split())
shapes = st.recursive(
    leaves,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(WORDS.split()), v, max_size=5),
    max_leaves=12,
)
made_events = st.dictionaries(st.sampled_from(WORDS.split()), shapes, max_size=7)


@settings(max_examples=60)
@given(st.lists(made_events, max_size=3))
def test_anything_in_the_shape_of_events_is_a_message_or_a_reject(made: list[Any]) -> None:
    for item in items(*made):
        assert isinstance(item, Message) or (isinstance(item, Reject) and item.code != "channel_bug"), item.detail

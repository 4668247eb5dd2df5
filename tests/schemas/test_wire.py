"""The wire format: golden files, and a gate that refuses what the last released reader could not read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas import Message, Receipt, Reject, decode, encode, json_schemas
from tests.schemas.compatible import breaks
from tests.schemas.golden import GOLDEN, RELEASED, current, stored, written

Schemas = dict[str, dict[str, Any]]
NOW = datetime(2025, 8, 4, tzinfo=UTC)


def test_the_golden_files_say_what_the_code_says() -> None:
    said = {topic: written(schema) for topic, schema in json_schemas().items()}
    files = {path.stem: path.read_bytes() for path in GOLDEN.glob("*.json")}
    assert files == said, "the wire format changed: look at it, then `make golden`"


def test_the_released_reader_can_read_what_is_written_now() -> None:
    assert breaks(stored(RELEASED), current()) == []


def changed(change: Callable[[Schemas], object]) -> list[str]:
    old = current()
    new = copy.deepcopy(old)
    change(new)
    return breaks(old, new)


def fields(schemas: Schemas, topic: str = "messages", part: str = "Message") -> dict[str, Any]:
    return schemas[topic]["$defs"][part]["properties"]


def required(schemas: Schemas, topic: str = "messages", part: str = "Message") -> list[str]:
    return schemas[topic]["$defs"][part]["required"]


def gone(schemas: Schemas) -> None:
    del fields(schemas)["raw"]
    required(schemas).remove("raw")


def renamed(schemas: Schemas) -> None:
    fields(schemas)["raw_id"] = fields(schemas).pop("raw")
    required(schemas)[required(schemas).index("raw")] = "raw_id"


def newly_required(schemas: Schemas) -> None:
    fields(schemas)["mood"] = {"type": "string"}
    required(schemas).append("mood")


BREAKING = {
    "messages.raw: the released reader requires it": gone,
    "messages.raw_id: the log may lack it": renamed,
    "messages.mood: the log may lack it": newly_required,
    "messages.conversation: the released reader requires it": lambda s: required(s).remove("conversation"),
    "messages.index: was integer, is string": lambda s: fields(s)["index"].update(type="string"),
    "messages.text: was string, is ['string', 'null']": lambda s: fields(s).update(
        text={"anyOf": [{"type": "string"}, {"type": "null"}], "default": ""}
    ),
    "messages.received_at: was string date-time, is string": lambda s: fields(s)["received_at"].pop("format"),
    "messages.kind: the released reader does not know the word 'poll'": lambda s: fields(s)["kind"]["enum"].append(
        "poll"
    ),
    "messages.kind: the log holds the word 'text'": lambda s: fields(s)["kind"]["enum"].remove("text"),
    "messages.command: the released reader does not know the word 'BL'": lambda s: fields(s)["command"]["anyOf"][0][
        "enum"
    ].append("BL"),
    "messages.begins: another default": lambda s: fields(s)["begins"].update(default=True),
    "messages.tags[]: was string, is integer": lambda s: fields(s)["tags"]["items"].update(type="integer"),
    "messages.extra[]: was string, is integer": lambda s: fields(s)["extra"]["additionalProperties"].update(
        type="integer"
    ),
    "messages.place.lat: was ['number', 'null'], is ['string', 'null']": lambda s: fields(s, part="Place")["lat"][
        "anyOf"
    ][0].update(type="string"),
    "messages.attachments[].state: the log holds the word 'expired'": lambda s: fields(s, part="Attachment")["state"][
        "enum"
    ].remove("expired"),
    "replies: gone": lambda s: s.pop("replies"),
}


@pytest.mark.parametrize("line", BREAKING)
def test_a_change_that_breaks_is_named(line: str) -> None:
    assert line in changed(BREAKING[line])


def test_a_break_inside_another_event_is_found_there_too() -> None:
    found = changed(lambda s: required(s, "routed", "Message").remove("raw"))
    assert found == ["routed.complaint.message.raw: the released reader requires it"]


HARMLESS = {
    "a new field with a default": lambda s: fields(s).update(mood={"type": "string", "default": ""}),
    "an optional field gone": lambda s: fields(s).pop("title"),
    "a new event": lambda s: s.update(moods={"type": "object"}),
    "other words about it": lambda s: s["messages"]["$defs"]["Message"].update(description="Anything."),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_a_change_that_breaks_nothing_passes(change: str) -> None:
    assert changed(HARMLESS[change]) == []


def test_an_unknown_field_is_ignored_and_a_default_is_not_written() -> None:
    receipt = Receipt(account="sms", channel="sms", state="sent", at=NOW)
    wire = encode(receipt)
    assert b"reason" not in wire
    assert decode("receipts", wire[:-1] + b',"mood":"good"}') == receipt


def test_what_cannot_be_read_is_rejected_without_its_values() -> None:
    wire = encode(Receipt(account="sms", channel="sms", state="sent", at=NOW)).replace(b'"sent"', b'"0812-0000-1234"')
    with pytest.raises(Reject) as rejected:
        decode("receipts", wire)
    assert "$.state" in rejected.value.reason
    assert "0812" not in rejected.value.reason


def test_an_instant_without_a_zone_is_refused() -> None:
    told = {
        "id": "1",
        "native_id": "1",
        "raw": "r",
        "account": "a",
        "channel": "sms",
        "owner": "32",
        "conversation": "c",
    }
    naive = Message(**told, received_at=NOW.replace(tzinfo=None))
    with pytest.raises(Reject, match="received_at"):
        decode("messages", encode(naive))

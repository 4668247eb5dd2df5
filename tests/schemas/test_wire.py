"""The wire format: golden files, and a gate that refuses what the last released reader could not read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from schemas import Body, Message, Place, Raw, Receipt, Reject, decode, encode, json_schemas
from tests.schemas.compatible import breaks
from tests.schemas.golden import GOLDEN, RELEASED, current, stored, written

Schemas = dict[str, dict[str, Any]]
NOW = datetime(2025, 8, 4, tzinfo=UTC)


def test_the_golden_files_are_those_of_the_code() -> None:
    expected = {topic: written(schema) for topic, schema in json_schemas().items()}
    files = {path.stem: path.read_bytes() for path in GOLDEN.glob("*.json")}
    assert files == expected, "the wire format changed: check the diff, then `make golden`"


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
    "messages.item_index: was integer, is string": lambda s: fields(s)["item_index"].update(type="string"),
    "messages.text: was string, is ['string', 'null']": lambda s: fields(s).update(
        text={"anyOf": [{"type": "string"}, {"type": "null"}], "default": ""}
    ),
    "messages.received_at: was string date-time, is string": lambda s: fields(s)["received_at"].pop("format"),
    "messages.kind: the log holds the word 'text'": lambda s: fields(s)["kind"]["enum"].remove("text"),
    "messages.opens_report: another default": lambda s: fields(s)["opens_report"].update(default=True),
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
    "receipts: gone": lambda s: s.pop("receipts"),
}


@pytest.mark.parametrize("line", BREAKING)
def test_a_change_that_breaks_is_named(line: str) -> None:
    assert line in changed(BREAKING[line])


def test_a_break_inside_another_event_is_found_there_too() -> None:
    found = changed(lambda s: required(s, "routed", "Message").remove("raw"))
    assert found == ["routed.matched.message.raw: the released reader requires it"]


HARMLESS = {
    "a new word of an enumeration that has `unknown`": lambda s: fields(s)["kind"]["enum"].append("poll"),
    "a new field with a default": lambda s: fields(s).update(mood={"type": "string", "default": ""}),
    "an optional field gone": lambda s: fields(s).pop("title"),
    "a new event": lambda s: s.update(moods={"type": "object"}),
    "other words about it": lambda s: s["messages"]["$defs"]["Message"].update(description="Anything."),
}


@pytest.mark.parametrize("change", HARMLESS)
def test_a_change_that_breaks_nothing_passes(change: str) -> None:
    assert changed(HARMLESS[change]) == []


RECEIPT = Receipt(account="sms", channel="sms", state="sent", at=NOW, raw="r", received_at=NOW)
MESSAGE = Message(
    id="sms/sms/1", raw="r", account="sms", channel="sms", owner="32", conversation="c", received_at=NOW,
    places=(Place(words="Jl. Mawar", source="text"),),
)  # fmt: skip


def test_a_new_word_of_a_closed_enumeration_breaks() -> None:
    old, new = current(), current()
    for schemas, words in ((old, ["good"]), (new, ["good", "bad"])):
        fields(schemas)["mood"] = {"enum": words, "default": "good"}
    assert breaks(old, new) == ["messages.mood: the released reader does not know the word 'bad'"]


def test_every_enumeration_is_open() -> None:
    def enumerations(part: Any) -> list[list[str]]:
        if isinstance(part, list):
            return [found for one in part for found in enumerations(one)]
        if not isinstance(part, dict):
            return []
        own = [part["enum"]] if isinstance(part.get("enum"), list) else []
        return own + [found for one in part.values() for found in enumerations(one)]

    found = [words for schema in current().values() for words in enumerations(schema)]
    assert len(found) > 20
    assert [words for words in found if "unknown" not in words] == []


def test_an_unknown_field_is_ignored_and_a_default_is_not_written() -> None:
    wire = encode(RECEIPT)
    assert b"reason" not in wire
    assert decode("receipts", wire[:-1] + b',"mood":"good"}') == RECEIPT


def test_an_unknown_word_is_read_as_unknown_and_kept() -> None:
    wire = encode(MESSAGE).replace(b'"source":"text"', b'"source":"satellite"')
    event = decode("messages", wire[:-1] + b',"kind":"poll"}')
    assert isinstance(event, Message)
    assert (event.kind, event.places[0].source) == ("unknown", "unknown")
    assert event.unknown_words == {"kind": "poll", "places.0.source": "satellite"}
    assert decode("messages", encode(event)) == event


def test_an_unreadable_event_is_rejected_without_its_values() -> None:
    wire = encode(RECEIPT).replace(b'"raw":"r"', b'"raw":["0812-0000-1234"]')
    with pytest.raises(Reject) as rejected:
        decode("receipts", wire)
    assert "$.raw" in rejected.value.reason
    assert "0812" not in rejected.value.reason


def test_an_instant_without_a_zone_is_refused() -> None:
    naive = msgspec.structs.replace(MESSAGE, received_at=NOW.replace(tzinfo=None))
    with pytest.raises(Reject, match="received_at"):
        decode("messages", encode(naive))


@pytest.mark.parametrize("body", [b"text=jalan+rusak", b"\xff\xfe", b"", b":", "héllo".encode()])
def test_a_body_comes_back_as_it_was_and_text_stands_as_text(body: bytes) -> None:
    raw = Raw(id="r", account="sms", channel="sms", owner="32", received_at=NOW, body=Body(body))
    wire = encode(raw)
    assert decode("raw", wire) == raw
    assert len(wire) < 200 + 2 * len(body)

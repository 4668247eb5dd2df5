"""`docs/asyncapi.yaml` is that of the code, is AsyncAPI 3.0, and knows every stage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bus._cloudevents import cloudevents_headers
from hub.stages import TABLE
from schemas import EVENTS, Action, Aside, Dead, Event, Matched, Message, Raw, Receipt, Routed, Slow
from tests.schemas import asyncapi

NOW = datetime(2025, 8, 4, tzinfo=UTC)
ID = "01985f3c-7a00-7000-8000-000000000001"
ACCOUNT = {"account": "sms", "channel": "sms", "owner": "32", "received_at": NOW}
MESSAGE = Message(**ACCOUNT, id="sms/sms/1", raw=ID, conversation="c")
MATCHED = Matched(outcome="recorded", message=MESSAGE)
ONE_OF_EACH: list[Event] = [
    Raw(**ACCOUNT, id=ID),
    Slow(**ACCOUNT, id=ID),
    MESSAGE,
    Action(**ACCOUNT, id="sms/sms/2", raw=ID, what="answer"),
    MATCHED,
    Routed(matched=MATCHED),
    Receipt(account="sms", channel="sms", state="sent", at=NOW, reply="r", raw=ID, received_at=NOW),
    Aside(
        lane="reader@sms@1", stage="reader", account="sms", of_topic="raw", of_partition=0, of_offset=1, of_at=NOW,
        event_key="k",
    ),
    Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", code="c", at=NOW),
]  # fmt: skip
OFFICIAL = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text())


@pytest.fixture(scope="module")
def document() -> asyncapi.Part:
    return yaml.safe_load(asyncapi.FILE.read_text(encoding="utf-8"))


def test_the_file_is_that_of_the_code() -> None:
    text = asyncapi.FILE.read_text(encoding="utf-8")
    assert text == asyncapi.written(), "the events changed: check the diff, then `make golden`"


def test_it_is_asyncapi_3_0(document: asyncapi.Part) -> None:
    assert [str(error) for error in jsonschema_rs.validator_for(OFFICIAL).iter_errors(document)] == []


def test_the_official_schema_refuses_another_document(document: asyncapi.Part) -> None:
    assert not jsonschema_rs.is_valid(OFFICIAL, document | {"asyncapi": "2.6.0"})
    assert not jsonschema_rs.is_valid(OFFICIAL, document | {"topics": {}})


def test_every_topic_is_a_channel_with_its_event(document: asyncapi.Part) -> None:
    channels = document["channels"]
    assert {topic: [*channel["messages"]] for topic, channel in channels.items()} == {
        topic: [event.__name__] for topic, event in EVENTS.items()
    }


def test_every_reference_leads_somewhere(document: asyncapi.Part) -> None:
    found = [*_references(document)]
    assert len(found) > 50
    for reference in found:
        part = document
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]


def _references(part: object) -> list[str]:
    if isinstance(part, list):
        return [found for one in part for found in _references(one)]
    if not isinstance(part, dict):
        return []
    own = [part["$ref"]] if "$ref" in part else []
    return own + [found for one in part.values() for found in _references(one)]


def test_every_topic_has_a_sender_and_a_receiver() -> None:
    sent = {topic for topics in asyncapi.SENDS.values() for topic in topics}
    received = {row.topic for row in TABLE} | {Aside.topic}
    assert sent == received == set(EVENTS)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_the_headers_are_as_they_are_described(event: Event, document: asyncapi.Part) -> None:
    sent = {name: value.decode() for name, value in cloudevents_headers(event)}
    described = document["components"]["schemas"]["CloudEventsHeaders"]
    jsonschema_rs.validator_for(described, validate_formats=True).validate(sent)
    assert sent.keys() == described["properties"].keys()
    assert sent["ce_type"] == document["components"]["messages"][type(event).__name__]["name"]


def test_an_event_of_each_topic_is_among_them() -> None:
    assert {event.topic for event in ONE_OF_EACH} == EVENTS.keys()

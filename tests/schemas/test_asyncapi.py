"""`docs/asyncapi.yaml` says what the code says, is AsyncAPI 3.0, and knows every stage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from bus._cloudevents import headers
from hub.settings import load
from hub.wiring import open_hub
from schemas import EVENTS, Complaint, Dead, Event, Message, Raw, Receipt, Reply, Routed, Slow
from tests.schemas import asyncapi

NOW = datetime(2025, 8, 4, tzinfo=UTC)
ID = "01985f3c-7a00-7000-8000-000000000001"
RAW = {"id": ID, "account": "sms", "channel": "sms", "owner": "32", "received_at": NOW}
MESSAGE = Message(**RAW | {"id": "sms/sms/1"}, native_id="1", raw=ID, conversation="c")
COMPLAINT = Complaint(outcome="recorded", message=MESSAGE)
SAID = {"account": "sms", "channel": "sms", "conversation": "c"}
ONE_OF_EACH: list[Event] = [
    Raw(**RAW),
    Slow(**RAW),
    MESSAGE,
    COMPLAINT,
    Routed(complaint=COMPLAINT),
    Reply(**SAID, id="r", to="628", text="t", template="added", created_at=NOW),
    Receipt(**SAID, state="sent", at=NOW, reply="r"),
    Dead(id="d", stage="reader", of_topic="raw", event_key="k", event=b"", reason="r", at=NOW),
]
OFFICIAL = json.loads((Path(__file__).parent / "asyncapi-3.0.0.json").read_text())


@pytest.fixture(scope="module")
def document() -> asyncapi.Part:
    return yaml.safe_load(asyncapi.FILE.read_text(encoding="utf-8"))


def test_the_file_says_what_the_code_says() -> None:
    said = asyncapi.FILE.read_text(encoding="utf-8")
    assert said == asyncapi.written(), "the events changed: look at it, then `make golden`"


def test_it_is_asyncapi_3_0(document: asyncapi.Part) -> None:
    assert [str(error) for error in jsonschema_rs.validator_for(OFFICIAL).iter_errors(document)] == []


def test_the_official_schema_refuses_what_is_none(document: asyncapi.Part) -> None:
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


async def test_who_receives_is_who_has_a_stage(tmp_path: Path) -> None:
    async with open_hub(load({"data": str(tmp_path), "bus": "memory://"}, {})) as hub:
        stages = {room: {stage.group: stage.topic for stage in of} for room, of in hub.stages.items()}
    assert stages == asyncapi.RECEIVES


def test_whatever_is_sent_is_received_by_somebody() -> None:
    sent = {topic for topics in asyncapi.SENDS.values() for topic in topics}
    received = {topic for groups in asyncapi.RECEIVES.values() for topic in groups.values()}
    assert sent == received == set(EVENTS)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
def test_the_headers_are_as_they_are_described(event: Event, document: asyncapi.Part) -> None:
    sent = {name: value.decode() for name, value in headers(event)}
    described = document["components"]["schemas"]["CloudEventsHeaders"]
    jsonschema_rs.validator_for(described, validate_formats=True).validate(sent)
    assert sent.keys() == described["properties"].keys()
    assert sent["ce_type"] == document["components"]["messages"][type(event).__name__]["name"]


def test_an_event_of_each_topic_was_looked_at() -> None:
    assert {event.topic for event in ONE_OF_EACH} == EVENTS.keys()

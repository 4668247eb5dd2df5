"""The demo's requests: each kind that has some makes them as its provider would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import DemoItem, Forbidden, Listens, Request, channel_type, kinds
from schemas import Message, Reject
from tests.channels.recording import channel, raw, read

AT = datetime(2025, 8, 17, 3, 6, 40, tzinfo=UTC)
SHOWN = [kind for kind in kinds() if channel_type(kind).demo_request is not channel_type("kiosk").demo_request]
WORDS = "Lampu jalan mati sejak Senin 💡"


def demo(kind: str, **fields: Any) -> tuple[Any, Request]:
    """The account, and its request as the ingress hears it."""
    fields = {"id": "0a1b", "text": WORDS, "name": "Sari", "phone": "628120000001", "at": AT} | fields
    door = channel(kind)
    made = door.demo_request(DemoItem(**fields))
    assert made.path in {f"/in/{door.account}", "/api/v1/reports", ""}
    return door, Request(made.method, "", made.query, made.headers, made.body)


@pytest.mark.parametrize("kind", [kind for kind in SHOWN if kind != "web"])
def test_a_demo_request_is_proven_and_read(kind: str):
    door, request = demo(kind)
    assert not isinstance(door, Listens) or door.verify(request) is None
    (message,) = read(door, raw(kind, request))
    assert isinstance(message, Message)
    assert message.text == WORDS
    assert message.sender.phone in {"+628120000001", None}  # some providers show no phone
    assert message.sender.identities


def test_the_same_item_gives_the_same_bytes():
    assert all(demo(kind)[1] == demo(kind)[1] for kind in SHOWN)


def test_a_demo_report_carries_the_key_of_the_account():
    _, request = demo("web")
    assert (request.headers["authorization"], request.headers["idempotency-key"]) == ("Bearer kunci-api-satu", "0a1b")
    assert b"Lampu jalan mati" in request.body


def test_a_forged_demo_request_is_forbidden():
    door, request = demo("whatsapp", form="forged")
    with pytest.raises(Forbidden):
        door.verify(request)


def test_an_unreadable_demo_request_is_proven_and_dead():
    door, request = demo("whatsapp", form="unreadable")
    door.verify(request)
    assert [item.code for item in read(door, raw("whatsapp", request)) if isinstance(item, Reject)] == ["not_json"]


@pytest.mark.parametrize("form", ["image", "location", "sticker"])
def test_a_demo_request_has_the_form_that_is_asked_for(form: str):
    door, request = demo("whatsapp", form=form, lat=-6.9, lon=107.6)
    (message,) = read(door, raw("whatsapp", request))
    assert message.kind == form


def test_a_form_that_a_kind_lacks_gives_no_request():
    item = DemoItem(id="1", text=WORDS, name="Sari", phone="628120000001", at=AT, form="sticker")
    assert [channel(kind).demo_request(item) for kind in ("sms", "web", "file")] == [None] * 3

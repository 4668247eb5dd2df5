"""`dead show --payload`: what an operator is told to look at is shown also where it lies with the blobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bus import Turnstile
from hub.cli import run_command
from schemas import Dead, Raw, encode
from schemas.body import Body
from sink.blobs import Blobs
from sink.dead import store_dead_letters
from sink.record import Record
from sink.vault import Vault
from tests.sink.made import NOW, dead, message

BODY = '{"pesan": "Lampu mati"}'
Show = Callable[[Dead], dict[str, Any]]


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def show(tmp_path: Path, blobs: Blobs, capfd: pytest.CaptureFixture[str]) -> Show:
    def shown(letter: Dead) -> dict[str, Any]:
        path = tmp_path / "record.db"
        with Record.open(f"sqlite:///{path}", Vault.create(tmp_path / "keys.toml"), Turnstile(path)) as record:
            store_dead_letters(record, [letter])
        capfd.readouterr()
        assert run_command(["dead", "show", letter.id, "--payload", "--data", str(tmp_path)]) == 0
        out, err = capfd.readouterr()
        line: dict[str, Any] = json.loads(out)
        return line | {"said": err}

    return shown


def request(**more: Any) -> Raw:
    return Raw(id="r1", account="sms", channel="sms", owner="32.73", received_at=NOW, **more)


def letter_of(event: bytes, topic: str = "raw") -> Dead:
    return dead(message(), event=event, of_topic=topic)


def reference(name: str, size: int) -> bytes:
    return msgspec.json.encode({"body_ref": name, "size": size, "account": "sms"})


def test_an_event_that_stands_on_the_bus_is_shown_as_it_is(show: Show) -> None:
    event = encode(request(body=Body(BODY.encode())))
    assert show(letter_of(event))["payload"] == event.decode()


def test_the_body_of_a_request_that_lies_with_the_blobs_is_shown(show: Show, blobs: Blobs) -> None:
    shown = show(letter_of(encode(request(blob=blobs.put(BODY.encode())))))
    assert json.loads(shown["payload"])["body"] == f":{BODY}"


@pytest.mark.parametrize("event", [encode(request(body=Body(BODY.encode()))), b"no event at all"])
def test_an_event_that_stands_as_a_reference_is_shown_whole(show: Show, blobs: Blobs, event: bytes) -> None:
    assert show(letter_of(reference(blobs.put(event), len(event))))["payload"] == event.decode()


def test_where_the_blobs_do_not_have_it_what_stood_on_the_bus_is_shown(show: Show) -> None:
    event = reference("0" * 64, 300_000)
    shown = show(letter_of(event))
    assert shown["payload"] == event.decode()
    assert "the body of an event cannot be read: FileNotFoundError: shown as it stood on the bus" in shown["said"]

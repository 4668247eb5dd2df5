"""Channels that speak or fetch, against a server that fails in every way: run over each recording in this folder."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator

import pytest

from connectors import Fetches, Http, Speaks, Unanswered, channel_type
from schemas import Attachment, Reject, Retry
from tests.channels.recording import channel, recorded, recording, reply, secrets
from tests.fakes.server import DROP, HANG, Server, Told, told

SPEAKING = [kind for kind in recorded() if issubclass(channel_type(kind), Speaks)]
FETCHING = [kind for kind in recorded() if issubclass(channel_type(kind), Fetches)]
each_speaking = pytest.mark.parametrize("kind", SPEAKING)
each_fetching = pytest.mark.parametrize("kind", FETCHING)
each_fault = pytest.mark.parametrize(
    ("fault", "error"),
    [
        (told(429, "slow down", retry_after="7"), Retry),
        (told(500, "<html>"), Retry),
        (told(503, ""), Retry),
        (told(302, "", location="http://127.0.0.1:1/"), Reject),
        (told(403, "forbidden"), Reject),
        (told(404, "gone"), Reject),
        (HANG, Unanswered),
        (DROP, Unanswered),
    ],
    ids=["429", "500", "503", "redirect", "403", "404", "hangs", "hangs up"],
)


@pytest.fixture
def http() -> Iterator[Http]:
    with Http(connect=2, read=0.3) as http:
        yield http


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _: told(500, "not told what to say")) as server:
        yield server


def told_as(answer: dict, server: Server) -> Told:
    said = answer.get("json", answer.get("text", ""))
    if isinstance(said, dict):
        said = {k: v.replace("{url}", server.url) if isinstance(v, str) else v for k, v in said.items()}
    return told(answer["status"], said)


def test_recordings_say_how_a_channel_speaks_and_fetches():
    assert [kind for kind in recorded() if "sends" in recording(kind)] == SPEAKING
    assert [kind for kind in recorded() if "fetches" in recording(kind)] == FETCHING


@each_speaking
def test_a_reply_is_sent_as_recorded(kind: str, server: Server, http: Http):
    told = recording(kind)["sends"]
    server.then(told_as(told["answer"], server))
    native = channel(kind, **{told["url"]: server.url}).send(reply(kind), http)
    (asked,) = server.asked
    assert native == told["native_id"]
    assert (asked.method, asked.path) == (told["asked"]["method"], told["asked"]["path"])
    assert told["asked"].get("params", {}).items() <= asked.params.items()
    assert all(asked.json[name] == value for name, value in told["asked"].get("json", {}).items())
    assert reply(kind).text in str(asked.params) + str(asked.body and asked.json)


@each_speaking
@each_fault
def test_a_fault_is_named_for_what_it_is(kind: str, fault: Told, error: type, server: Server, http: Http, caplog):
    caplog.set_level(logging.DEBUG)
    server.then(fault)
    door = channel(kind, **{recording(kind)["sends"]["url"]: server.url})
    caught = failure(error, lambda: door.send(reply(kind), http))
    assert getattr(caught, "after", None) == (7 if fault.status == 429 else None)
    assert_silent(kind, caught, caplog.text)


@each_speaking
def test_nobody_there_is_no_doubt_that_it_did_not_arrive(kind: str, http: Http, caplog):
    caplog.set_level(logging.DEBUG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        door = channel(kind, **{recording(kind)["sends"]["url"]: f"http://127.0.0.1:{free.getsockname()[1]}"})
        caught = failure(Retry, lambda: door.send(reply(kind), http))
    assert_silent(kind, caught, caplog.text)


def failure(error: type, act: Callable[[], object]) -> Reject | Retry:
    """What `act` raises; `error` to the letter, for Unanswered is a Retry too."""
    with pytest.raises(error) as caught:
        act()
    assert type(caught.value) is error
    return caught.value


def assert_silent(kind: str, error: Reject | Retry, log: str) -> None:
    """Neither the error, nor what it was made of, nor the log shows a secret, an address or a citizen's words."""
    said = f"{error!r} {error.__cause__!r} {error.__context__!r} {log}"
    answer = reply(kind)
    for word in (*secrets(kind), answer.text, answer.to, answer.to.removeprefix("+"), "127.0.0.1", "http://"):
        assert word not in said


@each_fetching
def test_an_attachment_is_brought(kind: str, server: Server, http: Http):
    told = recording(kind)["fetches"]
    server.then(*(told_as(answer, server) for answer in told["answers"]))
    door = channel(kind, **{told["url"]: server.url})
    assert door.fetch(Attachment(**told["attachment"]), http) == (told["bytes"].encode(), told["media_type"])


@each_fetching
@each_fault
@pytest.mark.parametrize("step", [0, -1], ids=["first", "last"])
def test_a_fault_while_fetching(kind: str, fault: Told, error: type, step: int, server: Server, http: Http, caplog):
    told = recording(kind)["fetches"]
    server.then(*[told_as(answer, server) for answer in told["answers"]][:step], fault)
    door = channel(kind, **{told["url"]: server.url})
    caught = failure(error, lambda: door.fetch(Attachment(**told["attachment"]), http))
    for secret in secrets(kind):
        assert secret not in repr(caught) + caplog.text


@each_fetching
def test_too_large_an_attachment_is_refused(kind: str, server: Server, http: Http):
    told = recording(kind)["fetches"]
    server.then(*(told_as(answer, server) for answer in told["answers"]))
    door = channel(kind, **{told["url"]: server.url, "file_limit": 3})
    failure(Reject, lambda: door.fetch(Attachment(**told["attachment"]), http))

"""Channels that send, fetch or poll over HTTP, against a server that fails in every way: run over each recording."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import pytest

from connectors import Fetches, Http, Polls, ProviderConnections, Speaks
from schemas import AccountFault, Held, Reject, Retry, Unanswered
from tests.channels.recording import able, answer_of, attachment_of, raw, read, recording, reply, secrets, speaking
from tests.fakes.server import Accepted, Fault, Server, answer

ERRORS = {error.__name__: error for error in (AccountFault, Held, Reject, Retry, Unanswered)}
SENDING = [kind for kind in able(Speaks) if "sends" in recording(kind)]
FETCHING = [kind for kind in able(Fetches) if "fetches" in recording(kind)]
POLLING = [kind for kind in able(Polls) if "polls" in recording(kind)]
each_sending = pytest.mark.parametrize("kind", SENDING)
each_fetching = pytest.mark.parametrize("kind", FETCHING)
each_polling = pytest.mark.parametrize("kind", POLLING)
FAULTS = {
    "429": (answer(429, "slow down", retry_after="7"), {Retry}),
    "500": (answer(500, "<html>"), {Unanswered}),
    "accepted, then 500": (Accepted(answer(500, "<html>")), {Unanswered}),
    "502": (answer(502, "<html>"), {Unanswered}),
    "504": (answer(504, ""), {Unanswered}),
    "redirect": (answer(302, "", location="http://127.0.0.1:1/"), {Reject, AccountFault}),
    "401": (answer(401, "who are you"), {AccountFault}),
    "403": (answer(403, "forbidden"), {AccountFault}),
    "404": (answer(404, "gone"), {Reject, AccountFault}),
    "hangs": (Fault.HANG, {Unanswered}),
    "accepts and hangs": (Accepted(Fault.HANG), {Unanswered}),
    "hangs up": (Fault.DROP, {Unanswered}),
    "resets": (Fault.RESET, {Unanswered}),
    "answers by half": (Fault.HALF, {Unanswered}),
    "trickles": (Fault.TRICKLE, {Unanswered}),
}
SLOW = {"hangs", "accepts and hangs", "trickles"}
each_fault = pytest.mark.parametrize("fault", FAULTS)


def recorded_errors(kinds: list[str], doing: str) -> list[Any]:
    """The errors of each recording's own table."""
    found = [(kind, error) for kind in kinds for error in recording(kind)[doing].get("errors", [])]
    return [pytest.param(*pair, id=f"{pair[0]}: {pair[1]['answer']}"[:90]) for pair in found]


@pytest.fixture
async def outbound(request: pytest.FixtureRequest, monkeypatch) -> AsyncIterator[ProviderConnections]:
    """Impatient where the server is slow on purpose."""
    total = 0.2 if getattr(request.node, "callspec", None) and request.node.callspec.params.get("fault") in SLOW else 10
    for module in ("_meta", "x"):
        monkeypatch.setattr(f"connectors.{module}.DOWNLOAD_WITHIN", total)
    monkeypatch.setattr("connectors._telegram_calls.DOWNLOAD_WITHIN", total)
    monkeypatch.setattr("connectors._line_calls.DOWNLOAD_WITHIN", total)
    async with Http(total=total) as http:
        yield ProviderConnections(http)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _: answer(500, "no answer is planned")) as server:
        yield server


async def failure(allowed: set[type[Exception]], act: Awaitable[object]) -> Any:
    """The error that `act` raises; its type is exact, for Unanswered is a Retry too."""
    with pytest.raises((AccountFault, Reject, Retry)) as caught:
        await act
    assert type(caught.value) in allowed
    return caught.value


def assert_as_recorded(error: Any, wanted: dict[str, Any]) -> None:
    found = {name: getattr(error, name, None) for name in ("code", "reason", "after") if name in wanted}
    assert found == {name: wanted[name] for name in found}


def assert_silent(kind: str, error: Exception, log: str, *more: str) -> None:
    """Neither the error, nor its origin, nor the log shows a secret, an address or a citizen's words."""
    shown = f"{error!r} {error} {error.__cause__!r} {error.__context__!r} {log}"
    for word in (*secrets(kind), *more, "127.0.0.1", "http://"):
        assert word not in shown


def test_recordings_say_how_a_channel_fetches():
    others = [kind for kind in able(Fetches) if recording(kind).get("fetches_without_http")]
    assert able(Fetches) == sorted([*FETCHING, *others])


@each_sending
async def test_a_reply_is_sent_as_recorded(kind: str, server: Server, outbound: ProviderConnections):
    wanted = recording(kind)["sends"]
    server.then(answer_of(wanted["answer"], server))
    sent = await speaking(kind, "sends", server.url).send(reply(kind), outbound)
    (received,) = server.received
    assert list(sent.native_ids) == wanted["native_ids"]
    assert (received.method, received.path) == (wanted["request"]["method"], wanted["request"]["path"])
    assert wanted["request"].get("params", {}).items() <= received.params.items()
    assert all(received.json[name] == value for name, value in wanted["request"].get("json", {}).items())
    assert reply(kind).text in str(received.params) + str(received.body and received.json)


@pytest.mark.slow
@each_sending
@each_fault
async def test_a_fault_is_named_for_what_it_is(
    kind: str, fault: str, server: Server, outbound: ProviderConnections, caplog
):
    caplog.set_level(logging.DEBUG, "aiohttp")
    behaviour, allowed = FAULTS[fault]
    server.then(behaviour)
    error = await failure(allowed, speaking(kind, "sends", server.url).send(reply(kind), outbound))
    assert fault != "429" or error.after == 7
    words = reply(kind)
    assert_silent(kind, error, caplog.text, words.text, words.to, words.to.removeprefix("+"))
    assert len(server.received) == 1


@pytest.mark.parametrize(("kind", "wanted"), recorded_errors(SENDING, "sends"))
async def test_the_providers_own_code_decides(kind: str, wanted: Any, server: Server, outbound: ProviderConnections):
    server.then(answer_of(wanted["answer"], server))
    error = await failure({ERRORS[wanted["error"]]}, speaking(kind, "sends", server.url).send(reply(kind), outbound))
    assert_as_recorded(error, wanted)


@each_sending
async def test_without_a_connection_it_surely_did_not_arrive(kind: str, outbound: ProviderConnections, caplog):
    caplog.set_level(logging.DEBUG, "aiohttp")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        door = speaking(kind, "sends", f"http://127.0.0.1:{free.getsockname()[1]}")
        error = await failure({Retry}, door.send(reply(kind), outbound))
    assert_silent(kind, error, caplog.text)


@each_sending
async def test_a_missing_setting_is_a_fault_of_the_account(kind: str, server: Server, outbound: ProviderConnections):
    door = speaking(kind, "sends", server.url)
    for name in door.outbound_settings:
        lacking = speaking(kind, "sends", server.url, **{name: ""})
        error = await failure({AccountFault}, lacking.send(reply(kind), outbound))
        assert (error.code, lacking.missing_setting, list(lacking.outbound_urls)) == ("setting_missing", name, [])
    assert (door.missing_setting, server.url in door.outbound_urls) == (None, True)


@each_sending
@pytest.mark.parametrize("url", ["gateway:13013/sendsms", "//gateway/", "https://", "http://[::1/", "http://h:x/", "h"])
def test_an_address_that_is_none_stops_the_account(kind: str, url: str):
    with pytest.raises(ValueError, match=f"^{recording(kind)['sends']['url']}: takes an address"):
        speaking(kind, "sends", url)


@each_fetching
async def test_an_attachment_is_fetched(kind: str, server: Server, outbound: ProviderConnections):
    wanted = recording(kind)["fetches"]
    server.then(*(answer_of(one, server) for one in wanted["answers"]))
    file = await speaking(kind, "fetches", server.url).fetch(attachment_of(kind, server), outbound)
    assert file == (wanted["bytes"].encode(), wanted["media_type"])


@each_fault
@pytest.mark.parametrize(
    ("kind", "step"),
    [(kind, step) for kind in FETCHING for step in sorted({0, len(recording(kind)["fetches"]["answers"]) - 1})],
)
@pytest.mark.slow
async def test_a_fault_while_fetching(
    kind: str, fault: str, step: int, server: Server, outbound: ProviderConnections, caplog
):
    caplog.set_level(logging.DEBUG, "aiohttp")
    wanted = recording(kind)["fetches"]
    behaviour, allowed = FAULTS[fault]
    if fault in {"401", "403"}:  # of a request without our secret it tells of the file alone
        allowed = allowed | {Reject, Retry}
    server.then(*[answer_of(one, server) for one in wanted["answers"]][:step], behaviour)
    door = speaking(kind, "fetches", server.url)
    error = await failure(allowed, door.fetch(attachment_of(kind, server), outbound))
    assert_silent(kind, error, caplog.text)


@pytest.mark.parametrize(("kind", "wanted"), recorded_errors(FETCHING, "fetches"))
async def test_the_providers_own_code_decides_about_a_file(
    kind: str, wanted: Any, server: Server, outbound: ProviderConnections
):
    server.then(answer_of(wanted["answer"], server))
    attachment = attachment_of(kind, server)
    door = speaking(kind, "fetches", server.url)
    assert_as_recorded(await failure({ERRORS[wanted["error"]]}, door.fetch(attachment, outbound)), wanted)


@pytest.mark.parametrize("kind", [kind for kind in FETCHING if "file_limit" in recording(kind)["fetches"]])
async def test_too_large_an_attachment_is_refused(kind: str, server: Server, outbound: ProviderConnections):
    wanted = recording(kind)["fetches"]
    server.then(*(answer_of(one, server) for one in wanted["answers"]))
    door = speaking(kind, "fetches", server.url, **{wanted["file_limit"]: 3})
    await failure({Reject}, door.fetch(attachment_of(kind, server), outbound))


@each_polling
async def test_a_poll_is_made_as_recorded(kind: str, server: Server, outbound: ProviderConnections):
    wanted = recording(kind)["polls"]
    server.then(*(answer_of(one, server) for one in wanted["answers"]))
    polled = await speaking(kind, "polls", server.url).poll(wanted["cursor"], outbound)
    assert (len(polled.requests), polled.cursor, polled.more) == (wanted["requests"], wanted["next"], wanted["more"])
    assert [{"path": r.path, "params": r.params} for r in server.received] == wanted["asks"]
    items = [item for request in polled.requests for item in read(speaking(kind, "polls", ""), raw(kind, request))]
    assert items
    assert not [item for item in items if isinstance(item, Reject)]


@each_polling
async def test_a_poll_takes_nothing_from_the_provider(kind: str, server: Server, outbound: ProviderConnections):
    """The same cursor asks for the same again: only a poll with the next one tells the provider what is durable."""
    wanted = recording(kind)["polls"]
    server.then(*(answer_of(one, server) for one in wanted["answers"] * 2))
    door = speaking(kind, "polls", server.url)
    first, second = await door.poll(wanted["cursor"], outbound), await door.poll(wanted["cursor"], outbound)
    assert first == second
    half = len(server.received) // 2
    assert [(r.path, r.params, r.body) for r in server.received[:half]] == [
        (r.path, r.params, r.body) for r in server.received[half:]
    ]


@pytest.mark.slow
@each_polling
@each_fault
async def test_a_fault_while_polling(kind: str, fault: str, server: Server, outbound: ProviderConnections, caplog):
    caplog.set_level(logging.DEBUG, "aiohttp")
    behaviour, allowed = FAULTS[fault]
    server.then(behaviour)
    door = speaking(kind, "polls", server.url)
    assert_silent(kind, await failure(allowed, door.poll(recording(kind)["polls"]["cursor"], outbound)), caplog.text)


@pytest.mark.parametrize(("kind", "wanted"), recorded_errors(POLLING, "polls"))
async def test_the_providers_own_code_decides_about_a_poll(
    kind: str, wanted: Any, server: Server, outbound: ProviderConnections
):
    server.then(answer_of(wanted["answer"], server))
    door = speaking(kind, "polls", server.url)
    assert_as_recorded(await failure({ERRORS[wanted["error"]]}, door.poll(None, outbound)), wanted)

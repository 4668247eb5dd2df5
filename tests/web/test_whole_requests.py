"""Requests that arrive whole are answered without ASGI, and just as those that come in pieces."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import uvicorn

from connectors import Part
from hub.web import group_publish
from hub.web.group_publish import GroupPublisher
from schemas import Raw, Retry
from tests.web.test_ingress import NOW, Listed, Site, signed, webhook, whatsapp
from tests.web.test_server import connected, serving

BODY = webhook(("111", "6281200001111", "Jalan rusak"))


class App:
    """An application with an ingress, which counts what comes by ASGI."""

    def __init__(self, site: Site) -> None:
        self._ingress = site.ingress
        self.take_whole = site.ingress.take_whole
        self.by_asgi = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.by_asgi += 1
        await self._ingress(scope, receive, send)


def request(
    path: str = "/in/wa", body: bytes = BODY, headers: dict[str, str] | None = None, method: str = "POST"
) -> bytes:
    fields = {"Host": "hub.test", "Content-Length": str(len(body)), **(signed(body) if headers is None else headers)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


async def answers(app: App, *pieces: bytes, count: int = 1) -> list[bytes]:
    """What the server answers, without the date; the pieces are sent one after the other."""
    async with serving(app) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        return await on_one_connection(running, *pieces, count=count)


async def on_one_connection(running: uvicorn.Server, *pieces: bytes, count: int = 1) -> list[bytes]:
    reader, writer = await connected(running)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0.01)  # so that it is read by itself
    found = [await _answer(reader) for _ in range(count)]
    writer.close()
    return found


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    if b" 100 " in head:
        return await _answer(reader)
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"date: ")]
    length = next(int(line.split()[1]) for line in lines if line.startswith(b"content-length: "))
    return b"\r\n".join(lines) + await reader.readexactly(length)


@pytest.fixture
def site() -> Site:
    return Site(whatsapp("wa"), Listed(Part(1, "a"), Part(2, "b")))


async def test_a_webhook_that_arrives_whole_needs_no_asgi(site: Site) -> None:
    app = App(site)
    assert await answers(app, request()) == [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]
    [[raw]] = site.log
    assert (app.by_asgi, raw.account, raw.conversation, raw.body) == (0, "wa", "111:6281200001111", BODY)
    assert site.ingress.answered == {("wa", 200): 1}


@pytest.mark.parametrize(
    "sent",
    [
        request(),
        request("/in/wa?a=1", headers=signed(b"other words")),
        request(headers={}),
        request("/in/nobody"),
        request("/in/w%61"),
        request("/in/listed/v2/x.json?a=1&token=t&b=%20x", b"x", {"content-type": "text/x"}),
        request("/in/listed", b"x", {"Connection": "close"}),
        request("/in/listed", b"x", {"Expect": "100-continue"}),
        request("/in/wa", b"", {}, "PUT"),
        request("/in/wa?hub.mode=subscribe&hub.challenge=11&hub.verify_token=betul", b"", {}, "GET"),
    ],
    ids=["right", "forged", "no proof", "no account", "encoded", "path", "close", "expect", "method", "handshake"],
)  # fmt: skip
async def test_the_answer_and_what_is_stored_are_the_same_in_pieces(site: Site, sent: bytes) -> None:
    found = []
    head, blank, body = sent.partition(b"\r\n\r\n")
    async with serving(App(site)) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        for pieces in ([sent], [head + blank, body], [sent[:30], sent[30:]]):
            given = await on_one_connection(running, *pieces)
            raws = [raw for published in site.log for raw in published]
            stored = [(r.account, r.conversation, r.parts, r.path, r.query, r.headers, r.body) for r in raws]
            found.append((given, stored, dict(site.ingress.answered)))
            site.log.clear()
            site.ingress.answered.clear()
    assert found[0] == found[1] == found[2]


async def test_a_proof_behind_the_body_is_none(site: Site) -> None:
    signature = signed(BODY)["x-hub-signature-256"]
    head = b"POST /in/wa HTTP/1.1\r\nHost: hub.test\r\nTransfer-Encoding: chunked\r\n\r\n"
    sent = head + b"%x\r\n%b\r\n0\r\nX-Hub-Signature-256: %b\r\n\r\n" % (len(BODY), BODY, signature.encode())
    [answer] = await answers(App(site), sent)
    assert (answer[:12], site.log) == (b"HTTP/1.1 403", [])


async def test_requests_behind_one_another_are_answered_in_order(site: Site) -> None:
    app = App(site)
    sent = [request(), request("/in/nobody"), request(), request(headers=signed(b"")), request("/in/listed", b"x", {})]
    found = await answers(app, b"".join(sent * 20), count=100)
    assert [answer[9:12] for answer in found] == [b"200", b"404", b"200", b"403", b"200"] * 20
    assert sum(map(len, site.log)) == 80


def held_back(site: Site) -> asyncio.Event:
    """What is taken in is published once the event is set."""
    durable = asyncio.Event()
    publish = site.publish

    async def slowly(raws: Sequence[Raw]) -> None:
        await durable.wait()
        await publish(raws)

    site.ingress = type(site.ingress)(site.accounts, slowly, site.store, clock=lambda: NOW)
    return durable


async def until_at_work(running: uvicorn.Server) -> None:
    """Until a connection has a request in hand."""
    while not running.server_state.connections or next(iter(running.server_state.connections)).is_idle:  # type: ignore[union-attr]
        await asyncio.sleep(0.001)


async def test_a_request_behind_a_whole_one_waits_for_its_answer(site: Site) -> None:
    durable = held_back(site)
    app = App(site)
    async with serving(app) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        reader, writer = await connected(running)
        writer.write(request() + request("/in/nobody"))
        await until_at_work(running)
        assert app.by_asgi == 0
        durable.set()
        assert [(await _answer(reader))[9:12] for _ in range(2)] == [b"200", b"404"]
        writer.close()


def reset(writer: asyncio.StreamWriter) -> None:
    """Leave at once, so that the other side knows."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


SLOW_BODY = request("/in/listed", b"x" * 70_000, {})


@pytest.mark.parametrize(
    ("sent", "times"), [(request(), 1), (SLOW_BODY, 1), (request(), 3)], ids=["whole", "pieces", "three"]
)
async def test_a_sender_who_has_ended_sending_is_answered(site: Site, sent: bytes, times: int) -> None:
    durable = held_back(site)
    async with serving(App(site)) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        reader, writer = await connected(running)
        writer.write(sent * times)
        await until_at_work(running)
        writer.write_eof()
        await asyncio.sleep(0.01)  # so that it is seen before the answer
        durable.set()
        answered = await reader.read()
        writer.close()
    assert (answered.count(b"HTTP/1.1 200"), len(site.log)) == (times, times)
    assert answered.count(b"connection: close") == 1


async def test_a_sender_who_ends_within_a_body_is_not_waited_for(site: Site) -> None:
    async with serving(App(site)) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        reader, writer = await connected(running)
        writer.write(request()[:-1])
        await until_at_work(running)
        writer.write_eof()
        assert (await reader.read(), site.log) == (b"", [])
        writer.close()


async def test_a_sender_who_leaves_gets_no_answer_and_is_stored(site: Site) -> None:
    durable = held_back(site)
    async with serving(App(site)) as running, asyncio.timeout(20):  # type: ignore[arg-type]
        _, writer = await connected(running)
        writer.write(request())
        await until_at_work(running)
        reset(writer)
        while running.server_state.connections:
            await asyncio.sleep(0.001)
        durable.set()
        while not site.log:
            await asyncio.sleep(0.001)
    assert site.ingress.answered == {("wa", 200): 1}


@pytest.mark.parametrize("fault", [Retry("the log cannot be written"), RuntimeError("a bug")], ids=["retry", "bug"])
async def test_what_is_not_durable_is_503(site: Site, fault: Exception) -> None:
    site.fault = fault
    [answer] = await answers(App(site), request())
    assert answer == (
        b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 10\r\n"
        b"content-type: text/plain; charset=utf-8\r\nretry-after: 5\r\n\r\ntry again\n"
    )


class Bus:
    """Takes Raws, except those of bad accounts; or nothing at all."""

    def __init__(self, fault: Exception | None = None, bad: str = "bad") -> None:
        self.calls: list[list[str]] = []
        self._fault, self._bad = fault, bad

    async def publish(self, raws: Sequence[Raw]) -> None:
        accounts = [raw.account for raw in raws]
        self.calls.append(accounts)
        if self._fault is not None and self._bad in accounts:
            raise self._fault


def add(group: GroupPublisher, told: dict[str, Exception | None], *accounts: str) -> None:
    for account in accounts:
        raw = Raw(id=account, account=account, channel="sms", owner="32", received_at=NOW)
        group.add([raw], lambda fault, account=account: told.__setitem__(account, fault))  # type: ignore[misc]


async def published(bus: Bus, *accounts: str, group: GroupPublisher | None = None) -> dict[str, Exception | None]:
    """What each account's request was told, all of one turn of the loop."""
    told: dict[str, Exception | None] = {}
    add(group or GroupPublisher(bus.publish), told, *accounts)
    while len(told) < len(accounts):
        await asyncio.sleep(0)
    return told


async def test_requests_of_one_turn_are_published_together() -> None:
    bus = Bus()
    assert await published(bus, "a", "b", "c") == {"a": None, "b": None, "c": None}
    assert bus.calls == [["a", "b", "c"]]


class Timers:
    """What the group would have started later, instead of the loop's clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.delays: list[float] = []
        self._waiting: list[Callable[[], object]] = []
        monkeypatch.setattr(asyncio.get_running_loop(), "call_later", self._later)

    def _later(self, delay: float, call: Callable[[], object]) -> asyncio.Handle:
        self.delays.append(delay)
        self._waiting.append(call)
        return asyncio.Handle(call, (), asyncio.get_running_loop())

    def ring(self) -> None:
        """The newest timer's time has come."""
        self._waiting.pop()()


async def test_a_group_waits_for_those_who_were_lately_there_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, timers = Bus(), Timers(monkeypatch)
    group = GroupPublisher(bus.publish)
    await published(bus, "a", "b", "c", "d", group=group)
    told: dict[str, Exception | None] = {}
    for account in "efg":
        add(group, told, account)
        await asyncio.sleep(0)
    assert (timers.delays, len(bus.calls)) == ([group_publish.DELAY], 1)
    await published(bus, "h", group=group)
    assert bus.calls[1:] == [["e", "f", "g", "h"]], "the fourth completes the group"
    assert told == {"e": None, "f": None, "g": None}


async def test_a_group_that_nobody_completes_starts_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, timers = Bus(), Timers(monkeypatch)
    group = GroupPublisher(bus.publish)
    await published(bus, "a", "b", "c", "d", group=group)
    told: dict[str, Exception | None] = {}
    add(group, told, "e")
    await asyncio.sleep(0)
    timers.ring()
    while "e" not in told:
        await asyncio.sleep(0)
    assert bus.calls[1:] == [["e"]]
    assert await published(bus, "f", group=group) == {"f": None}
    assert len(timers.delays) == 1, "where few send, nobody waits"


async def test_one_request_at_fault_keeps_no_other_from_being_durable() -> None:
    fault = RuntimeError("a bug")
    assert await published(Bus(fault), "a", "bad", "c") == {"a": None, "bad": fault, "c": None}


async def test_a_full_disk_is_asked_once() -> None:
    fault = Retry("the disk is full")
    bus = Bus(fault)
    assert await published(bus, "a", "bad") == {"a": fault, "bad": fault}
    assert bus.calls == [["a", "bad"]]

"""The HTTP server's bounds, on a real socket. These tests also notice when uvicorn renames what the bounds stand on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import pytest
import uvicorn

from hub.limits import WebLimits
from hub.web import server
from hub.web.server import HEADER_BYTES, HEADERS, PIPELINED
from hub.web.server_config import server_config

HELLO = b"GET /x HTTP/1.1\r\nHost: hub.test\r\n\r\n"


class App:
    """Answers when it may; knows how many requests it was given."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.scopes: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving(app: App, limits: WebLimits | None = None) -> AsyncIterator[uvicorn.Server]:
    """The server on a free port, which it has as `port`."""
    config = server_config(app, limits)
    config.host, config.port = "127.0.0.1", 0
    running = uvicorn.Server(config)
    running.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(running.serve())
    while not running.started:
        await asyncio.sleep(0)
    try:
        yield running
    finally:
        running.should_exit = True
        running.force_exit = True
        await task


def port_of(running: uvicorn.Server) -> int:
    port: int = running.servers[0].sockets[0].getsockname()[1]
    return port


async def connected(running: uvicorn.Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port_of(running))


@pytest.fixture
async def app() -> App:
    return App()


async def test_pipelined_requests_are_all_answered_in_order(app: App) -> None:
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\nHost: hub.test\r\n\r\n" % n for n in range(2000)))
        for _ in range(2000):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert [scope["path"] for scope in app.scopes] == [f"/{n}" for n in range(2000)]


async def test_few_requests_are_parsed_ahead(app: App) -> None:
    app.may_answer.clear()
    async with serving(app) as running:
        _, writer = await connected(running)
        writer.write(HELLO * 20_000)
        while not app.scopes:
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)
        [connection] = running.server_state.connections
        in_a_piece = server.PIECE // len(HELLO) + 1
        assert len(connection.pipeline) <= PIPELINED + in_a_piece  # type: ignore[union-attr]
        assert not connection.transport.is_reading()  # type: ignore[union-attr]
        writer.close()


async def test_a_body_of_several_pieces_arrives_whole(app: App) -> None:
    body = bytes(range(256)) * 8000
    async with serving(app) as running:
        reader, writer = await connected(running)
        for _ in range(2):
            writer.write(b"POST /x HTTP/1.1\r\nHost: hub.test\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            await reader.readuntil(b"ok")
        writer.close()
    assert app.bodies == [body, body]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /x HTTP/1.1\r\nX: " + b"a" * 3 * HEADER_BYTES,
        b"GET /" + b"a" * 3 * HEADER_BYTES,
        b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * (HEADERS + 1) + b"a: ",
        b"GET /x HTTP/1.1\r\n" + b"a: b\r\n" * 100_000,
    ],
    ids=["value", "path", "number", "many"],
)
async def test_a_head_without_end_is_cut(app: App, head: bytes) -> None:
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(head)
        async with asyncio.timeout(5):
            answer = await _all(reader)
        writer.close()
    assert answer in (
        b"",
        b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    )
    assert app.scopes == []


async def test_a_head_that_does_not_end_is_closed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 0.05)
    async with serving(app) as running:
        silent, first = await connected(running)
        half, second = await connected(running)
        second.write(b"GET /x HTTP/1.1\r\nHost: hub")
        async with asyncio.timeout(5):
            assert await _all(silent) == b""
            await _all(half)
        first.close()
        second.close()
    assert app.scopes == []


async def test_the_head_of_a_later_request_is_limited_too(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEADER_SECONDS", 1.0)  # the first request must come within it
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(HELLO + b"GET /y HTTP/1.1\r\nHost")
        async with asyncio.timeout(5):
            answer = await _all(reader)
        writer.close()
    assert (answer.count(b"HTTP/1.1 200"), len(app.scopes)) == (1, 1)


async def test_half_open_connections_shut_nobody_out(app: App) -> None:
    async with serving(app, WebLimits(connections=50)) as running:
        half_open = [await connected(running) for _ in range(300)]
        for _, writer in half_open:
            writer.write(b"GET /x HTTP/1.1\r\nHost: hub")
        reader, writer = await connected(running)
        writer.write(HELLO)
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        assert len(running.server_state.connections) <= 50
        for _, other in [*half_open, (reader, writer)]:
            other.close()


async def test_a_connection_at_work_is_never_the_one_that_is_closed(app: App) -> None:
    app.may_answer.clear()
    async with serving(app, WebLimits(connections=20)) as running:
        reader, writer = await connected(running)
        writer.write(HELLO)
        while not app.scopes:
            await asyncio.sleep(0.001)
        others = [await connected(running) for _ in range(100)]
        app.may_answer.set()
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        for _, other in [*others, (reader, writer)]:
            other.close()


async def test_only_a_connection_that_has_been_idle_for_long_is_closed(app: App) -> None:
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(HELLO)
        await reader.readuntil(b"ok")
        connection: Any = next(iter(running.server_state.connections))
        connection.timeout_keep_alive_handler()
        assert not connection.transport.is_closing(), "it has not been idle for long"
        app.may_answer.clear()
        writer.write(HELLO)
        while len(app.bodies) < 2:
            await asyncio.sleep(0.001)
        connection.timeout_keep_alive = 0
        connection.timeout_keep_alive_handler()
        assert not connection.transport.is_closing(), "a request is at work"
        app.may_answer.set()
        await reader.readuntil(b"ok")
        assert await reader.read() == b"", "it is idle, and gets no seconds"
        writer.close()


async def test_a_trailer_is_no_header(app: App) -> None:
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(
            b"POST /x HTTP/1.1\r\nHost: hub.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
            b"X-Hub-Signature-256: sha256=00\r\n\r\n"
        )
        await reader.readuntil(b"ok")
        writer.close()
    assert b"x-hub-signature-256" not in dict(app.scopes[0]["headers"])


async def test_a_trailer_without_end_is_cut(app: App) -> None:
    async with serving(app) as running:
        reader, writer = await connected(running)
        writer.write(b"POST /x HTTP/1.1\r\nHost: hub.test\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: ")
        writer.write(b"a" * 3 * HEADER_BYTES)
        async with asyncio.timeout(5):
            assert await _all(reader) == b""
        writer.close()


async def test_a_sender_who_leaves_ends_what_waits_for_him(app: App) -> None:
    app.may_answer.clear()
    async with serving(app) as running:
        _, writer = await connected(running)
        writer.write(HELLO * 5)
        while not app.scopes:
            await asyncio.sleep(0.001)
        writer.close()
        while running.server_state.connections:
            await asyncio.sleep(0.001)
        app.may_answer.set()
        while running.server_state.tasks:
            await asyncio.sleep(0.001)
    assert len(app.scopes) == 1


async def _all(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


UPGRADE = b"POST /x HTTP/1.1\r\nHost: hub.test\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize("at", [len(UPGRADE), 30, UPGRADE.index(b"hello"), len(UPGRADE) - 2])
async def test_the_body_of_a_request_that_asks_for_another_protocol_is_read(app: App, at: int) -> None:
    async with serving(app) as running, asyncio.timeout(20):
        reader, writer = await connected(running)
        writer.write(UPGRADE[:at])
        await asyncio.sleep(0.01)  # so that it is read by itself
        writer.write(UPGRADE[at:] + UPGRADE.replace(b"hello", b"world") + HELLO)
        for _ in range(3):
            assert await reader.readuntil(b"ok")
        writer.close()
    assert app.bodies == [b"hello", b"world", b""]
    assert all(name != b"upgrade" for scope in app.scopes for name, _ in scope["headers"])


LONGER = b"POST /x HTTP/1.1\r\nHost: hub.test\r\nContent-Length: 2\r\n\r\nab"
UNENDED = b"POST /x HTTP/1.1\r\nHost: hub.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"


@pytest.mark.parametrize("behind", [b"hello", UNENDED + b"zz\r\n"], ids=["no request", "a body without end"])
async def test_bytes_that_are_no_http_take_no_answer_from_the_request_before(app: App, behind: bytes) -> None:
    app.may_answer.clear()
    async with serving(app) as running, asyncio.timeout(20):
        reader, writer = await connected(running)
        writer.write(LONGER + HELLO + behind)
        while not app.bodies:
            await asyncio.sleep(0)
        writer.write(b"more of it")
        app.may_answer.set()
        answered = await reader.read()
        writer.close()
    assert (answered.count(b"HTTP/1.1 200"), answered.count(b"HTTP/1.1 "), app.bodies) == (2, 2, [b"ab", b""])


async def test_a_body_that_is_no_http_is_refused(app: App) -> None:
    async with serving(app) as running, asyncio.timeout(20):
        reader, writer = await connected(running)
        writer.write(UNENDED + b"zz\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()

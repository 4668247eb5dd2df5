"""Senders that read only after they sent everything see why they were refused, and what they send is bounded."""

from __future__ import annotations

import asyncio
import http.client
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from hub.web import lingering
from tests.web.test_ingress import Site, signed, whatsapp
from tests.web.test_server import connected, port_of
from tests.web.test_server import serving as serving_app

MIB = 2**20
HEAD = b"POST /in/wa HTTP/1.1\r\nHost: hub.test\r\nContent-Length: %d\r\n\r\n"


@asynccontextmanager
async def serving() -> AsyncIterator[uvicorn.Server]:
    app: Any = Site(whatsapp("wa")).ingress
    async with serving_app(app) as running:
        yield running


def with_urllib(port: int, body: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/in/wa", body, headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    refused.value.close()
    return refused.value.code


def in_chunks(port: int, body: bytes, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        pieces = (body[at : at + 100_000] for at in range(0, len(body), 100_000))
        connection.request("POST", "/in/wa", pieces, headers, encode_chunked=True)
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("mib", [9, 30])
@pytest.mark.parametrize("send", [with_urllib, in_chunks])
@pytest.mark.parametrize(("proof", "status"), [("right", 413), ("wrong", 413), ("none", 403)])
async def test_a_sender_of_a_large_body_sees_why_it_was_refused(mib: int, send: Any, proof: str, status: int) -> None:
    body = bytes(mib * MIB)
    headers = {"right": signed(body), "wrong": signed(b""), "none": {}}[proof]
    async with serving() as running:
        assert await asyncio.to_thread(send, port_of(running), body, headers) == status


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ends by its time."""
    for bound in ("LINGER_SILENT", "LINGER_SECONDS"):
        monkeypatch.setattr(lingering, bound, 600.0)


@pytest.mark.usefixtures("unhurried")
async def test_the_answer_comes_at_once_and_the_connection_ends_with_its_sender() -> None:
    async with serving() as running, asyncio.timeout(60):
        reader, writer = await connected(running)
        writer.write(HEAD % (30 * MIB))
        assert (await reader.read()).startswith(b"HTTP/1.1 403")
        [connection] = running.server_state.connections
        assert connection.is_idle  # type: ignore[union-attr]  # so that it makes room
        writer.close()
        while running.server_state.connections:
            await asyncio.sleep(0.001)


@pytest.mark.usefixtures("unhurried")
async def test_no_more_than_so_many_bytes_are_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_BYTES", MIB)
    async with serving() as running, asyncio.timeout(60):
        _, writer = await connected(running)
        writer.write(HEAD % (100 * MIB))
        with pytest.raises(ConnectionError):
            await send_without_end(writer)


async def send_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(bytes(MIB))
        await writer.drain()


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("bound", ["LINGER_SILENT", "LINGER_SECONDS"])
async def test_silence_and_slowness_end_it(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, bound, 0.1)
    async with serving() as running, asyncio.timeout(60):
        _, writer = await connected(running)
        writer.write(HEAD % MIB)
        while not running.server_state.connections:
            await asyncio.sleep(0.001)
        while running.server_state.connections:
            await asyncio.sleep(0.01)
            if bound == "LINGER_SECONDS" and not writer.is_closing():
                writer.write(b"a")
        writer.close()


async def test_what_is_thrown_away_is_not_kept() -> None:
    async with serving() as running, asyncio.timeout(10):
        reader, writer = await connected(running)
        writer.write(HEAD % (30 * MIB))
        await reader.read()
        [connection] = running.server_state.connections
        for _ in range(20):
            writer.write(bytes(MIB))
            await writer.drain()
            kept = connection.cycle.body, connection._unparsed  # type: ignore[union-attr]
            assert [len(each) for each in kept] == [0, 0]
        writer.close()

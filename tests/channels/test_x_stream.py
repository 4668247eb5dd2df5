"""X's filtered stream against a server that streams: it wakes polls, which bring the posts; it breaks, is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from connectors import ProviderConnections
from connectors._x_budget import BEFORE_TURN, POST, Budget
from connectors._x_calls import XCalls
from connectors._x_stream import IN_FLIGHT, PATH, TAG, XStream
from tests.channels.recording import channel

NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
RULE = "@dinasbdg -is:retweet"


class StreamServer:
    """Its rules stand in `rules`; what is put into `lines` goes to the open stream, None ends it."""

    def __init__(self) -> None:
        self.rules = [{"id": "1", "value": "@lama", "tag": TAG}, {"id": "2", "value": "kucing", "tag": "lain"}]
        self.lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.connections = 0
        self.refusal: int | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers["authorization"] != "Bearer token-baca":
            return web.json_response({"title": "Unauthorized"}, status=401)
        if request.path.endswith("/rules"):
            return await self._rules(request)
        self.connections += 1
        if self.refusal:
            return web.json_response({"title": "ConnectionException"}, status=self.refusal)
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"\r\n")
        while (line := await self.lines.get()) is not None:
            await response.write(line + b"\r\n")
        return response

    async def _rules(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            wanted = await request.json()
            gone = wanted.get("delete", {"ids": []})["ids"]
            self.rules = [rule for rule in self.rules if rule["id"] not in gone]
            self.rules += [rule | {"id": "9"} for rule in wanted.get("add", ())]
        return web.json_response({"data": self.rules, "meta": {}})


@pytest.fixture
def server() -> StreamServer:
    return StreamServer()


@pytest.fixture
async def url(server: StreamServer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", f"/2/{PATH}", server.answer)
    app.router.add_route("*", f"/2/{PATH}/rules", server.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


class Pauses:
    """The pauses before the next connections; each lasts until it is let go on."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.go_on = asyncio.Semaphore(0)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await self.go_on.acquire()


def stream(url: str, pauses: Pauses, budget: Budget, shown: dict[str, str]) -> XStream:
    calls = XCalls(channel("x", api_url=url, stream=RULE).settings, lambda: NOW)
    return XStream("x", RULE, calls, budget, shown, wake_after=0.0, sleep=pauses)


def budget(limit: int = 10_000, saved: int = 10_000, now: datetime = NOW) -> Budget:
    made = Budget(limit, lambda: now)
    made.adopt("2026-11", 0)
    made.saved = saved
    return made


def post(id: str) -> bytes:
    return json.dumps({"data": {"id": id, "text": "@dinasbdg jalan rusak"}, "matching_rules": [{"id": "9"}]}).encode()


async def woken(wake: asyncio.Event) -> None:
    await asyncio.wait_for(wake.wait(), 20)
    wake.clear()


async def test_it_wakes_the_poll_after_each_connect_and_with_each_post_and_bills_it_once(
    server: StreamServer, url: str, outbound: ProviderConnections
) -> None:
    pauses, money, shown = Pauses(), budget(), dict[str, str]()
    async with stream(url, pauses, money, shown).open(outbound) as wake:
        await woken(wake)
        assert server.rules == [{"id": "2", "value": "kucing", "tag": "lain"}, {"value": RULE, "tag": TAG, "id": "9"}]
        server.lines.put_nowait(post("1900000000000000001"))
        await woken(wake)
        assert (money.spent, shown) == (IN_FLIGHT + POST, {"1900000000000000001": "2026-11-29"})
        server.lines.put_nowait(None)
        while not pauses.seconds:
            await asyncio.sleep(0)
        assert money.spent == POST
        pauses.go_on.release()
        await woken(wake)
    assert server.connections == 2


async def _paused(pauses: Pauses, times: int) -> list[float]:
    while len(pauses.seconds) < times:
        await asyncio.sleep(0)
    return pauses.seconds


async def test_a_stream_that_is_refused_or_that_x_ends_by_a_word_is_tried_again_later_and_later(
    server: StreamServer, url: str, outbound: ProviderConnections, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusal, pauses, money = 503, Pauses(), budget()
    async with stream(url, pauses, money, {}).open(outbound):
        for times in (1, 2):
            await asyncio.wait_for(_paused(pauses, times), 20)
            assert money.spent == 0
            pauses.go_on.release()
        server.refusal = None
        server.lines.put_nowait(b'{"errors": [{"title": "operational-disconnect"}]}')
        found = await asyncio.wait_for(_paused(pauses, 3), 20)
    assert found[:3] == [10.0, 20.0, 40.0]
    assert "operational-disconnect" in caplog.text


async def test_it_shows_nothing_that_the_months_budget_does_not_hold(
    server: StreamServer, url: str, outbound: ProviderConnections
) -> None:
    pauses, money = Pauses(), budget(saved=IN_FLIGHT)
    async with stream(url, pauses, money, {}).open(outbound) as wake:
        await woken(wake)
        server.lines.put_nowait(post("1900000000000000001"))
        await asyncio.wait_for(_paused(pauses, 1), 20)
    assert (money.spent, money.wanted) == (IN_FLIGHT, POST)
    spent = budget(limit=IN_FLIGHT - 1)
    async with stream(url, pauses, spent, {}).open(outbound):
        await asyncio.wait_for(_paused(pauses, 2), 20)
    assert (server.connections, pauses.seconds[1] > 86400) == (1, True)


async def test_it_is_closed_before_the_month_turns_and_opened_after_it(
    server: StreamServer, url: str, outbound: ProviderConnections
) -> None:
    """What X may still bill then is billed to the month that paid for it."""
    turn = datetime(2026, 12, 1, tzinfo=UTC) - BEFORE_TURN
    pauses, money = Pauses(), budget(now=turn - timedelta(seconds=1))
    async with stream(url, pauses, money, {}).open(outbound):
        await asyncio.wait_for(_paused(pauses, 1), 20)
        assert money.spent == IN_FLIGHT
        money.now = lambda: turn
        pauses.go_on.release()
        assert await asyncio.wait_for(_paused(pauses, 2), 20) == [10.0, 240.0]
    assert (server.connections, money.spent) == (1, IN_FLIGHT)
    money.now = lambda: turn + timedelta(minutes=4)
    money.adopt("2026-11", 0)
    money.saved = IN_FLIGHT
    assert money.take(IN_FLIGHT) == "2026-12"
    money.give_back(IN_FLIGHT, "2026-11")
    assert money.spent == IN_FLIGHT


async def test_an_account_without_a_rule_polls_alone(outbound: ProviderConnections) -> None:
    async with channel("x").new_items(outbound) as wake:
        assert wake is None

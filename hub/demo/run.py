"""One run of the demo: sends every message, recognises its own Raws on the bus, and asks what became of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from uuid_utils import uuid7

from connectors import Channel, DemoRequest, Listens, Request
from hub.clock import utc_now
from hub.commands._waiting import retry_for_long
from hub.demo.board import ProgressBoard
from hub.demo.stories import DemoMessage
from hub.intake import split_into_raws
from hub.settings import UsageError
from schemas import Raw, Retry
from sink import ItemOutcome, outcomes_of

if TYPE_CHECKING:
    from bus import Bus
    from hub.running.pools import Pools
    from sink import Record

AT_ONCE = 8
TRIES = 5
POLL_EVERY = 0.2
NEWS_WITHIN = 60.0
"""Seconds without any news before the demo gives up; both."""
_COLUMNS = {"receipt": "refused", "empty": "refused"}


class FinishedMessage(NamedTuple):
    """A message and what became of it."""

    message: DemoMessage
    outcome: ItemOutcome


class DemoRun:
    """One run at the hub that answers at `url`. `pause` is the time between two messages of one citizen, in seconds."""

    def __init__(
        self,
        url: str,
        channels: Mapping[str, Channel],
        board: ProgressBoard,
        *,
        bus: Bus,
        record: Record,
        pools: Pools,
        store: Callable[[bytes], Awaitable[str]],
        pause: float,
    ) -> None:
        self._url, self._channels, self._board, self._pause = url, channels, board, pause
        self._bus, self._record, self._pools, self._store = bus, record, pools, store
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._sent: dict[tuple[str, str, bytes], DemoMessage] = {}
        self._open: dict[str, DemoMessage] = {}
        self._known: set[str] = set()
        self._since: datetime = utc_now() - timedelta(seconds=1)
        self.missing = 0
        """How many accepted messages have no outcome."""

    async def send(self, stories: Sequence[Sequence[DemoMessage]]) -> list[FinishedMessage]:
        """Send everything, each story in its order, and wait until all of it has an outcome. Raises UsageError."""
        sending = asyncio.gather(*(self._story(story) for story in stories))
        watching = asyncio.create_task(self._watch(sending))
        try:
            await sending
            return await watching
        finally:
            sending.cancel()
            watching.cancel()

    async def _story(self, story: Sequence[DemoMessage]) -> None:
        async with self._slots:
            for message in story:
                request = self._channels[message.account].demo_request(message.item)
                assert request is not None
                if request.path:
                    await self._send(message, request)
                else:
                    await self._publish(message, request)
                await asyncio.sleep(self._pause)

    async def _publish(self, message: DemoMessage, request: DemoRequest) -> None:
        """What comes by no HTTP request is put on the bus as a Raw."""
        raws = await split_into_raws(
            self._channels[message.account],
            Request(body=request.body, headers=request.headers),
            store=self._store,
            clock=utc_now,
            new_id=lambda: str(uuid7()),
        )
        await retry_for_long(lambda: self._bus.publish(raws))
        self._board.add(message.account, "sent")
        self._accepted(raws[0].id, message)

    async def _send(self, message: DemoMessage, request: DemoRequest) -> None:
        self._sent[self._key(message.account, request.query, request.body)] = message
        status, body = await self._exchange(request)
        self._board.add(message.account, "sent")
        forged = message.item.form == "forged"
        if forged and status == 403:
            self._board.add(message.account, "forged")
        elif forged:
            raise UsageError(f"a forged message was answered with {status}: account {message.account} takes anything")
        elif status in {201, 202}:
            self._accepted(json.loads(body)["id"], message)
        elif status == 200:
            self.missing += 1
        else:
            raise UsageError(
                f"{self._url} answered {status}: another hub may listen there; name its folder with --data, or another "
                "port with --listen"
            )

    def _accepted(self, raw: str, message: DemoMessage) -> None:
        self._known.add(raw)
        self._open[raw] = message
        self.missing += 1

    async def _exchange(self, request: DemoRequest) -> tuple[int, bytes]:
        for wait in range(TRIES):
            try:
                status, body = await self._pools.io(_exchange, self._url, request)
            except OSError:
                status, body = 503, b""
            if status != 503:
                break
            await asyncio.sleep(wait)
        return status, body

    async def _watch(self, sending: asyncio.Future[list[None]]) -> list[FinishedMessage]:
        ended: list[FinishedMessage] = []
        loop = asyncio.get_running_loop()
        news = loop.time()
        while not sending.done() or (self.missing and loop.time() - news < NEWS_WITHIN):
            outcomes = await self._outcomes()
            for outcome in outcomes:
                message = self._open.pop(outcome.raw)
                self.missing -= 1
                self._board.add(message.account, _COLUMNS.get(outcome.outcome, outcome.outcome))
                ended.append(FinishedMessage(message, outcome))
            self._board.show()
            news = loop.time() if outcomes else news
            await asyncio.sleep(POLL_EVERY)
        return ended

    async def _outcomes(self) -> Sequence[ItemOutcome]:
        """The outcomes there are by now; none while broker or record are unavailable."""
        try:
            await self._recognise()
            return await self._pools.io(outcomes_of, self._record, list(self._open))
        except Retry:
            return ()

    async def _recognise(self) -> None:
        """Our own among the Raws on the bus; every request of the demo is one Raw with one item."""
        async for stored in self._bus.read(Raw.topic, self._since):
            raw = stored.event()
            assert isinstance(raw, Raw)
            message = self._sent.get(self._key(raw.account, raw.query, raw.body))
            if message is not None and raw.id not in self._known:
                self._known.add(raw.id)
                self._open[raw.id] = message

    def _key(self, account: str, query: str, body: bytes) -> tuple[str, str, bytes]:
        """A request and the Raw made of it have the same."""
        channel = self._channels.get(account)
        secret = channel.secret_parameters if isinstance(channel, Listens) else frozenset()
        known = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name not in secret]
        return account, urlencode(known), bytes(body)


def _exchange(url: str, request: DemoRequest) -> tuple[int, bytes]:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=15)
    try:
        target = f"{request.path}?{request.query}" if request.query else request.path
        connection.request(request.method, target, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()

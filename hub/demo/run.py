"""The demo's walk: says everything at the doors, recognises its own Raws on the bus, asks what became of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec
from uuid_utils import uuid7

from connectors import Channel
from hub.demo.board import Board
from hub.demo.requests import Knock, knock, row
from connectors._rows import Named, raw_of
from hub.demo.stories import Said
from hub.commands._waiting import patiently
from hub.settings import WrongCall
from hub.wiring import Hub
from schemas import Raw, Retry
from sink.outcomes import Fate, fates

AT_ONCE = 8
TRIES = 5
LOOK_EVERY = 0.2
"""Seconds."""
NEWS_WITHIN = 60.0
"""Seconds without any news before the demo gives up."""
_decode = msgspec.json.Decoder(Raw).decode


class Told(NamedTuple):
    """What became of one thing said."""

    said: Said
    fate: Fate


class Walk:
    """One demo at the hub that answers at `url`; `pace` are seconds between two things that one citizen says."""

    def __init__(self, hub: Hub, url: str, doors: Mapping[str, Channel], board: Board, pace: float) -> None:
        self._hub, self._url, self._doors, self._board, self._pace = hub, url, doors, board, pace
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._marks: dict[bytes, Said] = {}
        self._open: dict[str, Said] = {}
        self._known: set[str] = set()
        self._due = 0
        self._since = datetime.now(UTC) - timedelta(seconds=1)

    async def tell(self, stories: Sequence[Sequence[Said]]) -> list[Told]:
        """Say everything, each story in its order, and wait until all of it has an outcome. Raises WrongCall."""
        saying = asyncio.gather(*(self._story(story) for story in stories))
        watching = asyncio.create_task(self._watch(saying))
        try:
            await saying
            return await watching
        finally:
            saying.cancel()
            watching.cancel()

    @property
    def missing(self) -> int:
        """How much of what was accepted has no outcome."""
        return self._due

    async def _story(self, story: Sequence[Said]) -> None:
        async with self._turns:
            for said in story:
                at = self._since + timedelta(seconds=1)
                if said.door == "file":
                    await self._file(said, at)
                else:
                    await self._say(said, knock(self._doors[said.door], said, at))
                await asyncio.sleep(self._pace)

    async def _file(self, said: Said, at: datetime) -> None:
        line = Named(0, json.dumps(row(said, at), ensure_ascii=False).encode(), said.id)
        raw = raw_of(line, self._doors["file"], id=str(uuid7()), at=datetime.now(UTC))
        await patiently(lambda: self._hub.bus.publish([raw]))
        self._take(raw.id, said)

    async def _say(self, said: Said, request: Knock) -> None:
        self._marks[request.mark] = said
        status, body = await self._ask(request)
        self._board.add(said.door, "sent")
        if not request.accepted and status == 403:
            self._board.add(said.door, "refused at the door")
        elif not request.accepted:
            raise WrongCall(f"a forged message was answered with {status}: this hub's door {said.door} is open")
        elif status == 202:
            self._take(json.loads(body)["id"], said)
        elif status == 200:
            self._due += 1
        else:
            raise WrongCall(
                f"{self._url} answered {status}: is it the hub of this data folder? Name its own with --data"
            )

    def _take(self, raw: str, said: Said) -> None:
        self._known.add(raw)
        self._open[raw] = said
        self._due += 1
        if said.door == "file":
            self._board.add(said.door, "sent")

    async def _ask(self, request: Knock) -> tuple[int, bytes]:
        for wait in range(TRIES):
            try:
                status, body = await self._hub.threads.world(_exchange, self._url, request)
            except OSError:
                status, body = 503, b""
            if status != 503:
                break
            await asyncio.sleep(wait)
        return status, body

    async def _watch(self, saying: asyncio.Future[list[None]]) -> list[Told]:
        told: list[Told] = []
        loop = asyncio.get_running_loop()
        news = loop.time()
        while not saying.done() or (self._due and loop.time() - news < NEWS_WITHIN):
            ended = await self._ended()
            for fate in ended:
                said = self._open.pop(fate.raw)
                self._due -= 1
                self._board.add(said.door, {"receipt": "refused", "empty": "refused"}.get(fate.outcome, fate.outcome))
                told.append(Told(said, fate))
            self._board.show()
            news = loop.time() if ended else news
            await asyncio.sleep(LOOK_EVERY)
        return told

    async def _ended(self) -> Sequence[Fate]:
        """What has an outcome by now; nothing while broker or record do not answer."""
        try:
            await self._recognise()
            return await self._hub.threads.disk(fates, self._hub.record, list(self._open))
        except Retry:
            return ()

    async def _recognise(self) -> None:
        """Our own among what stands on the bus; every request of the demo is one Raw with one item."""
        async for stored in self._hub.bus.read(Raw.topic, self._since):
            raw = _decode(stored.value)
            said = self._marks.get(raw.query.encode() + raw.body)
            if said is not None and raw.id not in self._known:
                self._known.add(raw.id)
                self._open[raw.id] = said


def _exchange(url: str, request: Knock) -> tuple[int, bytes]:
    where = urlsplit(url)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=15)
    try:
        connection.request(request.method, request.path, request.body, dict(request.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()

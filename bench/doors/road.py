"""The road between an account and its peer: a port that passes all bytes on, until the peer is made dead, silent, slow,
or the words of one side are lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum
from random import Random
from typing import Self

SLOW = (0.05, 0.6)
"""Seconds that each piece of bytes waits on a slow road."""


class State(Enum):
    """What a road does with bytes."""

    OPEN = "open"
    DEAD = "dead: every connection is reset, none is taken"
    SILENT = "silent: connections are taken, and nothing passes either way"
    SLOW = "slow"
    MUTE = "mute: what the peer says is lost; then the connections are reset"
    DEAF = "deaf: what we say is lost; then the connections are reset"


class Road:
    """`async with Road(name, to_port, random) as road`: accounts use `road.port`."""

    def __init__(self, name: str, to: int, random: Random) -> None:
        self.name, self._to, self._random = name, to, random
        self.port, self.state = 0, State.OPEN
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self._reset()

    @contextlib.asynccontextmanager
    async def being(self, state: State) -> AsyncIterator[None]:
        """So for a while."""
        self.state = state
        if state is State.DEAD:
            self._server.close()
            self._reset()
        try:
            yield
        finally:
            self.state = State.OPEN
            if state in {State.MUTE, State.DEAF}:
                self._reset()
            if state is State.DEAD:
                await self._listen()
            self._changed.set()
            self._changed = asyncio.Event()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _reset(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.CancelledError):  # cancelled: the drill is over
            await self._passable()
            peer_reader, peer = await asyncio.open_connection("127.0.0.1", self._to)
            self._writers.add(peer)
            ways = [asyncio.create_task(self._pass(reader, peer, State.DEAF)),
                    asyncio.create_task(self._pass(peer_reader, writer, State.MUTE))]  # fmt: skip
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._writers.discard(peer)
            peer.close()
        self._writers.discard(writer)
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, loses: State) -> None:
        while data := await reader.read(64 * 1024):
            await self._passable()
            if self.state is State.SLOW:
                await asyncio.sleep(self._random.uniform(*SLOW))
            if self.state is not loses:
                writer.write(data)
                await writer.drain()

    async def _passable(self) -> None:
        while self.state is State.SILENT:
            await self._changed.wait()

"""The provider of the made-up channel `modem`: sessions of JSON lines over TCP, in the loop of the test."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any, Self


class ModemServer:
    """`async with ModemServer() as modem`: settings take `modem.port`.

    `modem.items` are delivered in order, from position 1, until they are taken. `modem.sent` are the messages it took.
    """

    def __init__(self, password: str = "sandi-modem") -> None:
        self.items: list[dict[str, Any]] = []
        self.taken: set[int] = set()
        self.sent: list[dict[str, Any]] = []
        self.refusals: deque[str] = deque()
        """Codes for the next messages, one each."""
        self.silent = False
        """Takes messages and answers nothing."""
        self.sessions = 0
        self._password = password
        self._changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()
        self._server.close()
        await self._server.wait_closed()

    def bring(self, *items: dict[str, Any]) -> None:
        """More items to be delivered."""
        self.items.extend(items)
        self._changed.set()

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def until(self, condition: Any) -> None:
        """Returns once the condition holds."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        tasks: list[asyncio.Task[None]] = []
        try:
            login = json.loads(await reader.readline())
            if login["login"] != self._password:
                _write(writer, {"error": "password"})
                return
            _write(writer, {"welcome": True})
            self.sessions += 1
            self._changed.set()
            tasks.append(asyncio.create_task(self._deliver(writer, login["after"])))
            while line := await reader.readline():
                self._hear(writer, json.loads(line))
        except (OSError, ValueError):
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.sessions -= bool(tasks)
            self._writers.discard(writer)
            self._changed.set()
            writer.close()

    async def _deliver(self, writer: asyncio.StreamWriter, after: int) -> None:
        known = after
        while True:
            for number in range(known + 1, len(self.items) + 1):
                if number not in self.taken:
                    _write(writer, {"deliver": number, "item": self.items[number - 1]})
            known = len(self.items)
            await self.until(lambda known=known: len(self.items) > known)

    def _hear(self, writer: asyncio.StreamWriter, line: dict[str, Any]) -> None:
        if "taken" in line:
            self.taken.add(line["taken"])
        elif self.refusals:
            _write(writer, {"answer": line["submit"], "error": self.refusals.popleft()})
        else:
            self.sent.append(line)
            if not self.silent:
                _write(writer, {"answer": line["submit"], "id": f"modem-{len(self.sent)}"})
        self._changed.set()


def _write(writer: asyncio.StreamWriter, line: dict[str, Any]) -> None:
    writer.write(json.dumps(line).encode() + b"\n")

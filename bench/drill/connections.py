"""Kept connections to the ingress, and whether a request that failed may have arrived."""

from __future__ import annotations

import asyncio
from contextlib import suppress

PATIENCE = 15.0
"""Seconds for a whole answer; providers wait 5 to 20."""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Broken(Exception):  # noqa: N818 - it says what happened
    """No answer. `sent`: the request, or part of it, was sent."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__(sent)
        self.sent = sent


class Connections:
    """As many as there are requests in flight."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[Ends] = []

    async def send(self, request: bytes) -> int:
        """The status of the answer. Raises Broken."""
        ends = await self._connection()
        try:
            async with asyncio.timeout(PATIENCE):
                status = await _exchange(ends, request)
        except (OSError, EOFError, TimeoutError, ValueError):
            ends[1].close()
            raise Broken(sent=True) from None
        except BaseException:
            ends[1].close()
            raise
        self._free.append(ends)
        return status

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()

    async def _connection(self) -> Ends:
        while self._free:
            reader, writer = self._free.pop()
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
            writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                return await asyncio.open_connection("127.0.0.1", self._port)
        raise Broken(sent=False)


async def _exchange(ends: Ends, request: bytes) -> int:
    reader, writer = ends
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    _, _, length = head.partition(b"content-length:")
    await reader.readexactly(int(length.split(b"\r\n", 1)[0]))
    return int(head[9:12])

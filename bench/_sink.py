"""An HTTP server in a thread that answers everything with 200 and counts: what another program hands over."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Self

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


class Sink:
    """`with Sink(count) as sink:`; `sink.rate()` are the requests a second from the first to the last of `count`."""

    def __init__(self, count: int) -> None:
        self.missing = count
        self._count, self._began, self._last, self._ended = count, 0.0, 0.0, threading.Event()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def rate(self, quiet: float = 5.0) -> float:
        """Waits for the last request, or until none came for so many seconds; `missing` says how many did not."""
        while not self._ended.wait(0.5) and time.monotonic() - self._last < quiet:
            pass
        return (self._count - self.missing) / (self._last - self._began)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                self._last = time.monotonic()
                self._began = self._began or self._last
                self.missing -= 1
                if self.missing == 0:
                    self._ended.set()
                writer.write(_ANSWER)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()

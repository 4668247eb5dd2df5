"""uvicorn with bounds: on what one connection may send ahead, on headers, on waiting, and on connections.

uvicorn by itself parses pipelined requests ahead without end, takes headers of any size and number, and waits for
their end for ever. The names of uvicorn that are used here are tested in `tests/web/test_server.py`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl

from hub.web.connections import ConnectionLimit
from hub.web.lingering import AnswerTransport, Lingering
from hub.web.parsing import ParsedHttpProtocol

PIPELINED = 8
"""Requests that wait behind the one at work; then the connection is not read."""
PIECE, BODY_PIECE = 4 * 1024, 16 * 1024
"""Bytes that are parsed at a time, outside and inside a body, so that a burst of requests is noticed in time."""
HEADER_BYTES = 32 * 1024
HEADERS = 100
HEADER_SECONDS = 10.0

_log = logging.getLogger(__name__)


class _Trailers(list[tuple[bytes, bytes]]):
    """Takes the headers that come after a body, and forgets them: a proof there would come too late."""

    def append(self, _: tuple[bytes, bytes]) -> None:
        pass


TRAILERS = _Trailers()


class _BoundedFlow(FlowControl):
    """Reading goes on only where few requests wait, and what was read before is parsed first."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedHttpProtocol) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if self.read_paused and self._protocol.parse_waiting():
            super().resume_reading()


class BoundedHttpProtocol(ParsedHttpProtocol):
    """One connection."""

    limit = ConnectionLimit(2_000, 500)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers = []
        self._unparsed = memoryview(b"")
        self._parsing = False
        self._answer_transport = AnswerTransport(self)
        self._lingering: Lingering | None = None
        self._in_header = True
        self._header_bytes = 0
        """Of headers, trailers and chunk sizes, since a request began or a byte of its body came."""
        self._header_timer: asyncio.TimerHandle | None = None
        self._idle_since: float | None = None
        self.began = 0.0
        """When the newest request began, or the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _BoundedFlow(transport, self)
        self.began = self.loop.time()
        self._header_timer = self.loop.call_later(HEADER_SECONDS, self._time_header)
        if not self.limit.admit(self):
            self.abort()

    def abort(self) -> None:
        """Close it at once."""
        self.connections.discard(self)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.limit.forget(self)
        self._stop_timers()
        if self._lingering is not None:
            self._lingering.stop()
        self._unparsed = memoryview(b"")
        self.pipeline.clear()
        if self.at_work is not None:
            self.at_work.disconnected = True  # uvicorn marks the newest request only
            self.at_work.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._lingering is not None:
            self._lingering.discard(data)
        if self._lingering is not None or self.is_broken:
            return
        if len(data) <= PIECE and not self._unparsed and not self._parsing and len(self.pipeline) < PIPELINED:
            self._parse(data)  # nearly every request
            return
        self._unparsed = memoryview(bytes(self._unparsed) + data if self._unparsed else data)
        if not self.parse_waiting():
            self.flow.pause_reading()

    def parse_waiting(self) -> bool:
        """Parse what was received, until too many requests wait. True: everything is parsed, go on reading."""
        if self._parsing:
            return False
        if not self._unparsed:
            return len(self.pipeline) < PIPELINED
        self._parsing = True
        try:
            while self._unparsed and len(self.pipeline) < PIPELINED and not self.transport.is_closing():
                size = PIECE if self._in_header else BODY_PIECE
                piece, self._unparsed = self._unparsed[:size], self._unparsed[size:]
                self._parse(piece)
        finally:
            self._parsing = False
        return len(self.pipeline) < PIPELINED

    @property
    def is_idle(self) -> bool:
        """No request is at work."""
        return self.at_work is None or (bool(self.at_work.response_complete) and not self.pipeline)

    def on_message_begin(self) -> None:
        self._in_header, self._header_bytes, self.began = True, 0, self.loop.time()
        if self._header_timer is None:
            self._header_timer = self.loop.call_later(HEADER_SECONDS, self._time_header)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_header = False
        super().on_headers_complete()
        self.headers = TRAILERS

    def on_body(self, body: bytes) -> None:
        self._header_bytes = 0
        super().on_body(body)

    @property
    def may_close_at_once(self) -> bool:
        """Nothing is left of the request that was answered, or it was not answered whole."""
        return not (self.at_work.response_complete and self.at_work.more_body)

    def linger(self) -> None:
        """Throw away what still comes, then close."""
        self._unparsed = memoryview(b"")
        self.at_work.body.clear()
        self._lingering = Lingering(self.transport, self.loop)

    def on_response_complete(self) -> None:
        """As uvicorn's, which sets a timer for each answer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._lingering is None:
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._time_idle_after(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # the next answer sets a timer
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._time_idle_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _time_idle_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        self.at_work = cycle
        cycle.transport = self._answer_transport
        super()._start_asgi_task(cycle, app)

    def _parse(self, piece: bytes | memoryview) -> None:
        self._header_bytes += len(piece)
        self.feed(piece)
        if self.is_broken:
            self._unparsed, self._in_header = memoryview(b""), False
        elif self._header_bytes > HEADER_BYTES or len(self.headers) > HEADERS:
            self._refuse(b"431 Request Header Fields Too Large")

    def _time_header(self) -> None:
        """Runs at most once in HEADER_SECONDS, however many requests there are."""
        self._header_timer = None
        if not self._in_header:
            return
        left = self.began + HEADER_SECONDS - self.loop.time()
        if left > 0:
            self._header_timer = self.loop.call_later(left, self._time_header)
        else:
            self._refuse(b"408 Request Timeout")

    def _refuse(self, status: bytes) -> None:
        """Between two answers the connection says why; behind one that is at work it is only closed."""
        if self.transport.is_closing():
            return
        if self.is_idle and self.headers:
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        self._unparsed = memoryview(b"")
        self.transport.close()

    def _stop_timers(self) -> None:
        for timer in (self._header_timer, self.timeout_keep_alive_task):
            if timer is not None:
                timer.cancel()
        self._header_timer = self.timeout_keep_alive_task = None

"""The short way of a request that has arrived whole: a small POST to `/in/ACCOUNT`, which is nearly every webhook.

It is handed to the ingress at once, without the scope, the task and the messages of ASGI. Everything else goes the
usual way: other paths and methods, what comes in several reads, what waits behind another request, and what the ingress
hands back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from connectors import IngressResponse
from hub.web.asgi import INGRESS_PREFIX, header_fields
from hub.web.server import TRAILERS, BoundedHttpProtocol

_PREFIX = INGRESS_PREFIX.encode()


class TakesWhole(Protocol):
    """The application that has the ingress, see `Ingress.take_whole`."""

    def take_whole(
        self, path: str, query: bytes, fields: Sequence[tuple[bytes, bytes]], body: bytes, answer: Any
    ) -> bool: ...


class WholeRequest:
    """A request on the short way, as uvicorn sees the newest one of a connection."""

    __slots__ = ("disconnected", "keep_alive", "response_complete")

    more_body = False
    message_event = asyncio.Event()
    """Nobody waits for it."""

    def __init__(self, *, keep_alive: bool) -> None:
        self.keep_alive = keep_alive
        self.disconnected = self.response_complete = False


class IngressHttpProtocol(BoundedHttpProtocol):
    """One connection to the port that has the ingress."""

    ingress: TakesWhole

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: list[bytes] | None = None
        """The body, as far as it has come, of a request that may be whole when all bytes at hand are parsed."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._release()

    def parse_waiting(self) -> bool:
        parsed = super().parse_waiting()
        self._release()
        return parsed

    def eof_received(self) -> bool:  # type: ignore[override]
        """True: the sender has ended sending only, as far as one can tell, and waits for the answers to what came
        whole."""
        last = self.last_whole()
        if last is None or last.response_complete or not self._at_ingress():
            return False
        last.keep_alive = False
        return True

    def _at_ingress(self) -> bool:
        at_work = self.at_work
        return isinstance(at_work, WholeRequest) or bool(at_work.scope["path"].startswith(INGRESS_PREFIX))

    def on_headers_complete(self) -> None:
        if not self._may_be_whole():
            super().on_headers_complete()
            return
        self._in_header = False
        self.headers = TRAILERS
        self._held = []

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._header_bytes = 0
            self._held.append(body)

    def on_message_complete(self) -> None:
        body, self._held = self._held, None
        if body is not None:
            if self._take(b"".join(body)):
                return
            self._held = body
            self._release()
        super().on_message_complete()

    def _may_be_whole(self) -> bool:
        return (
            self.url.startswith(_PREFIX)
            and self.parser.get_method() == b"POST"
            and self.parser.get_http_version() == "1.1"
            and not (self.expect_100_continue or self.parser.should_upgrade())
            and self.is_idle
            and not self.flow.write_paused
        )

    def _release(self) -> None:
        """What is not whole goes the usual way from here on."""
        body, self._held = self._held, None
        if body is None or self.transport.is_closing():
            return
        super().on_headers_complete()
        if body:
            super().on_body(b"".join(body))

    def _take(self, body: bytes) -> bool:
        path, _, query = self.url.partition(b"?")
        if not path.isascii() or b"%" in path or b"#" in self.url:  # uvicorn takes it apart
            return False
        request = WholeRequest(keep_alive=self.parser.should_keep_alive())
        before, at_work = self.cycle, self.at_work
        self.cycle = self.at_work = request  # type: ignore[assignment]  # all that is asked of a cycle
        answer = partial(self._answer, request)
        if self.ingress.take_whole(path.decode(), query, self.scope["headers"], body, answer):  # type: ignore[arg-type]
            return True
        self.cycle, self.at_work = before, at_work
        return False

    def _answer(self, request: WholeRequest, response: IngressResponse) -> None:
        request.response_complete = True
        if request.disconnected or self.transport.is_closing():
            return
        self.transport.write(
            _encode_response(response, self.server_state.default_headers, keep_alive=request.keep_alive)
        )
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _encode_response(response: IngressResponse, default: Sequence[tuple[bytes, bytes]], *, keep_alive: bool) -> bytes:
    """The answer as it stands on the wire."""
    lines = [STATUS_LINE[response.status]]
    for name, value in (*default, *header_fields(response)):
        lines += (name, b": ", value, b"\r\n")
    if not keep_alive:
        lines.append(b"connection: close\r\n")
    return b"".join((*lines, b"\r\n", response.body))

"""A server on a real socket: it answers by a function, fails as it is told to, and remembers the requests."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlsplit

from connectors import HttpResponse

TRICKLE_EVERY = 0.05
"""Seconds between two bytes of a trickle."""


@dataclass(frozen=True)
class Received:
    """A request as the server received it."""

    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Fault(Enum):
    """A way to fail instead of answering."""

    HANG = "no answer until the server is closed"
    DROP = "the connection is closed"
    RESET = "the connection is reset"
    TRICKLE = "the answer comes byte by byte, without end"
    HALF = "the connection is closed in the middle of the answer"


Behaviour = HttpResponse | Fault


class Accepted(NamedTuple):
    """The server does its work, and only then behaves so: the request arrived, and the sender cannot know."""

    then: Behaviour


def answer(status: int, body: object = "", **headers: str) -> HttpResponse:
    """An answer of text, bytes or JSON; headers with `_` for `-`."""
    if not isinstance(body, str | bytes):
        body = json.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, named, body.encode() if isinstance(body, str) else body)


class Server:
    """`with Server(respond) as server`: at `server.url`; its requests stand in `server.received`."""

    def __init__(self, respond: Callable[[Received], Behaviour], port: int = 0) -> None:
        self._respond, self._port = respond, port
        self._planned: deque[Behaviour | Accepted] = deque()
        self._closing = threading.Event()
        self.received: list[Received] = []

    def then(self, *planned: Behaviour | Accepted) -> None:
        """Behave so at the next requests, one each."""
        self._planned.extend(planned)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = _Quiet(("127.0.0.1", self._port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def behaviour(self, received: Received) -> Behaviour:
        """The behaviour at this request."""
        self.received.append(received)
        planned = self._planned.popleft() if self._planned else None
        if planned is None:
            return self._respond(received)
        if isinstance(planned, Accepted):
            self._respond(received)
            return planned.then
        return planned

    def wait(self, seconds: float) -> bool:
        """True once the server is closing."""
        return self._closing.wait(seconds)


class _Quiet(ThreadingHTTPServer):
    request_queue_size = 256

    def handle_error(self, request: object, address: object) -> None:
        """A client that is killed in mid-request is what these tests are about."""


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
            behaviour = server.behaviour(received)
            if isinstance(behaviour, Fault):
                self.close_connection = True
                self._fail(behaviour)
            else:
                self._answer(behaviour, len(behaviour.body))

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def _answer(self, response: HttpResponse, length: int) -> None:
            self.send_response(response.status)
            for name, value in ({"content-length": str(length)} | dict(response.headers)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)

        def _fail(self, fault: Fault) -> None:
            match fault:
                case Fault.HANG:
                    server.wait(30)
                case Fault.RESET:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                case Fault.HALF:
                    self._answer(answer(200, '{"messages": ['), 1000)
                case Fault.TRICKLE:
                    self._answer(answer(200, "{"), 1_000_000)
                    while not server.wait(TRICKLE_EVERY):
                        self.wfile.write(b" ")

        def log_message(self, *_: object) -> None:
            pass

    return Handler

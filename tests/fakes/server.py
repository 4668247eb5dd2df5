"""A server on a real socket: answers by a function, fails as it is told, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def told(status: int, said: object, **headers: str) -> Told:
    """An answer of text or JSON; headers with `_` for `-`."""
    body = said.encode() if isinstance(said, str) else json.dumps(said).encode()
    return Told(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


HANG = Told(0)
"""Take the request and say nothing until the server is closed."""
DROP = Told(-1)
"""Take the request and hang up."""


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: object, address: object) -> None:
        """A caller that is killed in mid-request is what these tests are about."""


class Server:
    """`with Server(answer) as server`: at `server.url`; what it was asked stands in `server.asked`."""

    def __init__(self, answer: Callable[[Asked], Told]) -> None:
        self._answer = answer
        self._faults: deque[Told] = deque()
        self._closing = threading.Event()
        self.asked: list[Asked] = []

    def then(self, *faults: Told) -> None:
        """Answer the next requests with these, one each."""
        self._faults.extend(faults)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, asked: Asked) -> Told:
        self.asked.append(asked)
        answer = self._faults.popleft() if self._faults else self._answer(asked)
        if answer is HANG:
            self._closing.wait(30)
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(handler) -> None:  # noqa: N805 - `self` is the server
                url = urlsplit(handler.path)
                body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in handler.headers.items()}
                answer = self.take(Asked(handler.command, url.path, dict(parse_qsl(url.query)), headers, body))
                if answer.status <= 0:
                    handler.close_connection = True
                    return
                handler.send_response(answer.status)
                for name, value in (answer.headers | {"content-length": str(len(answer.body))}).items():
                    handler.send_header(name, value)
                handler.end_headers()
                handler.wfile.write(answer.body)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(handler, *_: object) -> None:  # noqa: N805
                pass

        return Handler

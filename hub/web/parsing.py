"""uvicorn's parsing with two differences.

A request that asks for another protocol is read as HTTP/1.1, with its body: the parser leaves the body out, and would
read it as the next request. Java's HttpClient asks so (h2c) with everything that it sends without TLS.

Bytes that are no HTTP are refused, but not in the place of an answer: what was taken in before them is answered first.
"""

from __future__ import annotations

from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_UPGRADE = b"upgrade"


class ParsedHttpProtocol(HttpToolsProtocol):
    """One connection, as far as its bytes are read."""

    is_broken = False
    """What still comes is no HTTP: it is thrown away, and the connection ends after the last answer."""
    at_work: Any = None
    """The request that is being answered, or was last."""

    def feed(self, data: bytes | memoryview) -> None:
        """Parse the bytes."""
        self._unset_keepalive_if_required()
        while data and not self.is_broken:
            try:
                self.parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = self._head_without_upgrade() + bytes(data[upgrade.args[0] :])
            except httptools.HttpParserError:
                self._refuse_bytes()

    def on_headers_complete(self) -> None:
        if not self._asks_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if not self._asks_upgrade():
            super().on_message_complete()

    def _asks_upgrade(self) -> bool:
        """The head is parsed again without that."""
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _head_without_upgrade(self) -> bytes:
        if not self._asks_upgrade():  # CONNECT, which is refused; what follows is not for us
            return b""
        version = self.parser.get_http_version().encode()
        fields = [(name, value) for name, value in self.scope["headers"] if name != _UPGRADE]
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version), *map(b": ".join, fields)]
        return b"\r\n".join((*lines, b"", b""))

    def _refuse_bytes(self) -> None:
        words = "Invalid HTTP request received."
        self.logger.warning(words)
        last = self.last_whole()
        if last is None or last.response_complete:
            self.send_400_response(words)
        else:
            last.keep_alive = False
        self.is_broken = True

    def last_whole(self) -> Any:
        """The newest request that came whole, where one is to be answered; one behind it that did not is dropped."""
        newest: Any = self.cycle
        if newest is None or newest.response_complete or not newest.more_body:
            return newest
        if not self.pipeline:
            return None  # the bytes are of its own body
        self.pipeline.popleft()
        self.cycle = self.pipeline[0][0] if self.pipeline else self.at_work
        return self.cycle

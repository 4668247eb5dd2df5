"""The load: signed WhatsApp webhooks over keep-alive connections, closed (as fast as answered) or open (at a rate).

Its own process, so that on two cores the server has one for itself. Latency in an open run counts from the moment a
request was due, not from when a busy client got round to it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import uvloop


@dataclass
class Result:
    """What was seen: seconds of latency of each answered request, and what was not answered 200."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1000


class Webhooks:
    """Signed webhook requests, each with a message id of its own; about 900 bytes of body."""

    def __init__(self, path: str, secret: str, senders: int = 2000, mark: str = "") -> None:
        self._secret = secret.encode()
        self._head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n".encode()
        self._mark = mark or secrets.token_hex(4)
        self._senders = senders
        self.made = 0

    def native(self, n: int) -> str:
        """The message id of request n."""
        return f"wamid.{self._mark}{n:010d}"

    def next(self) -> bytes:
        n, self.made = self.made, self.made + 1
        body = self._body(n)
        sign = hmac.digest(self._secret, body, "sha256").hex()
        return b"%sx-hub-signature-256: sha256=%s\r\ncontent-length: %d\r\n\r\n%s" % (
            self._head, sign.encode(), len(body), body,
        )  # fmt: skip

    def _body(self, n: int) -> bytes:
        phone = f"62812{n % self._senders:08d}"
        text = f"Lampu jalan di depan SD Negeri {n % 97} padam sejak tiga malam, mohon segera diperbaiki. Laporan {n}. "
        return json.dumps({
            "object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [{"field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
                "contacts": [{"profile": {"name": "Warga Contoh"}, "wa_id": phone}],
                "messages": [{"from": phone, "id": self.native(n), "timestamp": str(int(time.time())),
                              "type": "text", "text": {"body": text + "Terima kasih. " * 24}}],
            }}]}],
        }).encode()  # fmt: skip


class _Connection(asyncio.Protocol):
    """One keep-alive connection; `answered` is called with the status of each answer."""

    def __init__(self, answered: Callable[[_Connection, int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def send(self, request: bytes, at: float) -> None:
        self.sent_at = at
        self.transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) >= length:
            self._buffer = rest[length:]
            self._answered(self, int(head[9:12]))


async def closed(host: str, port: int, webhooks: Webhooks, seconds: float, connections: int = 32) -> Result:
    """Each connection sends its next request when the last was answered."""
    result, loop = Result(), asyncio.get_running_loop()
    until = time.perf_counter() + seconds
    left = connections
    done = loop.create_future()

    def answered(connection: _Connection, status: int) -> None:
        nonlocal left
        t = time.perf_counter()
        if status == 200:
            result.latencies.append(t - connection.sent_at)
        else:
            result.refused += 1
        if t < until:
            connection.send(webhooks.next(), t)
            return
        left -= 1
        if not left:
            done.set_result(None)

    made = [await loop.create_connection(lambda: _Connection(answered), host, port) for _ in range(connections)]
    start = time.perf_counter()
    for _, connection in made:
        connection.send(webhooks.next(), time.perf_counter())
    await done
    result.seconds = time.perf_counter() - start
    for transport, _ in made:
        transport.close()
    return result


async def open_(host: str, port: int, webhooks: Webhooks, rate: float, seconds: float) -> Result:
    """So many requests a second, whatever the answers do."""
    result, loop = Result(), asyncio.get_running_loop()
    free: list[_Connection] = []

    def answered(connection: _Connection, status: int) -> None:
        if status == 200:
            result.latencies.append(time.perf_counter() - connection.sent_at)
        else:
            result.refused += 1
        free.append(connection)

    start, total = time.perf_counter(), int(rate * seconds)
    for n in range(total):
        due = start + n / rate
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        while free and free[-1].transport.is_closing():  # the server lets idle ones go
            free.pop()
        if not free:
            free.append((await loop.create_connection(lambda: _Connection(answered), host, port))[1])
        free.pop().send(webhooks.next(), due)
    while len(result.latencies) + result.refused < total and time.perf_counter() < start + seconds + 30:
        await asyncio.sleep(0.01)
    result.seconds = time.perf_counter() - start
    for connection in free:
        connection.transport.close()
    return result


def run_closed(port: int, webhooks: Webhooks, seconds: float, connections: int = 32) -> Result:
    """`closed` on a loop of its own."""
    return uvloop.run(closed("127.0.0.1", port, webhooks, seconds, connections))


def run_open(port: int, webhooks: Webhooks, rate: float, seconds: float) -> Result:
    """`open_` on a loop of its own."""
    return uvloop.run(open_("127.0.0.1", port, webhooks, rate, seconds))


def digest_of(secret: str, body: bytes) -> str:
    """What `X-Hub-Signature-256` says."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

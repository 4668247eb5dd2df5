"""The load: signed WhatsApp webhooks over kept connections, in a closed loop (as fast as they are answered) or an open
one (at a rate).

It runs in a process of its own, so that on two cores the server has one for itself. In an open loop latency counts from
the moment at which a request was due, also where the client was late.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import uvloop


@dataclass
class Result:
    """The latency in seconds of each request that was answered 200, and how many were not."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    refused: int = 0

    def all_taken(self) -> Result:
        """Itself. Raises where a request was not answered 200."""
        if self.refused:
            raise RuntimeError(f"{self.refused} requests were not answered 200")
        return self

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def quantile(self, q: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1000


class Webhooks:
    """Signed webhook requests, each with a message of its own, or with `items` of them; a message takes some 900 bytes.
    Their senders come in turn."""

    def __init__(self, path: str, secret: str, senders: int = 2000, mark: str = "", items: int = 1) -> None:
        self._secret = secret.encode()
        self._head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n".encode()
        self._mark = mark or secrets.token_hex(4)
        self._senders, self._items = senders, items
        self.made = 0
        """Messages."""

    def native(self, n: int) -> str:
        """The id of message n."""
        return f"wamid.{self._mark}{n:010d}"

    def next(self) -> bytes:
        first, self.made = self.made, self.made + self._items
        body = self.body(range(first, self.made))
        signature = hmac.digest(self._secret, body, "sha256").hex()
        return b"%sx-hub-signature-256: sha256=%s\r\ncontent-length: %d\r\n\r\n%s" % (
            self._head, signature.encode(), len(body), body,
        )  # fmt: skip

    def body(self, numbers: Iterable[int]) -> bytes:
        """One webhook with these messages."""
        changes = [{"field": "messages", "value": self._value(n)} for n in numbers]
        entry = {"id": "102290129340398", "changes": changes}
        return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()

    def _value(self, n: int) -> dict[str, Any]:
        phone = f"62812{n % self._senders:08d}"
        text = f"Lampu jalan di depan SD Negeri {n % 97} padam sejak tiga malam, mohon segera diperbaiki. Laporan {n}. "
        message = {
            "from": phone, "id": self.native(n), "timestamp": str(int(time.time())), "type": "text",
            "text": {"body": text + "Terima kasih. " * 24},
        }  # fmt: skip
        return {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"},
            "contacts": [{"profile": {"name": "Warga Contoh"}, "wa_id": phone}],
            "messages": [message],
        }


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


async def closed_loop(host: str, port: int, webhooks: Webhooks, seconds: float, connections: int = 32) -> Result:
    """Each connection sends its next request once the last was answered."""
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


async def open_loop(host: str, port: int, webhooks: Webhooks, rate: float, seconds: float) -> Result:
    """So many requests a second, however fast they are answered."""
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
        while free and free[-1].transport.is_closing():  # the server closes idle ones
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
    """`closed_loop`, run by itself."""
    return uvloop.run(closed_loop("127.0.0.1", port, webhooks, seconds, connections))


def run_open(port: int, webhooks: Webhooks, rate: float, seconds: float) -> Result:
    """`open_loop`, run by itself."""
    return uvloop.run(open_loop("127.0.0.1", port, webhooks, rate, seconds))


def run_one(port: int, webhooks: Webhooks) -> float:
    """Seconds until one request was answered 200."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        request, answer = webhooks.next(), b""
        start = time.perf_counter()
        connection.sendall(request)
        while b"\r\n\r\n" not in answer:
            answer += connection.recv(4096)
        seconds = time.perf_counter() - start
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"answered with {answer[:16]!r}")
    return seconds

"""Attacks on a port that answers HTTP, each with what it does to memory, to a citizen's page, and to the attacker."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

PROXY = "127.0.0.2"
"""A named proxy of the hub; the attackers themselves come from 127.0.0.1."""
MIB = 2**20
SHA = "sha256=" + "0" * 64


@dataclass
class Target:
    """A server under attack."""

    port: int
    pid: int
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def memory(self) -> float:
        """Resident MiB."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * 4096 / MIB

    def connect(self, source: str = "127.0.0.1", wait: float = 5.0) -> socket.socket:
        """A connection whose calls wait so many seconds at most."""
        return socket.create_connection(("127.0.0.1", self.port), wait, (source, 0))

    def ask(self, request: bytes, source: str = PROXY) -> tuple[int, bytes]:
        """Status (0: none came) and what follows it, of a request that asks to be closed after it."""
        answer = b""
        with suppress(OSError), self.connect(source, 30.0) as connection:
            connection.sendall(request)
            while part := connection.recv(65536):
                answer += part
        return int(answer[9:12] or 0), answer

    def page(self) -> float:
        """Milliseconds until a citizen's page is there, by one try after the other."""
        start = time.perf_counter()
        while not self.ask(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")[0]:
            if time.perf_counter() - start > 60:
                return float("inf")
        return (time.perf_counter() - start) * 1000

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        """How far memory rises meanwhile, and how long a page takes then, as figures of this name."""
        before, highest, ended = self.memory, [0.0], threading.Event()

        def sample() -> None:
            while not ended.wait(0.02):
                highest[0] = max(highest[0], self.memory)

        sampling = threading.Thread(target=sample)
        sampling.start()
        try:
            yield
            self.figures[f"{name}: page, ms"] = self.page()
        finally:
            ended.set()
            sampling.join()
        self.figures[f"{name}: memory, MiB"] = max(0.0, highest[0] - before)


def pipelined(target: Target) -> None:
    """8 MB of requests on one connection whose answers are never read, three times; then normal work."""
    before = target.memory
    requests = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" * 300_000
    with target.measured("8 MB pipelined, unread"):
        for _ in range(3):
            with target.connect(wait=2.0) as connection:
                _send_for(connection, requests, 8.0)
                time.sleep(1)
    _work(target)
    target.figures["8 MB pipelined, unread: memory kept, MiB"] = max(0.0, target.memory - before)


def unsigned(target: Target) -> None:
    """150 webhooks of 3 MiB without a signature."""
    _large_bodies(target, "150 unsigned 3 MiB bodies", "")


def falsely_signed(target: Target) -> None:
    """150 webhooks of 3 MiB with the header of a signature."""
    _large_bodies(target, "150 falsely signed 3 MiB bodies", f"X-Hub-Signature-256: {SHA}\r\n")


def half_open(target: Target) -> None:
    """1,000 connections whose request never ends."""
    opened: list[socket.socket] = []
    with target.measured("1,000 half-open connections"):
        for _ in range(1_000):
            with suppress(OSError):
                opened.append(target.connect(wait=1.0))
                opened[-1].sendall(b"GET / HTTP/1.1\r\nHo")
    _close(opened)


def header_bombs(target: Target) -> None:
    """A header of 200 MB, two million headers, a trailer of 200 MB."""
    chunked = b"POST /in/sms HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: "
    with target.measured("header bombs"):
        for head, rest in (
            (b"GET /x HTTP/1.1\r\nHost: a\r\nX: ", b"a" * 200_000_000),
            (b"GET /x HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n" * 2_000_000),
            (chunked, b"a" * 200_000_000),
        ):
            with target.connect(wait=2.0) as connection:
                _send_for(connection, head + rest, 10.0)


def slow_bodies(target: Target) -> None:
    """1,500 connections of one address, each with the first byte of a body of 1 MB."""
    opened: list[socket.socket] = []
    with target.measured("1,500 slow bodies of one address"):
        for _ in range(1_500):
            with suppress(OSError):
                opened.append(target.connect(wait=1.0))
                head = f"POST /in/whatsapp HTTP/1.1\r\nHost: a\r\nX-Hub-Signature-256: {SHA}\r\n"
                opened[-1].sendall(f"{head}Content-Length: 1000000\r\n\r\nx".encode())
        time.sleep(1)
    target.figures["1,500 slow bodies of one address: refused"] = sum(_is_answered(one) for one in opened)
    _close(opened)


def guesses(target: Target) -> None:
    """Last four digits of one report from 300 addresses, with noise from 2,000 others between; then the right token."""
    number, token = _file_report(target)
    tried = Counter(_track(target, number, f"198.51.{n % 300 // 250}.{n % 250}", f"phone={n:04d}") for n in range(600))
    for n in range(2_000):
        _track(target, f"{n:010d}", f"203.0.{n // 250}.{n % 250}", "phone=0000")
    tried += Counter(_track(target, number, f"192.0.{n // 250}.{n % 250}", f"phone={n:04d}") for n in range(600, 1_200))
    target.figures["1,200 guesses at last four digits: checked"] = 1_200 - tried[429]
    target.figures["the reporter's token afterwards: status"] = _track(target, number, "192.0.2.9", f"token={token}")


WEBHOOKS: tuple[Callable[[Target], None], ...] = (
    pipelined, unsigned, falsely_signed, half_open, header_bombs, slow_bodies,
)  # fmt: skip
"""Those that any HTTP server can be measured with."""


def _large_bodies(target: Target, name: str, header: str) -> None:
    opened: list[socket.socket] = []
    head = f"POST /in/whatsapp HTTP/1.1\r\nHost: a\r\n{header}Content-Length: 3145728\r\n\r\n".encode()
    with target.measured(name):
        for _ in range(150):
            opened.append(target.connect(wait=0.3))
            _send_for(opened[-1], head + b"x" * 3_000_000, 0.5)
    target.figures[f"{name}: refused"] = sum(_is_answered(one) for one in opened)
    _close(opened)


def _file_report(target: Target) -> tuple[str, str]:
    body = json.dumps({"text": "Lampu jalan padam di depan pasar", "phone": "0812-0000-7319"}).encode()
    head = b"POST /api/v1/reports HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nPrefer: wait=20\r\n"
    status, answer = target.ask(head + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    if status not in {200, 201, 202}:
        raise RuntimeError(f"a report was answered with {status}")
    filed = json.loads(answer.partition(b"\r\n\r\n")[2])
    return filed["number"], filed["token"]


def _track(target: Target, number: str, address: str, query: str) -> int:
    head = f"GET /api/v1/reports/{number}?{query} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\n"
    return target.ask(f"{head}Connection: close\r\n\r\n".encode())[0]


def _send_for(connection: socket.socket, data: bytes, seconds: float) -> None:
    """As much as is taken in that time."""
    until, view = time.monotonic() + seconds, memoryview(data)
    with suppress(OSError):
        while view and time.monotonic() < until:
            view = view[connection.send(view[:65536]) :]


def _is_answered(connection: socket.socket) -> bool:
    """Answered or closed."""
    connection.settimeout(0.01)
    try:
        connection.recv(16)
    except TimeoutError:
        return False
    except OSError:
        return True
    return True


def _close(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()
    time.sleep(1)


def _work(target: Target) -> None:
    """Normal work: pages one after the other."""
    for _ in range(300):
        target.page()

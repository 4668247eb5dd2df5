"""Ports that nobody listens on just now, and whether somebody does.

They lie below those that systems give to outgoing connections: between the choice and the start of its server, such a
connection could take one.
"""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import ExitStack
from random import SystemRandom

PORTS = range(10_000, 32_000)


def free_port() -> int:
    """One that is free."""
    return free_ports(1)[0]


def free_ports(pairs: int) -> list[int]:
    """So many ports that are free together with the one after each."""
    found: list[int] = []
    with ExitStack() as held:
        while len(found) < pairs:
            with ExitStack() as pair:
                try:
                    port = SystemRandom().choice(PORTS)
                    for one in (port, port + 1):
                        pair.enter_context(socket.socket()).bind(("127.0.0.1", one))
                except OSError:
                    continue
                held.push(pair.pop_all())
                found.append(port)
    return found


def wait_until_open(port: int, process: subprocess.Popen[bytes], log: str, within: float = 180.0) -> None:
    """Until somebody listens there; AssertionError with the end of the log where the process died or took too long."""
    until = time.monotonic() + within
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"nothing listens on port {port} (exit {process.poll()}):\n{log}")

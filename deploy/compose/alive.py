"""The container's health check: exit 0 when `/healthz` of this container says 200. Nothing but the standard library."""

import socket
import sys

HOST, PORT = "127.0.0.1", 8080
WITHIN = 4.0
"""Seconds."""


def alive(host: str, port: int) -> bool:
    """Does the hub answer there?"""
    try:
        with socket.create_connection((host, port), WITHIN) as asked:
            asked.sendall(f"GET /healthz HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            return b" 200 " in asked.recv(64)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not alive(HOST, PORT))

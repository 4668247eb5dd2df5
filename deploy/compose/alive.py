"""The container's health check: exit 0 when `/healthz` answers 200, on the inside port where there is one."""

import os
import socket
import sys

TIMEOUT = 4.0
"""Seconds."""


def is_alive(port: int) -> bool:
    """Does the hub answer on this port?"""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT) as connection:
            connection.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


if __name__ == "__main__":
    address = os.environ.get("SATUPINTU_INSIDE") or os.environ["SATUPINTU_LISTEN"]
    sys.exit(not is_alive(int(address.rpartition(":")[2])))

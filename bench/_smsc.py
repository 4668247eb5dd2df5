"""A centre in a process of its own: it delivers parts of long texts, so many at a time without a response.

    python -m bench._smsc PORT PARTS WINDOW

It prints the seconds from the first part that it wrote to the last response, once all are acknowledged.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import cast

import uvloop

from connectors._smpp_pdu import (
    DELIVER_SM,
    RESPONSE,
    Pdu,
    ShortMessage,
    decode_pdu,
    encode_message,
    encode_pdu,
    take_frames,
)

TOTAL = 3
BLOCK = 30
"""Texts whose parts come mixed."""
WORDS = "Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh minggu ini, tolong diperbaiki. " * 2
BINDS = frozenset({0x01, 0x02, 0x09})
DELIVERED = DELIVER_SM | RESPONSE


def parts(count: int) -> list[bytes]:
    """So many deliver_sm, numbered from 1."""
    found: list[bytes] = []
    for first in range(0, count // TOTAL + BLOCK, BLOCK):
        for number in range(1, TOTAL + 1):
            for text in range(first, first + BLOCK):
                header = bytes((5, 0, 3, text & 0xFF, TOTAL, number))
                message = ShortMessage(
                    f"62812{text:07}", "1708", 1, 1, 3, esm_class=0x40, text=header + WORDS[:153].encode()
                )
                found.append(encode_pdu(Pdu(DELIVER_SM, 0, len(found) + 1, encode_message(message))))
    return found[:count]


class Centre(asyncio.Protocol):
    """One connection; all parts go over the first that receives."""

    waiting: list[bytes] = []  # noqa: RUF012 - one process, one run
    window = 0
    began = 0.0
    count = acknowledged = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        out: list[bytes] = []
        for frame in take_frames(self._buffer):
            pdu = decode_pdu(frame)
            if pdu.command == DELIVERED:
                Centre.acknowledged += 1
                out += self._next(1)
            elif not pdu.is_response:
                system = b"pusat\0" if pdu.command in BINDS else b""
                out.append(encode_pdu(Pdu(pdu.command | RESPONSE, 0, pdu.sequence, system)))
                if pdu.command in BINDS - {0x02}:
                    Centre.began = time.monotonic()
                    out += self._next(self.window)
        self._transport.write(b"".join(out))
        if self.acknowledged == self.count and self.began:
            print(time.monotonic() - self.began, flush=True)
            Centre.began = 0.0

    def _next(self, count: int) -> list[bytes]:
        found = self.waiting[-count:]
        del self.waiting[-count:]
        return found[::-1]


async def main(port: int, count: int, window: int) -> None:
    """Serve until ended."""
    Centre.waiting, Centre.count, Centre.window = parts(count)[::-1], count, window
    server = await asyncio.get_running_loop().create_server(Centre, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:4])))

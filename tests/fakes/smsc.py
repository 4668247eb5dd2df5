"""An operator's centre: SMPP 3.4 over TCP, in the loop of the test. It obeys the tests, not a network."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Self

from connectors._smpp_pdu import (
    DELIVER_SM,
    RESPONSE,
    SUBMIT_SM,
    Pdu,
    ShortMessage,
    decode_message,
    decode_pdu,
    encode_message,
    encode_pdu,
    take_frames,
)

BINDS = {0x01: "receiver", 0x02: "transmitter", 0x09: "transceiver"}
UNBIND, ENQUIRE_LINK = 0x06, 0x15


class Smsc:
    """`async with Smsc() as smsc`: settings take `smsc.host`.

    `smsc.deliver(…)` sends a message over every connection that receives, until it is taken; `smsc.sent` are the
    messages that it took.
    """

    def __init__(self, password: str = "sandi", window: int = 1000) -> None:
        self.messages: list[Pdu] = []
        """To be delivered, from position 1."""
        self.taken: set[int] = set()
        """Positions that were acknowledged."""
        self.answers: list[Pdu] = []
        """The responses to deliveries."""
        self.sent: list[ShortMessage] = []
        self.refusals: deque[int] = deque()
        """Statuses of the next responses to submit_sm."""
        self.bind_status = 0
        self.silent = False
        """Takes messages and answers nothing."""
        self.deaf = False
        """Answers no enquire_link and no unbind."""
        self.tls: ssl.SSLContext | None = None
        self.requests: list[Pdu] = []
        """Every request that came."""
        self.id_of: Callable[[int], str] = lambda number: f"smsc-{number}"
        self.links: dict[asyncio.StreamWriter, str] = {}
        """Bound connections with their kind."""
        self._password = password
        self._window = window
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()
        self._server.close()
        await self._server.wait_closed()

    def deliver(self, *bodies: bytes | ShortMessage, command: int = DELIVER_SM) -> None:
        """More messages."""
        for body in bodies:
            self.messages.append(Pdu(command, 0, 0, encode_message(body) if isinstance(body, ShortMessage) else body))
        self._changed.set()

    def write(self, *pdus: Pdu) -> None:
        """These, as they are, over every connection."""
        for writer in self.links:
            writer.write(b"".join(map(encode_pdu, pdus)))

    def hang_up(self, kind: str | None = None) -> None:
        """Close every connection, or those of one kind."""
        for writer, bound in list(self.links.items()):
            if kind in {None, bound}:
                writer.transport.abort()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns once the condition holds."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer, tasks = bytearray(), []
        try:
            while data := await reader.read(65536):
                buffer += data
                for frame in take_frames(buffer):
                    pdu = decode_pdu(frame)
                    if pdu.command in BINDS and self._bound(writer, pdu) and pdu.command != 0x02:
                        tasks.append(asyncio.create_task(self._deliver(writer)))
                    else:
                        writer.write(b"".join(map(encode_pdu, self._answers(pdu))))
                self._changed.set()
        except OSError:
            pass
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.links.pop(writer, None)
            self._changed.set()
            writer.close()

    def _bound(self, writer: asyncio.StreamWriter, pdu: Pdu) -> bool:
        password = pdu.body.split(b"\0")[1]
        status = self.bind_status or (0 if password.decode() == self._password else 0x0E)
        writer.write(encode_pdu(Pdu(pdu.command | RESPONSE, status, pdu.sequence, b"pusat\0" if not status else b"")))
        if not status:
            self.links[writer] = BINDS[pdu.command]
        return not status

    async def _deliver(self, writer: asyncio.StreamWriter) -> None:
        """Every message that nobody took, in order; the position is the sequence number."""
        written: set[int] = set()
        while True:
            waiting = [n for n in range(1, len(self.messages) + 1) if n not in self.taken and n not in written]
            room = self._window - len(written - self.taken)
            for number in waiting[: max(room, 0)]:
                pdu = self.messages[number - 1]
                writer.write(encode_pdu(pdu._replace(sequence=number)))
                written.add(number)
            seen = len(self.messages), len(self.taken)
            await self.until(lambda seen=seen: (len(self.messages), len(self.taken)) != seen)

    def _answers(self, pdu: Pdu) -> Iterator[Pdu]:
        if pdu.command == DELIVER_SM | RESPONSE or pdu.command == 0x80000103:
            self.answers.append(pdu)
            if not pdu.status:
                self.taken.add(pdu.sequence)
        if pdu.command & RESPONSE:
            return
        self.requests.append(pdu)
        if pdu.command == SUBMIT_SM:
            yield from self._submitted(pdu)
        elif pdu.command in {UNBIND, ENQUIRE_LINK} and not self.deaf:
            yield Pdu(pdu.command | RESPONSE, 0, pdu.sequence)

    def _submitted(self, pdu: Pdu) -> Iterator[Pdu]:
        status = self.refusals.popleft() if self.refusals else 0
        if not status:
            self.sent.append(decode_message(pdu))
        if not self.silent:
            id = b"" if status else self.id_of(len(self.sent)).encode() + b"\0"
            yield Pdu(SUBMIT_SM | RESPONSE, status, pdu.sequence, id)

"""One bound connection: requests and their responses, the window, enquire_link, unbind.

A request that was written and gets no response in time is `Unanswered`. Deliveries are handed on as bytes and are
acknowledged by `acknowledge`, never here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from connectors._session import BeforeArrival, unmarked
from connectors._smpp_codes import OK, WRONG_COMMAND, WRONG_LENGTH, bind_verdict
from connectors._smpp_pdu import (
    ALERT_NOTIFICATION,
    DATA_SM,
    DELIVER_SM,
    ENQUIRE_LINK,
    GENERIC_NACK,
    OUTBIND,
    RESPONSE,
    SUBMIT_SM,
    UNBIND,
    Pdu,
    decode_pdu,
    encode_cstring,
    encode_pdu,
    take_frames,
)
from connectors._smpp_settings import BindMode, ConnectionSettings, SmppSettings
from schemas import AccountFault, Reject, Retry, Unanswered

CONNECT_WITHIN = 10.0
UNBIND_WITHIN = 1.0
"""Seconds; a session has two to close."""
UNREAD = 4 * 1024 * 1024
"""Bytes that wait to be read by the other side; more, and it is dead."""
VERSION = 0x34
Deliver = Callable[["SmppConnection", Pdu, bytes], None]
"""Takes a deliver_sm or data_sm with its bytes; it does not wait."""


@asynccontextmanager
async def open_bound_link(
    endpoint: ConnectionSettings, settings: SmppSettings, deliver: Deliver
) -> AsyncIterator[SmppConnection]:
    """A connection that is bound; it is unbound on leaving. Raises Retry or AccountFault."""
    try:
        async with asyncio.timeout(CONNECT_WITHIN):
            streams = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=_tls(settings))
    except ssl.SSLCertVerificationError:
        raise AccountFault("certificate_not_trusted", "set tls_ca to the operator's certificate") from None
    except (OSError, TimeoutError, UnicodeError):
        raise Retry("no connection") from None
    link = SmppConnection(*streams, endpoint.role, settings, deliver)
    try:
        await link.bind()
        yield link
    finally:
        await link.close()


def _tls(settings: SmppSettings) -> ssl.SSLContext | None:
    try:
        return ssl.create_default_context(cafile=settings.tls_ca or None) if settings.tls else None
    except OSError:
        raise AccountFault("wrong_tls_ca", "tls_ca is no file of certificates") from None


def _future() -> asyncio.Future[Pdu]:
    return asyncio.get_running_loop().create_future()


class SmppConnection:
    """An open connection. It works until `ended` is done, whose result says why."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, role: BindMode, settings: SmppSettings,
        deliver: Deliver,
    ) -> None:  # fmt: skip
        self.role = role
        self.taken: Counter[bytes] = Counter()
        """How often each content was acknowledged over this connection; with its number, in which turn it was."""
        self.ended: asyncio.Future[Retry | AccountFault] = asyncio.get_running_loop().create_future()
        self._reader, self._writer, self._settings, self._deliver = reader, writer, settings, deliver
        self._window = asyncio.Semaphore(settings.window)
        self._responses: dict[int, asyncio.Future[Pdu]] = {}
        self._sequence = 0
        self._received = 0
        self._tasks = [asyncio.create_task(self._read())]

    @property
    def is_open(self) -> bool:
        return not self.ended.done()

    async def bind(self) -> None:
        """Raises Retry or AccountFault."""
        own = self._settings
        login = encode_cstring(own.system_id) + encode_cstring(own.password.reveal()) + encode_cstring(own.system_type)
        body = login + bytes((VERSION, 0, 0)) + encode_cstring(own.address_range)
        try:
            response = await self.request(self.role, body, CONNECT_WITHIN)
        except Unanswered:
            raise Retry("no response to the bind") from None
        if response.status != OK:
            raise bind_verdict(response.status).error()
        self._tasks.append(asyncio.create_task(self._enquire()))

    async def submit(self, body: bytes, before: BeforeArrival = unmarked) -> Pdu:
        """The response to a submit_sm; `before` is awaited before it is written. Raises Retry where nothing was
        written, else Unanswered."""
        try:
            async with asyncio.timeout(self._settings.answer_within):
                await self._window.acquire()
        except TimeoutError:
            raise Retry("the window is full: the centre does not answer") from None
        try:
            await before()
            return await self.request(SUBMIT_SM, body, self._settings.answer_within)
        finally:
            self._window.release()

    async def request(self, command: int, body: bytes, within: float) -> Pdu:
        """The response to a request. Raises Retry where nothing was written, else Unanswered."""
        if not self.is_open:
            raise Retry("the connection is closed")
        self._sequence = sequence = self._sequence % 0x7FFFFFFF + 1
        responded = self._responses[sequence] = _future()
        try:
            self._write(encode_pdu(Pdu(command, 0, sequence, body)))
            async with asyncio.timeout(within):
                return await responded
        except (TimeoutError, OSError):
            raise Unanswered("no response: it may have arrived") from None
        finally:
            del self._responses[sequence]

    def acknowledge(self, deliveries: Iterable[Pdu], status: int = OK) -> None:
        """Answer deliver_sm and data_sm."""
        if self.is_open:
            self._write(b"".join(encode_pdu(Pdu(d.command | RESPONSE, status, d.sequence, b"\0")) for d in deliveries))

    async def close(self) -> None:
        """Unbind, shortly, and close."""
        if self.is_open:
            with contextlib.suppress(Retry):
                await self.request(UNBIND, b"", UNBIND_WITHIN)
        self._end(Retry("the session was closed"))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _write(self, data: bytes) -> None:
        self._writer.write(data)
        if self._writer.transport.get_write_buffer_size() > UNREAD:
            self._end(Retry("the other side reads nothing"))

    def _end(self, reason: Retry | AccountFault) -> None:
        if self.is_open:
            self.ended.set_result(reason)
        self._writer.transport.abort() if self._writer.transport.get_write_buffer_size() else self._writer.close()
        for responded in self._responses.values():
            if not responded.done():
                responded.set_exception(ConnectionResetError())

    async def _read(self) -> None:
        buffer = bytearray()
        try:
            while data := await self._reader.read(64 * 1024):
                self._received += 1
                buffer += data
                for frame in take_frames(buffer):
                    self._handle(decode_pdu(frame), frame)
            self._end(Retry("the connection broke"))
        except Reject as reject:
            self._write(encode_pdu(Pdu(GENERIC_NACK, WRONG_LENGTH)))
            self._end(Retry(f"the centre sends no PDUs: {reject.reason}"))
        except OSError:
            self._end(Retry("the connection broke"))

    def _handle(self, pdu: Pdu, frame: bytes) -> None:
        if pdu.is_response:
            responded = self._responses.get(pdu.sequence)
            if responded and not responded.done():
                responded.set_result(pdu)
        elif pdu.command in {DELIVER_SM, DATA_SM}:
            self._deliver(self, pdu, frame)
        elif pdu.command == ENQUIRE_LINK:
            self._write(encode_pdu(Pdu(ENQUIRE_LINK | RESPONSE, OK, pdu.sequence)))
        elif pdu.command == UNBIND:
            self._write(encode_pdu(Pdu(UNBIND | RESPONSE, OK, pdu.sequence)))
            self._end(Retry("the centre unbinds"))
        elif pdu.command not in {ALERT_NOTIFICATION, OUTBIND}:
            self._write(encode_pdu(Pdu(GENERIC_NACK, WRONG_COMMAND, pdu.sequence)))

    async def _enquire(self) -> None:
        """A connection over which nothing came for a while is asked whether it lives."""
        while self.is_open:
            before = self._received
            await asyncio.sleep(self._settings.enquire_every)
            if self._received == before:
                try:
                    await self.request(ENQUIRE_LINK, b"", self._settings.answer_within)
                except Retry:
                    self._end(Retry("no response to enquire_link"))

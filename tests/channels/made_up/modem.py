"""A made-up channel that holds a session: JSON lines over TCP.

client                             provider
{"login": PASSWORD, "after": N}    {"welcome": true} | {"error": CODE}
{"taken": N}                       {"deliver": N, "item": {…}}, until it is taken
{"submit": REF, "to", "text"}      {"answer": REF, "id" | "error": CODE}
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from connectors import (
    Connects,
    Intake,
    ProviderConnections,
    RenewedSecret,
    Request,
    Secret,
    SentReply,
    Session,
    Settings,
    Speaks,
)
from connectors._json import decode_object, string_of
from schemas import AccountFault, Reject, Reply, Retry, Unanswered
from tests.channels.made_up.items import CODES, Items

LOGIN_WITHIN = 10.0
"""Seconds."""


class ModemSettings(Settings, frozen=True, kw_only=True):
    host: str = "127.0.0.1"
    port: int = 0
    password: Secret = Secret("")
    answer_within: float = 30.0
    """Seconds."""


class Modem(Items, Connects, Speaks):
    kind = "modem"
    settings_type = ModemSettings
    outbound_settings = ("port",)

    @property
    def carries_reference(self) -> bool:
        return True

    def connect(
        self, intake: Intake, cursor: str | None, renewed: RenewedSecret | None = None
    ) -> AbstractAsyncContextManager[Session]:
        return self._connected(intake, cursor)

    @asynccontextmanager
    async def _connected(self, intake: Intake, cursor: str | None) -> AsyncIterator[Session]:
        self.require_outbound()
        try:
            reader, writer = await asyncio.open_connection(self.settings.host, self.settings.port)
        except OSError:
            raise Retry("no connection") from None
        session = ModemSession(reader, writer, intake)
        try:
            await self._log_in(session, cursor)
            yield session
        finally:
            session.close()

    async def _log_in(self, session: ModemSession, cursor: str | None) -> None:
        try:
            async with asyncio.timeout(LOGIN_WITHIN):
                await session.log_in(self.settings.password.reveal(), cursor)
        except TimeoutError:
            raise Retry("no answer to the login") from None

    async def send(self, reply: Reply, outbound: ProviderConnections) -> SentReply:
        if not isinstance(outbound.session, ModemSession):
            raise Retry("no session")
        return SentReply((await outbound.session.submit(reply, self.settings.answer_within),))


class ModemSession(Session):
    """An open connection, logged in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, intake: Intake) -> None:
        self._reader, self._writer, self._intake = reader, writer, intake
        self._submitted: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def log_in(self, password: str, cursor: str | None) -> None:
        """Raises Retry or AccountFault."""
        await self._write({"login": password, "after": int(cursor or 0)})
        answer = await self._read()
        if "error" in answer:
            error = CODES[string_of(answer, "error")].error()
            raise error if isinstance(error, AccountFault) else Retry("the provider refuses the session")

    async def run(self) -> None:
        while True:
            line = await self._read()
            if (number := line.get("deliver")) is not None:
                body = msgspec.json.encode({"items": [line["item"]]})
                await self._intake([Request(body=body)], str(number))
                await self._write({"taken": number})
            elif (submitted := self._submitted.get(string_of(line, "answer"))) and not submitted.done():
                submitted.set_result(line)

    async def submit(self, reply: Reply, within: float) -> str:
        """The provider's id. Raises Retry, Unanswered, AccountFault or Reject."""
        if self._writer.is_closing():
            raise Retry("the connection is closed")
        answered = self._submitted[reply.id] = asyncio.get_running_loop().create_future()
        try:
            await self._write({"submit": reply.id, "to": reply.to, "text": reply.text})
            async with asyncio.timeout(within):
                answer = await answered
        except (TimeoutError, OSError):
            raise Unanswered("no answer: it may have arrived") from None
        finally:
            del self._submitted[reply.id]
        if "error" in answer:
            verdict = CODES.get(string_of(answer, "error"))
            raise verdict.error() if verdict else Reject("modem_error", "see the provider's list of codes")
        return string_of(answer, "id")

    def close(self) -> None:
        """Ends the connection; submits without an answer may have arrived."""
        self._writer.close()
        for answered in self._submitted.values():
            if not answered.done():
                answered.set_exception(ConnectionResetError())

    async def _write(self, line: dict[str, Any]) -> None:
        self._writer.write(msgspec.json.encode(line) + b"\n")
        await self._writer.drain()

    async def _read(self) -> dict[str, Any]:
        try:
            line = await self._reader.readline()
        except (OSError, ValueError):
            line = b""
        if not line:
            self.close()
            raise Retry("the connection broke")
        return decode_object(line) or {}

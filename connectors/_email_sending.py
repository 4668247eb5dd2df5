"""The way out of a session: a few connections to the sending server, kept open between answers."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from connectors._email_compose import OutgoingMail
from connectors._email_oauth import TokenSource
from connectors._email_settings import EmailSettings
from connectors._email_smtp import announce_mail, hang_up, open_connection, write_mail
from connectors._session import BeforeArrival
from schemas import AccountFault, Retry, Unanswered

AT_ONCE = 4
KEPT_OPEN = 20.0
"""Seconds that an idle connection is used again."""


class MailSender:
    """Sends the mails of one account, so many at a time."""

    def __init__(self, settings: EmailSettings, tokens: TokenSource) -> None:
        self._settings, self._tokens = settings, tokens
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="smtp")
        self._idle: list[tuple[smtplib.SMTP, float]] = []
        self._open: set[smtplib.SMTP] = set()

    async def send(self, mail: OutgoingMail, before_arrival: BeforeArrival) -> None:
        """Raises Retry, Unanswered, AccountFault or Reject."""
        loop = asyncio.get_running_loop()

        def deliver(smtp: smtplib.SMTP) -> None:
            data = announce_mail(smtp, mail)
            asyncio.run_coroutine_threadsafe(_awaited(before_arrival), loop).result()
            write_mail(smtp, data, self._settings.answer_within)

        await self._with_token(deliver)

    async def check(self) -> None:
        """Log in. Raises Retry or AccountFault."""
        await self._with_token(lambda _: None)

    async def close(self) -> None:
        """Close all connections; what is being sent is cut off."""
        for smtp, _ in self._idle:
            self._threads.submit(hang_up, smtp)
        for smtp in self._open - {smtp for smtp, _ in self._idle}:
            if smtp.sock is not None:
                with suppress(OSError):
                    socket.socket.shutdown(smtp.sock, socket.SHUT_RDWR)
        self._idle.clear()
        await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)

    async def _with_token(self, work: Callable[[smtplib.SMTP], None]) -> None:
        token = await self._tokens.token()
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, self._connected, work, token)
        except AccountFault as fault:
            if fault.code == "wrong_password":
                self._tokens.forget()
            raise

    def _connected(self, work: Callable[[smtplib.SMTP], None], token: str) -> None:
        smtp, is_new = self._connection(token)
        try:
            work(smtp)
        except Unanswered:
            self._drop(smtp)
            raise
        except Retry:
            self._drop(smtp)
            if is_new:
                raise
        except BaseException:
            self._drop(smtp)
            raise
        else:
            self._idle.append((smtp, time.monotonic()))
            return
        self._connected(work, token)  # a connection that was kept may have been closed by the server

    def _connection(self, token: str) -> tuple[smtplib.SMTP, bool]:
        """An open connection; True: it is a new one."""
        with suppress(IndexError):  # another thread may take the last one between a look and the taking
            while True:
                smtp, since = self._idle.pop()
                if time.monotonic() - since < KEPT_OPEN:
                    return smtp, False
                self._drop(smtp)
        smtp = open_connection(self._settings, token)
        self._open.add(smtp)
        return smtp, True

    def _drop(self, smtp: smtplib.SMTP) -> None:
        self._open.discard(smtp)
        hang_up(smtp)


async def _awaited(work: BeforeArrival) -> None:
    await work()

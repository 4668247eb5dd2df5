"""The session of a mailbox: it reads what is new after its cursor, waits for more, and sends answers.

The cursor is the mailbox, UIDVALIDITY and UID (`_email_cursor.py`). Where the server numbers its mails anew, all are
read again; the matcher knows them by their own ids. A mail is marked only once it is stored; the cursor names the last
ones that are to be marked, so that the session after a break marks them. The library blocks, so each mailbox has a
thread of its own, and a deadline for each call after which the connection is broken off from outside.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from connectors._email_compose import OutgoingMail
from connectors._email_cursor import MailCursor, id_set, mailbox_of
from connectors._email_imap import CONNECT_WITHIN, READ_WITHIN, FetchedMail, Mailbox, Refused
from connectors._email_oauth import TokenSource
from connectors._email_sending import MailSender
from connectors._email_settings import EmailSettings
from connectors._http import Http
from connectors._port import Intake, Session
from connectors._request import Request
from connectors._session import BeforeArrival, RenewedSecret
from schemas import AccountFault, Retry

FIRST_IDLE = 15.0
"""Seconds of the first waiting after news: a mail that came during the last command was announced then, to nobody."""
CALL_WITHIN = 300.0
"""Seconds of any call, the transfer of a batch included."""
LOOKED_AT = 500
MAILS_AT_ONCE, BYTES_AT_ONCE = 100, 8 * 1024 * 1024
BROKEN_OFF = 5
"""Times that the connection may break while the same mail is fetched; then it is left to people."""
CLOSE_WITHIN = 3.0
UID, VALIDITY, AT, SIZE, NOT_GIVEN = "uid", "uid-validity", "internal-date", "full-size", "not-given"
"""Headers of the request that a mail is."""
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass
class Suspects:
    """Mails during whose transfer the connection broke. Lives longer than a session."""

    singly_up_to: int = 0
    broke: Counter[int] = field(default_factory=Counter)
    marked: str = ""
    """The cursor whose mails were marked: a person may have taken the mark away since."""


@asynccontextmanager
async def open_session(
    settings: EmailSettings, intake: Intake, cursor: str | None, suspects: Suspects,
    renewed: RenewedSecret | None = None,
) -> AsyncIterator[EmailSession]:  # fmt: skip
    """Log in and select the folder. Raises Retry or AccountFault."""
    async with Http() as http:
        session = EmailSession(settings, intake, TokenSource(settings, http, renewed), suspects, cursor)
        try:
            await session.open()
            yield session
        finally:
            await session.close()


class EmailSession(Session):
    """An open mailbox, and the way out."""

    def __init__(
        self, settings: EmailSettings, intake: Intake, tokens: TokenSource, suspects: Suspects, cursor: str | None
    ) -> None:
        self._settings, self._intake, self._tokens, self._suspects = settings, intake, tokens, suspects
        self._own, saved = mailbox_of(settings), MailCursor.parse(cursor)
        if saved.mailbox not in {"", self._own}:  # of the mailbox that the account had before
            saved, cursor = MailCursor(), ""
        self._validity, self._uid, self._cursor = saved.validity, saved.uid, cursor or ""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._mailbox: Mailbox | None = None
        self._sender = MailSender(settings, tokens)

    async def open(self) -> None:
        """Raises Retry or AccountFault."""
        token = await self._tokens.token()
        self._mailbox = await self._call(Mailbox, self._settings, within=CONNECT_WITHIN + READ_WITHIN)
        try:
            await self._call(self._mailbox.log_in, token)
        except AccountFault:
            self._tokens.forget()
            raise
        await self._select()
        if 0 < self._mailbox.uid_next <= self._uid:  # a mailbox that was made anew, though its UIDVALIDITY is the same
            self._uid, self._cursor = 0, ""
        if self._cursor != self._suspects.marked:
            await self._mark(self._cursor)

    async def run(self) -> None:
        idle = FIRST_IDLE
        while True:
            while await self._take_all():
                idle = FIRST_IDLE
            await self._wait(min(idle, self._settings.idle_for))
            await self._select()
            idle *= 2

    async def close(self) -> None:
        """Log out, or break off what hangs."""
        await self._sender.close()
        if (mailbox := self._mailbox) is not None:
            closing = asyncio.wrap_future(self._thread.submit(mailbox.close, politely=True))
            if not (await asyncio.wait([closing], timeout=CLOSE_WITHIN))[0]:
                mailbox.break_off()
                await asyncio.wait([closing], timeout=CLOSE_WITHIN)
        self._thread.shutdown(wait=False)

    async def send(self, mail: OutgoingMail, before_arrival: BeforeArrival) -> None:
        """Returns once the sending server has it. Raises Retry, Unanswered, AccountFault or Reject."""
        await self._sender.send(mail, before_arrival)

    async def check(self) -> Sequence[str]:
        mailbox = self._opened
        waits = "IDLE" if mailbox.has_idle else f"asked every {self._settings.poll_every:.0f} s, it has no IDLE"
        found = [f"logged in; the folder holds {mailbox.count} mails; {waits}"]
        if self._settings.since:
            taken = len(await self._call(mailbox.uids_after, 0))
            found.append(f"{taken} of them came since {self._settings.since} and are taken in")
        if self._settings.smtp:
            await self._sender.check()
            found.append("the sending server takes our login")
        if not self._settings.trusted_server:
            found.append("no sender counts as proven: set trusted_server once your own server checks DKIM and DMARC")
        return found

    @property
    def _opened(self) -> Mailbox:
        if self._mailbox is None:
            raise Retry("the connection broke")
        return self._mailbox

    async def _select(self) -> None:
        await self._call(self._opened.select)
        if self._opened.uid_validity != self._validity:
            self._validity, self._uid, self._cursor = self._opened.uid_validity, 0, ""

    async def _wait(self, seconds: float) -> None:
        mailbox = self._opened
        if not mailbox.has_idle:
            await asyncio.sleep(self._settings.poll_every)
            return
        try:
            await self._call(mailbox.idle, seconds, within=seconds + READ_WITHIN)
        except Refused:
            raise Retry("the mail server spoke before IDLE began", after=1.0) from None

    async def _take_all(self) -> bool:
        """Take in what is new. False: nothing was, or the server lists it and does not have it."""
        mailbox, found = self._opened, False
        try:
            news = await self._call(mailbox.uids_after, self._uid)
            for at in range(0, len(news), LOOKED_AT):
                sizes = await self._call(mailbox.sizes, news[at : at + LOOKED_AT])
                found = found or bool(sizes)
                await self._take_groups(list(_groups(sizes, self._suspects.singly_up_to)), sizes)
        except Refused as refused:
            raise Retry(f"the mail server refuses a command: {refused}") from None
        return found

    async def _take_groups(self, groups: Sequence[list[int]], sizes: Mapping[int, int]) -> None:
        """One group is fetched while the one before it is stored."""
        storing: asyncio.Task[None] | None = None
        try:
            for group in groups:
                mails = await self._fetched(group, sizes)
                if storing:
                    await storing
                storing = asyncio.create_task(self._take_in(mails, group[-1]))
            if storing:
                await storing
        finally:
            if storing and not storing.done():
                await asyncio.wait([storing], timeout=CLOSE_WITHIN)
                storing.cancel()
                await asyncio.gather(storing, return_exceptions=True)

    async def _fetched(self, uids: list[int], sizes: Mapping[int, int]) -> list[FetchedMail]:
        """The mails; one that cannot be had stands there without its bytes."""
        if len(uids) == 1 and self._suspects.broke[uids[0]] >= BROKEN_OFF:
            return [FetchedMail(uids[0], sizes[uids[0]], None, None)]
        try:
            return await self._call(self._opened.fetch, uids, sizes)
        except Retry:
            if len(uids) == 1:
                self._suspects.broke[uids[0]] += 1
            else:
                self._suspects.singly_up_to = uids[-1]
            raise
        except Refused:
            if len(uids) == 1:
                return [FetchedMail(uids[0], sizes[uids[0]], None, None)]
        return [mail for uid in uids for mail in await self._fetched([uid], sizes)]

    async def _take_in(self, mails: Sequence[FetchedMail], last: int) -> None:
        """Store, move the cursor, then mark."""
        requests = [as_request(mail, self._validity) for mail in mails]
        given = id_set([mail.uid for mail in mails if mail.body is not None])
        cursor = str(MailCursor(self._validity, last, given, self._own))
        await self._intake(requests, cursor)
        self._uid = last
        await self._mark(cursor)

    async def _mark(self, cursor: str) -> None:
        if ids := MailCursor.parse(cursor).unmarked:
            try:
                await self._call(self._opened.mark, ids)
            except Refused:
                log.warning("the mail server does not let mails be marked as taken in")
        self._suspects.marked = cursor

    async def _call(self, work: Callable[..., T], *args: Any, within: float = CALL_WITHIN) -> T:
        """Run it in the mailbox's thread. Raises Retry where it takes too long."""
        future = asyncio.wrap_future(self._thread.submit(work, *args))
        done = False
        try:
            done = bool((await asyncio.wait([future], timeout=within))[0])
        finally:
            if not done:
                await self._break_off(future)
        if not done:
            raise Retry("the mail server does not answer")
        return future.result()

    async def _break_off(self, future: asyncio.Future[Any]) -> None:
        if self._mailbox is not None:
            self._mailbox.break_off()
        await asyncio.wait([future], timeout=CLOSE_WITHIN)
        if future.done() and not future.cancelled() and not future.exception() and isinstance(future.result(), Mailbox):
            future.result().close(politely=False)


def as_request(mail: FetchedMail, validity: int) -> Request:
    """The request that a mail is."""
    headers = {UID: str(mail.uid), VALIDITY: str(validity)}
    if mail.at is not None:
        headers[AT] = mail.at.isoformat()
    if mail.body is None:
        return Request(headers=headers | {NOT_GIVEN: "yes"})
    cut = {SIZE: str(mail.size)} if len(mail.body) < mail.size and len(mail.body) >= CUT_OVER else {}
    return Request(headers=headers | cut, body=mail.body)


CUT_OVER = 64 * 1024
"""Bytes; the size that a server names of a smaller mail may be wrong, but the mail is whole."""


def _groups(sizes: Mapping[int, int], singly_up_to: int) -> Iterator[list[int]]:
    """Mails that are fetched together, in order."""
    group: list[int] = []
    size = 0
    for uid in sorted(sizes):
        full = len(group) >= MAILS_AT_ONCE or size + sizes[uid] > BYTES_AT_ONCE
        if group and (full or uid <= singly_up_to):
            yield group
            group, size = [], 0
        group.append(uid)
        size += sizes[uid]
    if group:
        yield group

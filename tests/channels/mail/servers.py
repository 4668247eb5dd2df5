"""A mail server in the loop of the test: the commands that the channel uses of IMAP and SMTP, with their faults."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import deque
from collections.abc import Callable
from email import message_from_bytes
from typing import Any, Self

from aiosmtpd import smtp as aiosmtpd_smtp
from aiosmtpd.smtp import AuthResult, Envelope

VALIDITY = 1755482400
_LITERAL = re.compile(rb"\{(\d+)\}$")


class MailServer:
    """`async with MailServer() as server`: `server.port` is its IMAP, `server.smtp_port` its SMTP.

    `mails` are those of the mailbox by UID, `seen` and `moved` what was done with them, `sent` what the SMTP side took.
    """

    def __init__(self, password: str = "sandi-surel") -> None:
        self.password = password
        self.mails: dict[int, bytes] = {}
        self.validity = VALIDITY
        self.next_uid = 1
        self.seen: set[int] = set()
        self.moved: dict[int, str] = {}
        self.sent: list[Envelope] = []
        self.refusals: deque[tuple[str, str]] = deque()
        """Stage and answer of the next mails: ("RCPT", "550 5.1.1 no such user")."""
        self.refused: dict[str, str] = {}
        """Answers to commands of the mailbox: {"SELECT": "NO [INUSE] wait"}."""
        self.silent = False
        """Takes a mail and answers nothing."""
        self.spoiled: set[int] = set()
        """UIDs for which FETCH is answered with NO."""
        self.ghosts: set[int] = set()
        """UIDs that SEARCH lists and FETCH does not know."""
        self.breaks_on: set[int] = set()
        """UIDs at which the connection breaks."""
        self.capabilities = "IMAP4rev1 IDLE UIDPLUS MOVE AUTH=XOAUTH2"
        self.sessions = self.connections = 0
        self.commands: list[str] = []
        self.changed = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._transports: set[Any] = set()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._imap = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._imap.sockets[0].getsockname()[1]
        self._smtp = await loop.create_server(lambda: _Smtp(self), "127.0.0.1", 0)
        self.smtp_port = self._smtp.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hang_up()
        for server in (self._imap, self._smtp):
            server.close()
            await server.wait_closed()

    def bring(self, *mails: bytes) -> None:
        """More mails in the mailbox."""
        for mail in mails:
            self.mails[self.next_uid] = mail
            self.next_uid += 1
        self._note()

    def renumber(self) -> None:
        """A new UIDVALIDITY, and new UIDs with it."""
        self.validity += 1
        mails, self.mails, self.next_uid = list(self.mails.values()), {}, 100
        self.bring(*mails)

    def hang_up(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.transport.abort()
        for transport in self._transports:
            transport.abort()

    async def until(self, condition: Callable[[], Any]) -> None:
        """Returns once the condition holds."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    def _note(self) -> None:
        self.changed.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        session = _ImapSession(self, reader, writer)
        try:
            await session.run()
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            self.sessions -= session.logged_in
            self._writers.discard(writer)
            self._note()
            writer.close()


class _ImapSession:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self.logged_in = False
        self._reported = 0

    async def run(self) -> None:
        self._say(f"* OK [CAPABILITY {self._server.capabilities}] ready")
        while line := await self._line():
            tag, _, command = line.partition(" ")
            self._server.commands.append(command)
            if command.upper().startswith("IDLE"):
                await self._idle(tag)
            elif not await self._answer(tag, command):
                return
            self._server._note()

    async def _line(self) -> str:
        line = await self._reader.readline()
        while found := _LITERAL.search(line.rstrip(b"\r\n")):
            self._say("+ go on")
            line = line.rstrip(b"\r\n")[: found.start()] + await self._reader.readexactly(int(found[1]))
            line += await self._reader.readline()
        return line.decode("latin-1").strip()

    def _say(self, *lines: str | bytes) -> None:
        for line in lines:
            self._writer.write((line if isinstance(line, bytes) else line.encode("latin-1")) + b"\r\n")

    async def _answer(self, tag: str, command: str) -> bool:
        word = command.upper()
        server = self._server
        if refusal := server.refused.get(word.partition(" ")[0]):
            self._say(f"{tag} {refusal}")
        elif word.startswith("CAPABILITY"):
            self._say(f"* CAPABILITY {server.capabilities}", f"{tag} OK done")
        elif word.startswith("AUTHENTICATE"):
            self._say("+ ")
            self._log_in(tag, base64.b64decode(await self._line()).decode())
        elif word.startswith("LOGIN"):
            self._log_in(tag, command)
        elif word.startswith(("SELECT", "EXAMINE")):
            self._reported = len(server.mails)
            counted = [f"UIDVALIDITY {server.validity}"] * bool(server.validity) + [f"UIDNEXT {server.next_uid}"]
            found = (f"* {len(server.mails)} EXISTS", *(f"* OK [{one}] ok" for one in counted), f"{tag} OK done")
            self._say(*(found if "nihil" not in command else (f"{tag} NO no such folder",)))
        elif word.startswith("UID SEARCH"):
            first = int(re.search(r"UID (\d+):\*", word)[1])  # type: ignore[index]
            last = max(server.mails, default=0)
            uids = [str(uid) for uid in (*server.mails, *server.ghosts) if uid >= first or uid == last]
            self._say(f"* SEARCH {' '.join(uids)}".rstrip(), f"{tag} OK done")
        elif word.startswith("UID FETCH"):
            return self._fetch(tag, word)
        elif word.startswith(("UID STORE", "UID MOVE")):
            self._take(tag, command)
        elif word.startswith("LIST"):
            self._say(f"{tag} OK done")
        elif word.startswith("LOGOUT"):
            self._say("* BYE", f"{tag} OK done")
            return False
        else:
            self._say(f"{tag} OK done")
        return True

    def _log_in(self, tag: str, command: str) -> None:
        if self._server.password not in command:
            self._say(f"{tag} NO [AUTHENTICATIONFAILED] no")
            return
        self.logged_in = True
        self._server.sessions += 1
        self._say(f"{tag} OK done")

    def _fetch(self, tag: str, word: str) -> bool:
        server = self._server
        uids = [uid for uid in _uids(word.split()[2]) if uid in server.mails]
        if "SIZE" in word:
            self._say(*(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(server.mails[uid])})" for uid in uids))
        elif server.breaks_on & set(uids):
            self._writer.transport.abort()
            return False
        elif server.spoiled & set(uids):
            self._say(f"{tag} NO [SERVERBUG] cannot")
            return True
        else:
            part = re.search(r"<0\.(\d+)>", word)
            for uid in uids:
                body = server.mails[uid][: int(part[1]) if part else None]
                name = "BODY[]<0>" if part else "BODY[]"
                at = 'INTERNALDATE "18-Aug-2025 09:00:00 +0700"'
                self._say(f"* {uid} FETCH (UID {uid} {at} {name} {{{len(body)}}}".encode(), body + b")")
        self._say(f"{tag} OK done")
        return True

    def _take(self, tag: str, command: str) -> None:
        words = command.split()
        for uid in _uids(words[2]):
            if words[1].upper() == "STORE":
                self._server.seen.add(uid)
            else:
                self._server.moved[uid] = command.split(None, 3)[3].strip('"')
                self._server.mails.pop(uid, None)
        self._say(f"{tag} OK done")

    async def _idle(self, tag: str) -> None:
        self._say("+ idling")
        done = asyncio.create_task(self._line())
        while not done.done():
            self._server.changed.clear()
            changed = asyncio.create_task(self._server.changed.wait())
            await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED, timeout=0.05)
            changed.cancel()
            if len(self._server.mails) > self._reported:
                self._reported = len(self._server.mails)
                self._say(f"* {self._reported} EXISTS")
        if done.result().upper() == "DONE":
            self._say(f"{tag} OK done")
        else:
            raise EOFError


def _uids(written: str) -> list[int]:
    found: list[int] = []
    for piece in written.split(","):
        first, _, last = piece.partition(":")
        found += range(int(first), int(last or first) + 1)
    return found


class _Smtp(aiosmtpd_smtp.SMTP):
    """aiosmtpd's server with our password, our faults and our memory."""

    def __init__(self, server: MailServer) -> None:
        super().__init__(
            _Handler(server), hostname="surel.example", enable_SMTPUTF8=True, auth_require_tls=False,
            authenticator=lambda *given: AuthResult(
                success=given[4].password.decode() == server.password, handled=False
            ),
        )  # fmt: skip
        self._server = server

    def connection_made(self, transport: Any) -> None:
        self._server._transports.add(transport)
        self._server.connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Any) -> None:
        self._server._transports.discard(self.transport)
        super().connection_lost(error)


class _Handler:
    def __init__(self, server: MailServer) -> None:
        self._server = server

    def _refusal(self, stage: str) -> str | None:
        refusals = self._server.refusals
        return refusals.popleft()[1] if refusals and refusals[0][0] == stage else None

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        right = self._server.password in base64.b64decode(args[1]).decode()
        return AuthResult(success=right, handled=False, auth_data=b"surel")

    async def handle_MAIL(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        address = "" if address == "<>" else address
        if answer := self._refusal("MAIL" if address else "NULL"):
            return answer
        envelope.mail_from = address or "<>"
        envelope.mail_options.extend(options)
        return "250 ok"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, options: list[str]) -> str:
        if answer := self._refusal("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        if answer := self._refusal("DATA"):
            return answer
        self._server.sent.append(envelope)
        self._server._note()
        if self._server.silent:
            await asyncio.Event().wait()
        return "250 2.0.0 taken"


def ids_of(server: MailServer) -> list[str]:
    """The Message-IDs of what was sent."""
    return [message_from_bytes(envelope.original_content)["message-id"].strip("<>") for envelope in server.sent]

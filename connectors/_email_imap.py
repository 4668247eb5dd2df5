"""A mailbox by IMAP, blocking: all of it is called in one thread of its own. Foreign errors stop here."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import IMAPClientError, LoginError

from connectors._email_connecting import connection_fault, tls_context, unusable_password
from connectors._email_settings import EmailSettings
from schemas import AccountFault, Retry

CONNECT_WITHIN = 20.0
READ_WITHIN = 60.0
"""Seconds without a byte."""
BEGINNING = 1024 * 1024
"""Bytes that are taken of a mail over the account's limit."""
_SIZE, _AT = b"RFC822.SIZE", b"INTERNALDATE"
_PASSES = re.compile(
    r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]|too many simultaneous connections|authenticated but not connected"
    r"|server unavailable|bandwidth limits",
    re.IGNORECASE,
)
"""Words of a refusal that passes by itself: RFC 5530, Gmail, Microsoft 365."""
P = ParamSpec("P")
T = TypeVar("T")


class Refused(Exception):  # noqa: N818 - the word of the protocol
    """The server answers NO or BAD, or nonsense, to one command; the connection lives."""


class FetchedMail(NamedTuple):
    """A mail as the server gives it."""

    uid: int
    size: int
    at: datetime | None
    body: bytes | None
    """None: the server cannot give it."""


def _foreign_errors(act: Callable[Concatenate[Mailbox, P], T]) -> Callable[Concatenate[Mailbox, P], T]:
    """Raise Retry for what breaks the connection, and Refused for what does not."""

    def guarded(self: Mailbox, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return act(self, *args, **kwargs)
        except (IMAPClient.AbortError, OSError):
            raise Retry("the connection broke") from None
        except (IMAPClientError, ValueError, LookupError, TypeError, AssertionError) as error:
            if self.is_broken:
                raise Retry("the connection broke") from None
            raise Refused(type(error).__name__) from None

    return guarded


class Mailbox:
    """An open connection with its folder selected."""

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self.is_broken = False
        self.uid_validity = self.uid_next = 0
        """0: the server does not say."""
        self.count = 0
        self.has_idle = False
        try:
            self._client = self._connected()
        except (OSError, IMAPClientError) as error:
            raise Retry(connection_fault(error, "mail server", "imap")) from None

    def _connected(self) -> IMAPClient:
        server = self._settings.imap_server
        context = tls_context(self._settings)
        timeout: Any = SocketTimeout(connect=CONNECT_WITHIN, read=READ_WITHIN)
        client = IMAPClient(server.host, server.port, ssl=server.tls, ssl_context=context, timeout=timeout)
        client.normalise_times = False
        self._socket: socket.socket = client.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if not server.tls and not server.is_local:
            if not client.has_capability("STARTTLS"):
                client.shutdown()
                raise AccountFault("not_encrypted", "the mail server offers no encryption: use imaps://")
            client.starttls(context)
            self._socket = client.socket()
        return client

    def log_in(self, token: str) -> None:
        """With the token, else the password. Raises AccountFault or Retry."""
        name = self._settings.login_name
        try:
            if token:
                self._client.oauth2_login(name, token)
            else:
                self._client.login(name, self._settings.password.reveal())
        except LoginError as error:
            if _PASSES.search(str(error)):
                raise Retry("the mail server takes no login now") from None
            raise AccountFault(
                "wrong_password", "the mailbox refuses username and password, or the token of oauth"
            ) from None
        except UnicodeError:
            raise unusable_password() from None
        except (OSError, IMAPClientError, ValueError):
            raise Retry("the connection broke") from None

    def select(self) -> None:
        """Select the folder. Raises AccountFault or Retry."""
        wrong = "the folder of this account cannot be opened: check folder"
        try:
            found = self._client.select_folder(self._settings.folder, readonly=self._settings.after == "leave")
            self.count = int(found[b"EXISTS"])
            self.uid_validity, self.uid_next = (int(found.get(name, 0)) for name in (b"UIDVALIDITY", b"UIDNEXT"))
            self.has_idle = bool(self._client.has_capability("IDLE"))
            done = self._settings.done_folder
            if self._settings.after == "move" and not self._client.folder_exists(done):
                wrong = f'done_folder cannot be made: check it, some servers want it within INBOX, as "INBOX.{done}"'
                self._client.create_folder(done)
        except (IMAPClient.AbortError, OSError):
            raise Retry("the connection broke") from None
        except (IMAPClientError, LookupError, ValueError) as error:
            if _PASSES.search(str(error)):
                raise Retry("the mail server opens no folder now") from None
            raise AccountFault("no_folder", wrong) from None

    @_foreign_errors
    def uids_after(self, uid: int) -> list[int]:
        """The ids of the mails after this one, in order."""
        criteria: list[Any] = ["UID", f"{uid + 1}:*"]
        if self._settings.since:
            criteria += ["SINCE", date.fromisoformat(self._settings.since)]
        return sorted(found for found in self._client.search(criteria) if found > uid)

    @_foreign_errors
    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """Bytes of each mail; one that is gone is missing."""
        found = self._client.fetch(uids, [_SIZE])
        return {uid: int(fields.get(_SIZE, 0)) for uid, fields in found.items()}

    @_foreign_errors
    def fetch(self, uids: Sequence[int], sizes: dict[int, int]) -> list[FetchedMail]:
        """The mails that are still there, unread as before; of those over the limit the beginning."""
        large = [uid for uid in uids if sizes[uid] > self._settings.largest]
        small = [uid for uid in uids if uid not in large]
        found: dict[int, Any] = {}
        for some, item in ((small, "BODY.PEEK[]"), (large, f"BODY.PEEK[]<0.{BEGINNING}>")):
            if some:
                found |= self._client.fetch(some, [item, _AT])
        return [FetchedMail(uid, sizes[uid], _aware(f.get(_AT)), _body(f)) for uid, f in sorted(found.items())]

    @_foreign_errors
    def mark(self, uids: str) -> None:
        """Say that these are taken in, as the account wants it. `uids` as IMAP writes them: 201:251,253."""
        if self._settings.after == "seen":
            self._client.add_flags(uids, [b"\\Seen"], silent=True)
        elif self._settings.after == "move":
            self._move(uids)

    def _move(self, uids: str) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move(uids, self._settings.done_folder)
            return
        self._client.copy(uids, self._settings.done_folder)
        self._client.add_flags(uids, [b"\\Deleted"], silent=True)
        if self._client.has_capability("UIDPLUS"):  # without it EXPUNGE would delete what others have marked
            self._client.uid_expunge(uids)

    @_foreign_errors
    def idle(self, seconds: float) -> None:
        """Return when there may be news, or after so many seconds."""
        self._client.idle()
        self._client.idle_check(timeout=seconds)
        if self.is_broken:
            raise OSError
        self._client.idle_done()

    @_foreign_errors
    def noop(self) -> None:
        """Ask whether the server lives."""
        self._client.noop()

    def break_off(self) -> None:
        """End whatever waits for the server, from another thread."""
        self.is_broken = True
        with suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self, *, politely: bool) -> None:
        """Close the connection; `politely`: say so before."""
        with suppress(Exception):
            if politely and not self.is_broken:
                self._client.logout()
        with suppress(Exception):
            self._client.shutdown()


def _body(fields: dict[bytes, Any]) -> bytes | None:
    found: Iterable[Any] = (value for name, value in fields.items() if name.startswith(b"BODY[]"))
    body = next(iter(found), None)
    return body if isinstance(body, bytes) else None


def _aware(at: object) -> datetime | None:
    return at.astimezone(UTC) if isinstance(at, datetime) and at.tzinfo else None

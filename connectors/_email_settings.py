"""The settings of an e-mail account."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec

from connectors._settings import Secret, Settings, require_zone

Seconds = Annotated[float, msgspec.Meta(gt=0)]
_PORTS = {"imaps": 993, "imap": 143, "smtps": 465, "smtp": 587}
_OAUTH = frozenset({"token_url", "client_id", "client_secret", "refresh_token", "scope"})


class Server(NamedTuple):
    """Where a server answers."""

    host: str
    port: int
    tls: bool
    """From the first byte on; else STARTTLS where the server is another machine."""

    @property
    def is_local(self) -> bool:
        """On this machine, where nobody listens in."""
        return self.host in {"localhost", "127.0.0.1", "::1"}


class EmailSettings(Settings, frozen=True, kw_only=True):
    imap: str = ""
    """Where mail is read: imaps://imap.example.go.id:993, or imap:// with STARTTLS."""
    smtp: str = ""
    """Where answers go out: smtps://smtp.example.go.id:465, or smtp:// with STARTTLS."""
    username: str = ""
    """Of both servers; empty: the address."""
    password: Secret = Secret("")
    """Of both servers; an app password where the provider has such."""
    oauth: dict[str, Secret] = msgspec.field(default_factory=dict)
    """XOAUTH2 in the place of a password: token_url, client_id, client_secret, scope, and refresh_token where a person
    gave consent; without it the client's own credentials are used. A refresh_token that the provider
    renews is kept in the record, until another one is set."""
    address: str = ""
    """The account's own address, as citizens write to it; answers come from it."""
    name: str = ""
    """Shown beside the address in answers."""
    aliases: list[str] = msgspec.field(default_factory=list)
    """Other addresses whose mail ends in this mailbox."""
    folder: str = "INBOX"
    """The folder that is read."""
    after: Literal["seen", "move", "leave"] = "seen"
    """Once a mail is stored durably: mark it as read, move it to `done_folder`, or leave it as it is."""
    done_folder: str = "Satu Pintu"
    """With `after = "move"`; created where it is missing."""
    since: str = ""
    """YYYY-MM-DD: mail that reached the mailbox before is left alone; empty: all is read."""
    trusted_server: str = ""
    """Name that our own mail server gives itself in Authentication-Results (Google: mx.google.com; "unnamed" where it
    gives none, as Microsoft 365); empty: no sender is proven."""
    envelope: Literal["auto", "address", "null"] = "auto"
    """Envelope sender of answers; auto: none for automatic answers, the address for an officer's."""
    largest: Annotated[int, msgspec.Meta(ge=64 * 1024)] = 35 * 1024 * 1024
    """Bytes; of a larger mail only the beginning is taken."""
    idle_for: Annotated[float, msgspec.Meta(gt=0, le=540)] = 540.0
    """Seconds of waiting for news before the server is asked whether it lives."""
    poll_every: Seconds = 60.0
    """Seconds between two looks at a mailbox whose server has no IDLE."""
    answer_within: Seconds = 120.0
    """Seconds that the sending server has to confirm a mail; one without may have arrived and is not sent again."""
    tls_ca: str = ""
    """File with the certificates that are trusted; empty: the system's."""
    zone: str = "Asia/Jakarta"
    """Of a time that came without one."""

    @property
    def imap_server(self) -> Server:
        """Where mail is read."""
        return server_of(self.imap)

    @property
    def smtp_server(self) -> Server:
        """Where answers go out."""
        return server_of(self.smtp)

    @property
    def login_name(self) -> str:
        """The name for both logins."""
        return self.username or self.address

    @property
    def own_addresses(self) -> frozenset[str]:
        """Every address of this mailbox, in lower case."""
        return frozenset(a.lower() for a in (self.address, self.login_name, *self.aliases) if "@" in a)

    def __post_init__(self) -> None:
        for name, schemes in (("imap", ("imaps", "imap")), ("smtp", ("smtps", "smtp"))):
            if url := getattr(self, name):
                _check_server(name, url, schemes)
        if self.address and "@" not in self.address.strip("@"):
            raise ValueError("address takes an e-mail address, as pengaduan@example.go.id")
        if wrong := self.oauth.keys() - _OAUTH:
            raise ValueError(f"oauth knows no {min(wrong)}: it takes {', '.join(sorted(_OAUTH))}")
        require_zone(self.zone)
        try:
            _ = date.fromisoformat(self.since or "2000-01-01")
        except ValueError:
            raise ValueError("since takes a date, as 2026-01-31") from None


def server_of(url: str) -> Server:
    """The server at a checked address."""
    parts = urlsplit(url)
    return Server(parts.hostname or "", parts.port or _PORTS[parts.scheme], parts.scheme in {"imaps", "smtps"})


def _check_server(name: str, url: str, schemes: tuple[str, str]) -> None:
    example = f"{schemes[0]}://mail.example.go.id:{_PORTS[schemes[0]]}"
    try:
        parts = urlsplit(url)
        right = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        right = False
    if not right:
        raise ValueError(f"{name} takes an address without user, as {example}")

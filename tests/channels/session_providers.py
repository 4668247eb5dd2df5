"""Providers of the channels that hold a session, for `test_sessions.py`: the same handles on each."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from connectors._email_cursor import mailbox_of
from connectors._smpp_pdu import ShortMessage
from schemas import AccountFault, Reject, Retry
from tests.channels.mail.servers import VALIDITY, MailServer, ids_of
from tests.channels.recording import channel
from tests.fakes.modem import ModemServer
from tests.fakes.smsc import Smsc

Refusal = tuple[Any, type[Exception], float | None]
"""A code of the provider's, its error, and the seconds to wait."""


class ModemProvider(ModemServer):
    """The made-up provider."""

    kind = "modem"
    citizen = "Sari"
    first_cursor: ClassVar[str | None] = "1"
    """After one message."""
    codes: ClassVar[list[Refusal]] = [
        ("busy", Retry, None), ("quota", AccountFault, 3600), ("recipient", Reject, None), ("moon", Reject, None),
    ]  # fmt: skip

    @staticmethod
    def settings(port: int) -> dict[str, Any]:
        return {"port": port}

    def bring_text(self, text: str) -> None:
        self.bring({"id": str(len(self.items) + 1), "from": self.citizen, "text": text})

    @property
    def ids(self) -> list[str]:
        return [f"modem-{number}" for number in range(1, len(self.sent) + 1)]


class SmscProvider(Smsc):
    """An operator's centre."""

    kind = "smpp"
    citizen = "+6281200000001"
    first_cursor: ClassVar[str | None] = None
    codes: ClassVar[list[Refusal]] = [
        (0x58, Retry, 1.0), (0x14, Retry, 5.0), (0x0A, AccountFault, None), (0x0B, Reject, None), (0x4FF, Reject, None),
    ]  # fmt: skip

    def __init__(self) -> None:
        super().__init__("sandi-8x")

    @staticmethod
    def settings(port: int) -> dict[str, Any]:
        return {"hosts": [f"127.0.0.1:{port}"]}

    @property
    def sessions(self) -> int:
        return len(self.links)

    def bring_text(self, text: str) -> None:
        self.deliver(ShortMessage(self.citizen.removeprefix("+"), "1708", 1, 1, text=text.encode()))

    @property
    def ids(self) -> list[str]:
        return [self.id_of(number) for number in range(1, len(self.sent) + 1)]


class MailProvider(MailServer):
    """A mail server."""

    kind = "email"
    citizen = "sari@warga.example"
    first_cursor: ClassVar[str | None] = (
        f"{VALIDITY}:1:1/{mailbox_of(channel('email', imap='imap://127.0.0.1').settings)}"
    )
    codes: ClassVar[list[Refusal]] = [
        (("RCPT", "450 4.2.1 busy"), Retry, None), (("RCPT", "550 5.4.5 limit"), AccountFault, 3600),
        (("RCPT", "550 5.1.1 unknown"), Reject, None), (("DATA", "554 5.6.0 no"), Reject, None),
        (("DATA", "451 4.3.0 later"), Retry, None),
    ]  # fmt: skip
    _smtp_ports: ClassVar[dict[int, int]] = {}

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self._smtp_ports[self.port] = self.smtp_port
        return self

    @classmethod
    def settings(cls, port: int) -> dict[str, Any]:
        return {
            "imap": f"imap://127.0.0.1:{port}",
            "smtp": f"smtp://127.0.0.1:{cls._smtp_ports.get(port, port)}",
        }

    @property
    def taken(self) -> set[int]:
        return self.seen

    def bring_text(self, text: str) -> None:
        self.bring(f"From: {self.citizen}\r\nMessage-ID: <1@warga.example>\r\n\r\n{text}\r\n".encode())

    @property
    def ids(self) -> list[str]:
        return sorted(ids_of(self))


PROVIDERS: dict[str, Any] = {made.kind: made for made in (MailProvider, ModemProvider, SmscProvider)}

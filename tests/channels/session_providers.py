"""Providers of the channels that hold a session, for `test_sessions.py`: the same handles on each."""

from __future__ import annotations

from typing import Any, ClassVar

from connectors._smpp_pdu import ShortMessage
from schemas import AccountFault, Reject, Retry
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


PROVIDERS: dict[str, Any] = {made.kind: made for made in (ModemProvider, SmscProvider)}

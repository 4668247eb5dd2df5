"""How an account reaches its provider: a session that it holds, and where that hands over what it received."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from connectors._request import Request
from schemas import AccountFault

if TYPE_CHECKING:
    from connectors._http import Http


class Intake(Protocol):
    """Where a session hands over what it received."""

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        """Returns once the requests are durable and the cursor is saved; only then may the session acknowledge. Raises
        Retry where they are not, and `LeaseLost` where another process speaks for the account now."""
        ...


class LeaseLost(Exception):  # noqa: N818 - it says what happened
    """Another process holds the account's lease: stop at once, acknowledge nothing more."""


class RenewedSecret(Protocol):
    """The secret that the provider gave in the place of a configured one, sealed in the record: of all processes and
    of all sessions of the account."""

    async def load(self) -> str | None:
        """None: none was ever given. Raises Retry."""
        ...

    async def save(self, secret: str) -> None:
        """Returns once it is durable."""
        ...


class Session(ABC):
    """A connection that is open: bound, logged in, subscribed."""

    @abstractmethod
    async def run(self) -> None:
        """Receive until the connection ends. Raises Retry (connect again after a while) or AccountFault."""

    @property
    def partial_fault(self) -> AccountFault | None:
        """What one of its connections lacks while others work."""
        return None

    async def check(self) -> Sequence[str]:
        """The findings of a test of the account, for people; nothing is taken in. Raises Retry or AccountFault."""
        return ()


BeforeArrival = Callable[[], Awaitable[None]]


async def unmarked() -> None:
    """Nobody keeps a mark."""


@dataclass(frozen=True, slots=True)
class ProviderConnections:
    """How an account reaches its provider: by HTTP, and by its session."""

    http: Http
    session: Session | None = None
    """The account's open session; None for kinds that hold none, and while it is down."""
    before_arrival: BeforeArrival = unmarked
    """Stores durably that the reply may arrive from now on, for a kind that `marks_start`. Raises Retry: it must not be
    sent."""

"""A session that a channel holds with its provider, and where it hands over what it received."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from connectors._request import Request


class Intake(Protocol):
    """Where a session hands over what it received."""

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        """Returns once the requests are durable and the cursor is saved; only then may the session acknowledge. Raises
        Retry where they are not, and `LeaseLost` where another process speaks for the account now."""
        ...


class LeaseLost(Exception):  # noqa: N818 - it says what happened
    """Another process holds the account's lease: stop at once, acknowledge nothing more."""


class Session(ABC):
    """A connection that is open: bound, logged in, subscribed."""

    @abstractmethod
    async def run(self) -> None:
        """Receive until the connection ends. Raises Retry (connect again after a while) or AccountFault."""

    async def check(self) -> Sequence[str]:
        """The findings of a test of the account, for people; nothing is taken in. Raises Retry or AccountFault."""
        return ()

"""Where the secret lives on that a provider gave an account in the place of a configured one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from schemas import Retry
from sink.renewed_secrets import load_renewed_secret, save_renewed_secret

AGAIN_AFTER = 1.0
"""Seconds."""
log = logging.getLogger(__name__)


class AccountSecret:
    """As `connectors.RenewedSecret`, in the record. `call(f, …)` runs `f(record, …)` beside the event loop."""

    def __init__(
        self, call: Callable[..., Awaitable[Any]], account: str,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._call, self._account, self._sleep = call, account, sleep

    async def load(self) -> str | None:
        """None: none was ever given. Raises Retry."""
        found: str | None = await self._call(load_renewed_secret, self._account)
        return found

    async def save(self, secret: str) -> None:
        """Waits for the record: the provider may take the old one no more."""
        while True:
            try:
                await self._call(save_renewed_secret, self._account, secret)
            except Retry as fault:
                log.warning("account %s: its new secret is not stored yet: %s", self._account, fault.reason)
                await self._sleep(AGAIN_AFTER)
            else:
                return

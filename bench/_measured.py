"""The way of webhooks into the record, as another reader of the record sees it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench._load import Webhooks, open_loop
from bench._programs import SECRET
from schemas import message_id
from sink.vault import Vault

Watch = Callable[[int, float], Awaitable[dict[bytes, float]]]
"""Given how many WhatsApp messages to wait for, and for how many seconds: when each appeared, by its key."""


class TimedWebhooks(Webhooks):
    """Remembers when each message was sent."""

    def __init__(self) -> None:
        super().__init__("/in/whatsapp", SECRET, senders=10**7)
        self.sent: dict[str, float] = {}

    def next(self) -> bytes:
        native = self.native(self.made)
        request = super().next()
        self.sent[native] = time.perf_counter()
        return request


async def latencies(port: int, data: Path, watch: Watch, rate: float, seconds: float) -> tuple[float, float]:
    """p50 and p99 in milliseconds, from sending a webhook to its row in the record."""
    webhooks, vault = TimedWebhooks(), Vault.load(data / "keys.toml")
    watching = asyncio.create_task(watch(int(rate * seconds), seconds + 60))
    (await open_loop("127.0.0.1", port, webhooks, rate, seconds)).all_taken()
    seen = await watching
    keys = {native: vault.message_key(message_id("whatsapp", "whatsapp", native)) for native in webhooks.sent}
    took = sorted(seen[key] - webhooks.sent[native] for native, key in keys.items() if key in seen)
    if len(took) != int(rate * seconds):
        raise RuntimeError(f"sent {rate * seconds:.0f}, in the record {len(took)}")
    return took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000

"""1,000 messages of 1,000 citizens in one POST, beside the same in 1,000 POSTs; and statuses likewise.

    python -m bench.batches [--runs 5] [--items 1000]

Times of one POST as multiples of those of the POSTs one by one, which are the baseline: until the ingress has answered
200, in the reader, and for statuses in the reader and in the record. Goal: 3 at most.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from uuid_utils import uuid7

from bench._load import Webhooks, run_closed, run_one
from bench._programs import SECRET, hub
from bench._table import options, tabulate
from bus import Turnstile
from connectors import Channel, Request, channel_type
from hub.clock import TimeSource
from hub.intake import split_into_raws
from hub.reading import read_stage
from normalizer import Reader
from schemas import Raw, Receipt
from sink.blobs import Blobs
from sink.receipts import apply_receipts
from sink.record import Record
from sink.vault import Vault
from tests.services.ports import free_port

COLUMNS = {
    "one by one: ingress ms": ",.0f", "reader ms": ",.0f", "statuses ms": ",.0f",
    "in one, as a multiple: ingress": ".2f", "reader": ".2f", "statuses": ".2f",
}  # fmt: skip


def ingress(folder: Path, items: int) -> tuple[float, float]:
    """Seconds until all is durable: in one POST, and in a POST each, as fast as 32 connections get them in."""
    with hub(folder / f"hub-{free_port()}", "run", "door") as port:
        one_each = Webhooks("/in/whatsapp", SECRET, senders=10**7)
        run_closed(port, one_each, 1)
        each = items / run_closed(port, one_each, 2).all_taken().rate
        return run_one(port, Webhooks("/in/whatsapp", SECRET, 10**7, items=items)), each


def reader(folder: Path, channel: Channel, bodies: Sequence[bytes]) -> tuple[float, list[Receipt]]:
    """Seconds to read what the ingress makes of these bodies, and the receipts among it."""
    blobs = Blobs(folder / "blobs")
    raws = [raw for body in bodies for raw in _raws(channel, body, blobs)]

    async def at_once(call: Callable[..., Any], /, *args: Any, **named: Any) -> Any:
        return call(*args, **named)

    read = read_stage(Reader({channel.account: channel}.get), blobs, at_once, TimeSource(), _new_id)
    start = time.perf_counter()
    events = [event for first in range(0, len(raws), 500) for event in asyncio.run(read(raws[first : first + 500]))]
    return time.perf_counter() - start, [event for event in events if isinstance(event, Receipt)]


def statuses(folder: Path, channel: Channel, bodies: Sequence[bytes]) -> float:
    """Seconds to read these bodies, and to apply the receipts."""
    vault, turn = Vault.create(folder / f"keys-{free_port()}.toml"), Turnstile(folder / "record.db")
    url = f"sqlite:///{folder / f'record-{free_port()}.db'}"
    with Record.open(url, vault, turn) as record:
        seconds, receipts = reader(folder, channel, bodies)
        start = time.perf_counter()
        for first in range(0, len(receipts), 500):
            apply_receipts(record, receipts[first : first + 500])
        return seconds + time.perf_counter() - start


def _raws(channel: Channel, body: bytes, blobs: Blobs) -> Iterable[Raw]:
    async def store(value: bytes) -> str:
        return blobs.put(value)

    return asyncio.run(split_into_raws(channel, Request(body=body), store=store, clock=_now, new_id=_new_id))


def status_body(numbers: Iterable[int]) -> bytes:
    """One webhook with a status of each of these replies."""
    made = [{"id": f"wamid.sent.{n}", "status": "delivered", "timestamp": "1767600000", "recipient_id": f"62812{n:08d}"}
            for n in numbers]  # fmt: skip
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1068"}, "statuses": made}
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid7())


def both(
    measure: Callable[[Sequence[bytes]], float], body: Callable[[Iterable[int]], bytes], items: int
) -> list[float]:
    """Seconds in one body, and in a body each."""
    return [measure([body(range(items))]), measure([body([n]) for n in range(items)])]


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(items=1000)
    kind = channel_type("whatsapp")
    channel = kind("whatsapp", "32.73", kind.settings_type())
    webhooks = Webhooks("/in/whatsapp", SECRET, senders=10**7)

    def run(_: int) -> tuple[float, ...]:
        with tempfile.TemporaryDirectory() as where:
            folder = Path(where)
            found = [
                ingress(folder, chosen.items),
                both(lambda bodies: reader(folder, channel, bodies)[0], webhooks.body, chosen.items),
                both(lambda bodies: statuses(folder, channel, bodies), status_body, chosen.items),
            ]
        return *(each * 1000 for _, each in found), *(whole / each for whole, each in found)

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

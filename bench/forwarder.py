"""Complaints a second into LAPOR!, which answers in 300 ms, by one `forwarder` process on SQLite.

    python -m bench.forwarder [--runs 5] [--complaints 1500] [--at_once 24]

Baseline: as many requests at a time, each of 300 ms, and nothing else: `at_once` / 0.3 a second. Each complaint is one
request (no file, no further institution); its persisted steps are one write before and one after.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
from sqlalchemy import text

from bench._cpu import cpu_of
from bench._programs import prepared, running
from bench._table import options, tabulate
from bus import Turnstile
from connectors import channel_type, secret_hook
from schemas import Matched, Message, Party, Routed, complaint_id, message_id
from sink.batch_items import PersistOptions
from sink.persist import persist_batch
from sink.record import Record
from sink.vault import Vault
from tests.fakes.lapor import AUTH, TOKEN, LaporServer

DELAY = 0.3
"""Seconds."""
COLUMNS = {"at most/s": ",.0f", "complaints/s": ",.0f", "share": ".2f", "processor ms each": ".1f", "there once": ".0%"}
ACCOUNT = """
[lapor]
kind = "lapor"
owner = "34.04"
url = "{url}"
token = "{token}"
auth_value = "{auth}"
user_id = 501
channel_code = 3
poll_every = "30d"
at_once = {at_once}
"""


def settings(server: LaporServer, at_once: int) -> str:
    """The channels file."""
    return ACCOUNT.format(url=server.url, token=TOKEN, auth=AUTH, at_once=at_once)


@contextmanager
def record_of(data: Path, channels: str) -> Iterator[Record]:
    """The record of a new data folder with this account."""
    prepared(data, channels)
    path = data / "record.db"
    with Record.open(f"sqlite:///{path}", Vault.create(data / "keys.toml"), Turnstile(path)) as record:
        yield record


def file_complaints(record: Record, server: LaporServer, count: int) -> None:
    """So many complaints, with the jobs that they owe."""
    made = channel_type("lapor")
    fields = {"url": server.url, "token": TOKEN, "auth_value": AUTH}
    account = made("lapor", "34.04", msgspec.convert(fields, made.settings_type, dec_hook=secret_hook))
    routed = [_routed(n) for n in range(count)]
    options = PersistOptions(destinations=(account,))  # type: ignore[arg-type]
    for at in range(0, count, 500):
        persist_batch(record, routed[at : at + 500], datetime.now(UTC), options)


def _routed(n: int) -> Routed:
    id = message_id("sms", "sms", f"m{n}")
    message = Message(
        id=id, raw=str(uuid4()), account="sms", channel="sms", owner="34.04", conversation=f"+62812{n:08d}",
        received_at=datetime.now(UTC), sender=Party(name="Sari", phone=f"+62812{n:08d}"), reader="1",
        text="Lampu jalan di depan pasar mati sejak Senin malam, gelap sekali dan sudah ada yang jatuh. " * 3,
    )  # fmt: skip
    return Routed(matched=Matched(id=complaint_id(id), number=f"{4_000_000_000 + n}", outcome="recorded",
                                  message=message, matcher="1"), rules="1")  # fmt: skip


def done(record: Record) -> int:
    """Jobs that are done."""
    with record.read() as connection:
        return int(connection.execute(text("SELECT count(id) FROM jobs WHERE state = 'done'")).scalar_one())


def forwarded(record: Record, data: str, count: int) -> tuple[float, float]:
    """Complaints a second, from the first to the last, and seconds of processor of the process."""
    with running("hub", "run", "forwarder", "--data", data) as program:
        while not (first := done(record)):
            time.sleep(0.05)
        began = time.monotonic()
        while (found := done(record)) < count:
            time.sleep(0.1)
        return (found - first) / (time.monotonic() - began), cpu_of(program.pid)


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(complaints=1500, at_once=24)

    def run(_: int) -> tuple[float, ...]:
        with (
            tempfile.TemporaryDirectory() as where,
            LaporServer(delay=DELAY) as server,
            record_of(Path(where), settings(server, chosen.at_once)) as record,
        ):
            file_complaints(record, server, chosen.complaints)
            rate, cpu = forwarded(record, where, chosen.complaints)
            tried = [f"{4_000_000_000 + n}" for n in range(0, chosen.complaints, 50)]
            once = sum(len(server.holding(number)) == 1 for number in tried) / len(tried)
        most = chosen.at_once / DELAY
        return most, rate, rate / most, cpu * 1000 / chosen.complaints, once

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

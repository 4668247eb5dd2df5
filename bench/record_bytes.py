"""Bytes in the record (SQLite) for each WhatsApp message that opens a complaint and is answered once.

python -m bench.record_bytes [MESSAGES]
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy.exc import OperationalError
from uuid_utils import uuid7

from normalizer.incidents_profile import profile_of
from schemas import Assignment, Matched, Message, Office, Owed, Party, Place, Routed, complaint_id, message_id
from schemas.memory import Decision, Entry, Query
from sink import PersistOptions, Record, RecordMemory, Vault, book_received, persist_batch
from sink.leases import renew_leases
from sink.outbox_claims import claim_replies
from sink.outbox_results import SendResult, store_results

NOW = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
BATCH = 500
TEXT = (
    "lampu jalan mati sudah tiga minggu di depan sekolah dasar tolong segera diperbaiki karena gelap dan rawan "
    "anak pulang mengaji lewat sini warga RT lima RW dua kelurahan Cipadung kota Bandung terima kasih banyak pak bu"
)
WHY = "Laporan masuk melalui kanal Kota Bandung dan ditelaah lebih dulu oleh Meja Depan Kota Bandung"
ANSWER = (
    "Terima kasih, laporan Anda kami terima dengan nomor {number}. Kirim CEK {number} untuk melihat status, "
    "TL {number} lalu pesan Anda untuk menambah keterangan."
)


def messages(count: int) -> Iterator[Message]:
    draw, words = random.Random(7), TEXT.split()
    for n in range(count):
        digits = f"62813{draw.randrange(10**8):08d}"
        native = f"wamid.{draw.randbytes(40).hex()[:56]}"
        yield Message(
            id=message_id("whatsapp", "wa-bandung", native), raw=str(uuid7()), account="wa-bandung",
            channel="whatsapp", owner="32.73", conversation=digits, aliases=(f"US.{draw.randrange(10**15)}",),
            received_at=NOW + timedelta(milliseconds=300 * n), sent_at=NOW + timedelta(milliseconds=300 * n - 900),
            sender=Party(name="Siti Rahmawati", phone=f"+{digits}", user=f"whatsapp:US.{draw.randrange(10**15)}"),
            proven=True, text=" ".join(draw.choices(words, k=25)), report_class="complaint", sort="report",
            place=Place(code="32.73", level="city", name="Kota Bandung", source="owner"), reader="1+3f2a",
        )  # fmt: skip


def decide(message: Message, number: str) -> Decision:
    return Decision(
        raw=message.raw, item_index=0, message=message.id, content="0" * 32, outcome="recorded",
        complaint=complaint_id(message.id), number=number, opens_complaint=True, reason="no open conversation",
        missing=("place",), place=message.place, switches_thread=True, reader=message.reader, matcher="2",
        received_at=message.received_at,
    )  # fmt: skip


def route(message: Message, decision: Decision) -> Routed:
    matched = Matched(
        id=decision.complaint, number=decision.number, outcome="recorded", reason=decision.reason,
        missing=decision.missing, message=message, matcher="2",
    )  # fmt: skip
    desk = Assignment(office=Office(id="3273-front", name="Meja Depan Kota Bandung"), rule="front_desk", why=WHY)
    owed = Owed(template="number_given", params={"missing": ("place",)})
    return Routed(matched=matched, assignments=(desk,), rules="1+9c1d", owed=owed)


def fill(record: Record, batch: list[Message]) -> None:
    memory = RecordMemory(record, lambda: NOW)
    book_received(record, [(m.raw, m.account, m.received_at) for m in batch])
    keys = {m.raw: (f"{m.sender.phone}\0{m.raw}", f"{m.conversation}\0{m.raw}") for m in batch}
    known = memory.recall([Query(item=m, report_keys=keys[m.raw]) for m in batch])
    decided = [decide(m, known.new_numbers[complaint_id(m.id)]) for m in batch]
    memory.remember(
        [
            Entry(item=m, decision=d, report_keys=keys[m.raw], profile=profile_of(m, m.place))
            for m, d in zip(batch, decided, strict=True)
        ]
    )
    routed = [route(m, d) for m, d in zip(batch, decided, strict=True)]
    persist_batch(record, routed, NOW, PersistOptions(speaks={"wa-bandung"}))
    epochs = renew_leases(record, "one", ["wa-bandung"], now=NOW)
    owed = claim_replies(record, epochs, {"wa-bandung": BATCH}, in_flight=(), now=NOW + timedelta(hours=1))
    store_results(record, [
        SendResult(one, "sent", NOW, native_ids=(f"wamid.{one.id[:36]}{one.id[:20]}",),
                   text=ANSWER.format(number=one.number)) for one in owed
    ])  # fmt: skip


def sizes(record: Record) -> list[tuple[str, int]]:
    """Bytes of each table and index; empty where SQLite was built without `dbstat`."""
    sql = "SELECT name, sum(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC"
    with suppress(OperationalError), record.read() as connection:
        return [(name, size) for name, size in connection.exec_driver_sql(sql)]
    return []


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault, path = Vault.create(Path(folder) / "keys.toml"), Path(folder) / "record.db"
        facts: dict[str, Any] = {"owners": {"wa-bandung": "32.73"}, "personal_ids": {"whatsapp"}}
        with Record.open(f"sqlite:///{path}", vault, **facts) as record:
            every = list(messages(count))
            for start in range(0, count, BATCH):
                fill(record, every[start : start + BATCH])
            with record.read() as connection:
                pragmas = ("page_count", "page_size")
                pages, size = (connection.exec_driver_sql(f"PRAGMA {p}").scalar_one() for p in pragmas)
            for name, used in sizes(record):
                print(f"{name:45} {used / count:8.1f}")
            print(f"bytes a message: {pages * size / count:.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)

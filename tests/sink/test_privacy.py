"""No phone stands readable in the record, in whatever form a channel encodes it."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from schemas import Attachment, Match, Message, Party, Receipt, message_id
from sink import (
    Record,
    apply_receipts,
    apply_rereading,
    dismiss_dead_letters,
    export,
    list_dead_letters,
    outcomes_of,
    remember_request,
    search_record,
    store_dead_letters,
)
from sink.batch_items import PersistOptions
from sink.contacts import unseal_attachment_source, unseal_contact
from sink.forward_progress import store_progress
from sink.persist import persist_batch
from sink.tables import metadata
from tests.sink.made import (
    NOW,
    acted,
    action,
    dead,
    decision,
    message,
    persist,
    recall,
    receipt,
    remember,
    routed,
    rows,
)
from tests.sink.made_replies import claim, lease, store
from tests.sink.test_due_work import Hub
from tests.sink.test_forwards import LAPOR, done
from tests.sink.test_forwards import claim as claim_forwards

DIGITS = "6281355550005"
WAMID = "wamid.HRgN" + b64encode(DIGITS.encode()).decode() + "FQIAERgS"
REPLY_WAMID = WAMID.replace("FQIA", "GQIA")
NAME = "Siti Rahmawati"


def whatsapp(n: int, native: str, **more: Any) -> Message:
    known: dict[str, Any] = {
        "id": message_id("whatsapp", "wa", native), "account": "wa", "channel": "whatsapp", "conversation": DIGITS,
        "aliases": ("US.13491208",), "sender": Party(name=NAME, phone=f"+{DIGITS}", user="whatsapp:US.13491208"),
        "fingerprint": f"{DIGITS}|x", "extra": {"wa_id": DIGITS}, "reader": "1",
    }  # fmt: skip
    return message(n, **(known | more))


@pytest.fixture
def full(record: Record) -> Record:
    """A record through which a WhatsApp citizen's report has gone in every way there is."""
    media = Attachment(native_id=f"media-{DIGITS}", url=f"https://lookaside.example/{DIGITS}", name=f"{NAME}.jpg")
    first = whatsapp(1, WAMID, attachments=(media,))
    again = whatsapp(2, WAMID)
    edit = whatsapp(3, f"{WAMID}1", kind="edit", refers_to=WAMID)
    known = recall(record, first)
    opened = decision(first, known)
    match = Match(kind="redelivery", of=first.id, score=1.0, evidence="the same message id")
    remember(record, [(first, opened)], keys=[f"claimed\0+{DIGITS}\0d"])
    redelivered = decision(again, outcome="redelivered", complaint=opened.complaint, matches=(match,))
    remember(record, [(again, redelivered)])
    number = opened.number
    persist(record, routed(first, number=number), routed(again, "redelivered", matches=(match,)))
    persist(record, routed(edit, "added", first), routed(whatsapp(4, f"{WAMID}2"), "asked", first))
    persist(record, routed(whatsapp(5, f"{WAMID}3"), "refused", reason="an echo"))
    persist(record, acted(action(6, "answer", text="Ya"), first), acted(action(7, "link", to=number), first))
    for owed in claim(record, lease(record, accounts=["wa"])):
        store(record, owed, "sent", native_ids=(REPLY_WAMID,), text="Terima kasih")
    receipts = [receipt("delivered", 500, native_id=REPLY_WAMID), receipt("read", 501, native_id="wamid.early" + WAMID)]
    apply_receipts(record, [_of_whatsapp(one) for one in receipts])
    store_dead_letters(record, [
        dead(whatsapp(n, WAMID), n, message=first.id, account="wa", channel="whatsapp", event_key=first.key,
             event=WAMID.encode()) for n in (8, 9)
    ])  # fmt: skip
    dismiss_dead_letters(record, ["letter-9"], by="budi", now=NOW)
    apply_rereading(record, [whatsapp(1, WAMID, title="Lampu", reader="2")], now=NOW, dry_run=False)
    remember_request(record, f"+{DIGITS}", WAMID, "hash", first.raw)
    forward(record, whatsapp(10, f"{WAMID}5", text="Pohon tumbang di Jalan Kenanga menutup jalan"))
    remind(record)
    return record


def forward(record: Record, reported: Message) -> None:
    """The report is brought into LAPOR!."""
    persist_batch(record, [routed(reported)], NOW, PersistOptions(destinations=(LAPOR,)))
    [claimed] = claim_forwards(record)
    store_progress(record, [done(claimed.job, "7123456", create={"id": "7123456"})], NOW)


def remind(record: Record) -> None:
    """The offices let all clocks run out."""
    hub = Hub(record)
    for days in (0, 0.5, 30, 30.25, 60):
        hub.now = NOW + timedelta(days=days)
        asyncio.run(hub.work.step())


def _of_whatsapp(one: Receipt) -> Receipt:
    return replace(one, account="wa", channel="whatsapp")


def spellings() -> list[bytes]:
    """The phone as it may be written, in base64 at each of its three offsets, and the ids that hold it."""
    shifted = [b64encode(b"x" * pad + DIGITS.encode()).rstrip(b"=")[4 if pad else 0 : -2] for pad in (0, 1, 2)]
    return [DIGITS.encode(), DIGITS[2:].encode(), *shifted, WAMID.encode(), REPLY_WAMID.encode(), b"wamid",
            NAME.encode(), b"13491208", b"media-6"]  # fmt: skip


def test_no_column_holds_a_phone_or_a_channels_id_that_encodes_one(full: Record) -> None:
    found = [
        (table.name, column.name, spelling)
        for table in metadata.tables.values()
        for column in table.columns
        for (value,) in rows(full, f'SELECT "{column.name}" FROM {table.name}')
        for spelling in spellings()
        if spelling in _bytes(value)
    ]
    assert found == []


def test_every_table_of_the_pipeline_was_filled_for_that_test(full: Record) -> None:
    empty = {name for name in metadata.tables if not rows(full, f"SELECT 1 FROM {name}")}
    beside = {
        "activity",
        "processes",
        "editions",
        "aside",
        "proof_attempts",
        "received",
        "account_faults",
        "account_states",
        "foreign_ids",
        "stale_due",
    }
    assert empty <= beside


def test_nothing_that_leaves_shows_the_phone(full: Record) -> None:
    raws = [raw for (raw,) in rows(full, "SELECT raw FROM outcomes")]
    lines = list(export(full, None))
    found = search_record(full, WAMID, accounts=[("whatsapp", "wa")])
    text = str([lines, found, list_dead_letters(full), outcomes_of(full, raws)]).encode()
    assert [spelling for spelling in spellings() if spelling in text] == []
    assert lines[0]["messages"][0]["native_id"].startswith("#")
    assert [one.raw for one in found] == [message(1).raw]


def test_the_file_itself_holds_nothing_personal(sqlite_record: Record) -> None:
    persist(sqlite_record, routed(whatsapp(1, WAMID)))
    folder = Path(str(sqlite_record.engine.url.database)).parent
    content = b"".join(path.read_bytes() for path in folder.glob("record.db*"))
    assert b"Jalan Melati" in content
    assert [spelling for spelling in spellings() if spelling in content] == []


def test_a_public_id_has_32_hex_digits_and_is_the_same_everywhere(record: Record) -> None:
    public = record.public_id("whatsapp", WAMID)
    assert public == record.public_id("whatsapp", WAMID) != record.public_id("whatsapp", WAMID + "x")
    assert (public[0], len(bytes.fromhex(public[1:]))) == ("#", 16)
    assert record.public_id("whatsapp", public) == public
    assert record.public_id("sms", "m1") == "m1"
    assert record.ids.public_message_id(message_id("whatsapp", "wa", WAMID)) == message_id("whatsapp", "wa", public)
    assert record.ids.public_message_id("no message id") == "no message id"


def test_what_must_go_back_to_the_provider_is_sealed_and_comes_back(full: Record) -> None:
    ((sealed,),) = rows(full, f"SELECT sealed FROM parties WHERE raw = '{message(1).raw}'")
    contact = unseal_contact(full.vault, bytes(sealed))
    assert (contact.conversation, contact.native, contact.party.phone) == (DIGITS, WAMID, f"+{DIGITS}")
    ((source,),) = rows(full, "SELECT source FROM attachments")
    assert unseal_attachment_source(full.vault, bytes(source)).native_id == f"media-{DIGITS}"


def test_the_memory_still_knows_the_message_by_its_own_id(full: Record) -> None:
    known = recall(full, whatsapp(1, WAMID))
    assert known.decided[message(1).raw, 0].message == message_id("whatsapp", "wa", WAMID)


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()

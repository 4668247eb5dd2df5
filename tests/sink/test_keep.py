from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from schemas import Attachment, Match, message_id
from sink import Record, bury, claim, export, note, owed
from tests.sink.made import NOW, books, counted, dead, decision, kept, memory, message, raw, receipt, routed, rows


def test_the_same_batch_twice_changes_nothing_and_owes_nothing_twice(record: Record) -> None:
    batch = [routed(message(1)), routed(message(2), "added", message(1))]
    assert kept(record, *batch) == 2
    before = [rows(record, f"SELECT * FROM {t}") for t in ("complaints", "messages", "timeline", "outbox", "outcomes")]
    assert kept(record, *batch) == 0
    after = [rows(record, f"SELECT * FROM {t}") for t in ("complaints", "messages", "timeline", "outbox", "outcomes")]
    assert after == before


def test_a_duplicate_inside_one_batch_is_kept_once(record: Record) -> None:
    assert kept(record, routed(message(1)), routed(message(1))) == 1
    assert rows(record, "SELECT count(*) FROM messages") == [(1,)]


def test_any_outcome_replaces_dead(record: Record) -> None:
    bury(record, [dead(message(1))])
    assert rows(record, "SELECT outcome FROM outcomes") == [("dead",)]
    assert kept(record, routed(message(1))) == 1
    assert rows(record, "SELECT outcome, message FROM outcomes") == [("recorded", message(1).id)]


def test_dead_never_replaces_an_outcome(record: Record) -> None:
    kept(record, routed(message(1)))
    bury(record, [dead(message(1))])
    assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_another_outcome_than_dead_is_never_replaced(record: Record) -> None:
    kept(record, routed(message(1), "refused"))
    assert kept(record, routed(message(1))) == 0
    assert rows(record, "SELECT outcome FROM outcomes") == [("refused",)]
    assert rows(record, "SELECT count(*) FROM complaints") == [(0,)]


def test_an_addition_may_overtake_its_complaint(record: Record) -> None:
    later = message(5)
    kept(record, routed(later, "added", message(1)))
    kept(record, routed(message(1)))
    (told,) = export(record, None)
    assert [m["id"] for m in told["messages"] if m["direction"] == "in"] == [message(1).id, later.id]
    assert [s["what"] for s in told["timeline"]] == ["routed", "recorded", "added"]
    with record.read() as connection:
        row = connection.exec_driver_sql("SELECT updated_at FROM complaints").scalar()
    assert str(row).startswith(str(later.received_at.replace(tzinfo=None)))


def test_an_addition_renews_its_complaint_but_never_makes_it_older(record: Record) -> None:
    kept(record, routed(message(3)))
    kept(record, routed(message(9), "added", message(3)))
    newest = rows(record, "SELECT updated_at FROM complaints")
    kept(record, routed(message(5), "added", message(3)))
    assert rows(record, "SELECT updated_at FROM complaints") == newest


def test_a_stranger_who_asks_adds_no_words(record: Record) -> None:
    kept(record, routed(message(1)))
    asked = message(2, command="CEK", text="CEK ini rahasia saya", conversation="+628120000999")
    kept(record, routed(asked, "added", message(1), stranger=True))
    (told,) = export(record, None)
    assert "rahasia saya" not in str(told)
    assert ("status_asked", "stranger") in [(s["what"], s["who"]) for s in told["timeline"]]
    assert len([m for m in told["messages"] if m["direction"] == "in"]) == 1
    assert rows(record, "SELECT count(*) FROM parties") == [(1,)]


def test_redelivered_and_refused_leave_an_outcome_and_the_evidence(record: Record) -> None:
    match = Match(kind="redelivery", of=message(1).id, score=1.0, evidence="the same message id")
    kept(record, routed(message(2), "redelivered", matches=(match,)), routed(message(3), "refused", reason="an echo"))
    assert rows(record, "SELECT outcome, reason FROM outcomes ORDER BY raw") == [
        ("redelivered", "x"),
        ("refused", "an echo"),
    ]
    assert rows(record, "SELECT kind, score FROM matches") == [("redelivery", 1.0)]
    assert rows(record, "SELECT count(*) FROM messages") == [(0,)]


def test_text_with_a_nul_is_kept(record: Record) -> None:
    kept(record, routed(message(1, text="Jalan\x00rusak", read="Jalan\x00rusak", title="\x00")))
    (told,) = export(record, None)
    assert told["text"] == "Jalan\ufffdrusak"


def test_attachments_keep_their_state_and_source(record: Record) -> None:
    files = (Attachment(native_id="a1", url="https://graph.example/a1", name="KTP Siti.jpg", expires_at=NOW),)
    kept(record, routed(message(1, attachments=files)))
    assert rows(record, "SELECT account, native_id, state, attempts FROM attachments") == [
        ("sms", "a1", "referenced", 0)
    ]


def test_receipts_and_empty_requests_end_their_items(record: Record) -> None:
    first, second = message(1), message(2)
    note(record, [receipt("delivered", raw=first.raw, reply="unknown"), receipt("empty", raw=second.raw)])
    counted(record, first, second)
    assert books(record) == {"receipts": 1, "empty": 1}


def test_owner_stands_on_every_row(record: Record) -> None:
    kept(record, routed(message(1)))
    bury(record, [dead(message(2))])
    note(record, [receipt("sent", reply="x", at=NOW + timedelta(seconds=1))])
    for table in (
        "complaints",
        "messages",
        "readings",
        "parties",
        "timeline",
        "outbox",
        "outcomes",
        "dead",
        "receipts",
    ):
        assert set(rows(record, f"SELECT owner FROM {table}")) == {("32.73",)}


def test_foreign_words_of_any_length_and_with_a_nul_are_kept(record: Record) -> None:
    long = "".join(chr(0x21 + n * n % 89) for n in range(9000)) + "\x00"
    odd = message(1, id=message_id("sms", "sms", long), native_id=long, kind_said=long, refers_to=long, owner="o" * 200)
    known = memory(record).recall([odd], [None])
    memory(record).remember([odd], [None], [decision(odd, known)])
    about = memory(record).recall([odd], [None]).seen[odd.id]
    assert kept(record, routed(odd, id=about.complaint, number=about.number, reason=long)) == 1
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    early = receipt("read", native_id=long, raw=raw(9), reason=long)
    note(record, [early, receipt("failed", native_id=long)])
    note(record, [receipt("sent", reply=reply.id, native_id=long)])
    assert rows(record, "SELECT state FROM outbox") == [("read",)]
    bury(record, [dead(message(2), reason=long)])
    assert len(list(export(record, None))) == 1


def test_two_complaints_of_one_number_are_a_fault_to_be_seen(record: Record) -> None:
    kept(record, routed(message(1), number="17080000"))
    with pytest.raises(IntegrityError):
        kept(record, routed(message(2), number="17080000"))
    assert rows(record, "SELECT raw FROM outcomes") == [(message(1).raw,)]

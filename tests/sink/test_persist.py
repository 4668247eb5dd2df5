from __future__ import annotations

import pytest

from schemas import Attachment, Match, Party
from sink import Record, apply_receipts, export, store_dead_letters
from tests.sink.made import (
    NOW,
    Persisted,
    dead,
    decision,
    execute,
    ledger,
    message,
    persist,
    recall,
    receipt,
    received,
    remember,
    replies,
    routed,
    rows,
)

EVERYTHING = ("complaints", "messages", "timeline", "assignments", "outbox", "outcomes", "parties")


def snapshot(record: Record) -> list[list[tuple[object, ...]]]:
    return [rows(record, f"SELECT * FROM {table}") for table in EVERYTHING]


def test_the_same_batch_twice_changes_nothing_and_owes_nothing_twice(record: Record) -> None:
    batch = [routed(message(1)), routed(message(2), "added", message(1))]
    assert replies(record, *batch) == 2
    before = snapshot(record)
    assert persist(record, *batch) == Persisted(0, 0)
    assert snapshot(record) == before


def test_a_duplicate_inside_one_batch_is_persisted_once(record: Record) -> None:
    assert replies(record, routed(message(1)), routed(message(1))) == 1
    assert rows(record, "SELECT count(*) FROM messages") == [(1,)]


def test_any_outcome_replaces_dead(record: Record) -> None:
    store_dead_letters(record, [dead(message(1))])
    assert rows(record, "SELECT outcome FROM outcomes") == [("dead",)]
    assert replies(record, routed(message(1))) == 1
    assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_dead_never_replaces_an_outcome(record: Record) -> None:
    persist(record, routed(message(1)))
    store_dead_letters(record, [dead(message(1))])
    assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_another_outcome_than_dead_is_never_replaced(record: Record) -> None:
    persist(record, routed(message(1), "refused"))
    assert replies(record, routed(message(1))) == 0
    assert rows(record, "SELECT outcome FROM outcomes") == [("refused",)]
    assert rows(record, "SELECT count(*) FROM complaints") == [(0,)]


def test_an_addition_may_be_recorded_before_its_complaint(record: Record) -> None:
    later = message(5)
    persist(record, routed(later, "added", message(1)))
    persist(record, routed(message(1)))
    (line,) = export(record, None)
    assert [m["id"] for m in line["messages"]] == [message(1).id, later.id]
    assert [s["what"] for s in line["timeline"]] == ["routed", "recorded", "added"]
    assert updated_at(record).startswith(str(later.received_at.replace(tzinfo=None)))


def test_an_addition_renews_its_complaint_but_never_makes_it_older(record: Record) -> None:
    persist(record, routed(message(3)))
    persist(record, routed(message(9), "added", message(3)))
    newest = updated_at(record)
    persist(record, routed(message(5), "added", message(3)))
    assert updated_at(record) == newest


@pytest.mark.parametrize("asked_first", [True, False])
def test_a_question_about_the_status_does_not_renew_its_complaint(record: Record, asked_first: bool) -> None:
    first, question = routed(message(1)), routed(message(9, command="CEK", text="CEK 1"), "asked", message(1))
    for event in (question, first) if asked_first else (first, question):
        persist(record, event)
    assert updated_at(record).startswith(str(message(1).received_at.replace(tzinfo=None)))
    assert rows(record, "SELECT outcome FROM outcomes ORDER BY raw") == [("recorded",), ("asked",)]
    (line,) = export(record, None)
    assert "status_asked" in [step["what"] for step in line["timeline"]]


def test_a_stranger_who_asks_adds_no_words(record: Record) -> None:
    persist(record, routed(message(1)))
    asked = message(2, command="CEK", text="CEK ini rahasia saya", conversation="+628120000999")
    persist(record, routed(asked, "asked", message(1), stranger=True))
    (line,) = export(record, None)
    assert "rahasia saya" not in str(line)
    assert ("status_asked", "stranger") in [(s["what"], s["who"]) for s in line["timeline"]]
    assert len([m for m in line["messages"] if m["direction"] == "in"]) == 1
    assert rows(record, "SELECT count(*) FROM parties") == [(1,)]


def test_redelivered_and_refused_leave_an_outcome_and_the_evidence(record: Record) -> None:
    match = Match(kind="redelivery", of=message(1).id, score=1.0, evidence="the same message id")
    refused = routed(message(3), "refused", reason="an echo")
    persist(record, routed(message(2), "redelivered", matches=(match,)), refused)
    assert rows(record, "SELECT outcome, reason, message FROM outcomes ORDER BY raw") == [
        ("redelivered", "x", message(2).id),
        ("refused", "an echo", message(3).id),
    ]
    assert rows(record, "SELECT kind, score, of FROM matches") == [("redelivery", 1.0, message(1).id)]
    assert rows(record, "SELECT count(*) FROM messages") == [(0,)]


def test_text_with_a_nul_is_stored(record: Record) -> None:
    persist(record, routed(message(1, text="Jalan\x00rusak", cleaned="Jalan\x00rusak!", title="\x00")))
    (line,) = export(record, None)
    assert line["text"] == "Jalan\ufffdrusak"
    assert rows(record, "SELECT cleaned FROM messages") == [("Jalan\ufffdrusak!",)]


def test_each_text_stands_once(record: Record) -> None:
    persist(record, routed(message(1, text="Jembatan retak", cleaned="Jembatan retak")))
    assert rows(record, "SELECT text, cleaned FROM messages") == [("Jembatan retak", None)]
    found = [
        (table, column)
        for table, column in columns(record)
        if any("Jembatan" in str(value) for (value,) in rows(record, f'SELECT "{column}" FROM {table}'))
    ]
    assert found == [("messages", "text")]


def columns(record: Record) -> list[tuple[str, str]]:
    from sink.tables import metadata

    return [(table.name, column.name) for table in metadata.tables.values() for column in table.columns]


def test_a_file_that_is_only_referred_to_becomes_a_job(record: Record) -> None:
    files = (
        Attachment(native_id="a1", url="https://graph.example/a1", name="KTP Siti.jpg", expires_at=NOW),
        Attachment(name="foto.jpg", sha256="f" * 64, size=10, state="fetched"),
    )
    assert persist(record, routed(message(1, attachments=files))).jobs == 1
    found = rows(record, "SELECT id, account, state, sha256 FROM attachments ORDER BY n")
    assert found == [(f"{message(1).raw}.0.0", "sms", "referenced", None),
                     (f"{message(1).raw}.0.1", "sms", "fetched", "f" * 64)]  # fmt: skip
    assert rows(record, "SELECT id, kind, complaint FROM jobs") == [
        (f"fetch/{message(1).raw}.0.0", "fetch", routed(message(1)).matched.id)
    ]


def test_receipts_and_empty_requests_have_outcomes(record: Record) -> None:
    first, second = message(1), message(2)
    apply_receipts(record, [receipt("delivered", raw=first.raw, reply="x"), receipt("empty", raw=second.raw)])
    received(record, first, second)
    assert ledger(record) == {"receipts": 1, "empty": 1}


def test_owner_stands_on_every_row(record: Record) -> None:
    file = Attachment(url="https://graph.example/a1")
    match = Match(kind="same_report", of="c", score=1.0, evidence="x")
    first = message(1, external_ids={"sp4n": "1234567"}, attachments=(file,))
    known = recall(record, first)
    remember(record, [(first, decision(first, known))], keys=["k"])
    event = routed(first, matches=(match,), number=next(iter(known.new_numbers.values())))
    persist(record, event)
    received(record, first)
    store_dead_letters(record, [dead(message(3))])
    apply_receipts(record, [receipt("delivered", native_id="g1")])
    owned = {table for table, column in columns(record) if column == "owner"}
    filled = {table for table in owned if rows(record, f"SELECT 1 FROM {table} WHERE owner = '32.73'")}
    later = {"disclosures", "forwarded", "counters", "due_dates", "notices", "office_activity"}  # written by loops
    assert owned - filled - later == {"actions", "readings"}


def test_the_answer_goes_to_the_channels_own_address(record: Record) -> None:
    from sink.batch_items import PersistOptions
    from sink.contacts import unseal_contact
    from sink.persist import persist_batch

    mail = message(1, conversation="<thread@contoh.id>", sender=Party(email="siti@contoh.id"))
    options = PersistOptions(speaks={"sms"}, reply_address=lambda m: str(m.sender.email))
    persist_batch(record, [routed(mail)], NOW, options)
    ((sealed,),) = rows(record, "SELECT sealed FROM parties")
    contact = unseal_contact(record.vault, bytes(sealed))
    assert (contact.conversation, contact.address, contact.person) == (
        "<thread@contoh.id>", "siti@contoh.id", "siti@contoh.id",
    )  # fmt: skip


def test_an_account_that_cannot_send_owes_nothing(record: Record) -> None:
    assert replies(record, routed(message(1)), speaks=()) == 0
    assert rows(record, "SELECT count(*) FROM outbox") == [(0,)]


def test_an_empty_batch_asks_the_database_nothing(record: Record) -> None:
    execute(record, "DROP TABLE outcomes")
    assert persist(record) == Persisted(0, 0)


def test_two_complaints_with_one_number_are_a_fault(record: Record) -> None:
    from sqlalchemy.exc import IntegrityError

    persist(record, routed(message(1), number="1708000001"))
    with pytest.raises(IntegrityError):
        persist(record, routed(message(2), number="1708000001"))


def updated_at(record: Record) -> str:
    ((at,),) = rows(record, "SELECT updated_at FROM complaints")
    return str(at)

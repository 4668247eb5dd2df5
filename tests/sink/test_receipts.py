"""Receipts of channels. What the sender stores is in test_outbox."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas import message_id
from sink import Record, apply_receipts, export
from sink.receipts import forget_early
from tests.sink.made import NOW, execute, message, persist, receipt, routed, rows
from tests.sink.made_replies import claim, lease, states, store

SENT = {"native_ids": ("g1",), "text": "Terima kasih"}


def sent(record: Record, *, wait: bool = False) -> str:
    """The id of a reply that was sent; `wait` leaves it claimed."""
    persist(record, routed(message(1)))
    (owed,) = claim(record, lease(record))
    if not wait:
        store(record, owed, "sent", **SENT)
    return owed.id


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        (["delivered", "read"], "read"),
        (["read", "delivered"], "read"),
        (["delivered", "sent"], "delivered"),
        (["failed"], "failed"),
        (["delivered", "failed"], "delivered"),
        (["unknown"], "sent"),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_states_move_up_and_never_back(record: Record, reported: list[str], state: str, together: bool) -> None:
    sent(record)
    receipts = [receipt(word, n, native_id="g1") for n, word in enumerate(reported, 500)]  # type: ignore[arg-type]
    for batch in [receipts] if together else [[one] for one in receipts]:
        apply_receipts(record, batch)
    assert states(record) == [state]


@pytest.mark.parametrize(
    ("reported", "state"),
    [
        ([("g1", "delivered"), ("g2", "delivered")], "delivered"),
        ([("g1", "delivered"), ("g2", "failed")], "failed"),
        ([("g1", "failed"), ("g2", "delivered")], "failed"),
    ],
)
@pytest.mark.parametrize("early", [True, False])
def test_of_a_reply_in_parts_one_that_fails_is_a_failure(
    record: Record, reported: list[tuple[str, str]], state: str, early: bool
) -> None:
    """A telephone shows a long SMS only once it has all its parts."""
    persist(record, routed(message(1)))
    (owed,) = claim(record, lease(record))
    receipts = [receipt(word, n, native_id=id) for n, (id, word) in enumerate(reported, 500)]  # type: ignore[arg-type]
    if early:
        apply_receipts(record, receipts)
    store(record, owed, "sent", native_ids=("g1", "g2"), text="Terima kasih")
    if not early:
        for one in receipts:
            apply_receipts(record, [one])
    assert states(record) == [state]


def test_our_own_reference_finds_a_reply_whose_id_nobody_knows(record: Record) -> None:
    reply = sent(record, wait=True)
    apply_receipts(record, [receipt("delivered", reply=reply, native_id="g1", at=NOW + timedelta(seconds=3))])
    assert states(record) == ["delivered"]
    assert str(rows(record, "SELECT sent_at FROM outbox")[0][0]).startswith("2025-07-01 03:00:03")


def test_a_receipt_that_came_early_waits_for_the_id(record: Record) -> None:
    persist(record, routed(message(1)))
    (owed,) = claim(record, lease(record))
    apply_receipts(record, [receipt("delivered", native_id="g1"), receipt("read", 501, native_id="g1")])
    assert (states(record), rows(record, "SELECT count(*) FROM early_receipts")) == (["claimed"], [(2,)])
    store(record, owed, "sent", **SENT)
    assert (states(record), rows(record, "SELECT count(*) FROM early_receipts")) == (["read"], [(0,)])


def test_the_same_id_of_another_account_is_another_reply(record: Record) -> None:
    sent(record)
    apply_receipts(record, [receipt("delivered", native_id="g1", account="sms2")])
    assert states(record) == ["sent"]


def test_a_receipt_is_applied_once(record: Record) -> None:
    sent(record)
    apply_receipts(record, [receipt("delivered", native_id="g1")] * 2)
    execute(record, "UPDATE outbox SET state = 'sent'")
    apply_receipts(record, [receipt("delivered", native_id="g1")])
    assert states(record) == ["sent"]
    assert rows(record, "SELECT outcome FROM outcomes WHERE outcome = 'receipt'") == [("receipt",)]


def test_a_failure_has_a_code_and_the_channels_reason(record: Record) -> None:
    sent(record)
    apply_receipts(record, [receipt("failed", native_id="g1", reason="131026")])
    assert rows(record, "SELECT state, code, reason FROM outbox") == [("failed", "channel_reports_failure", "131026")]


def test_receipts_of_replies_that_were_never_ours_are_forgotten(record: Record) -> None:
    apply_receipts(record, [receipt("delivered", native_id="x"), receipt("read", 501, reply="not ours")])
    assert rows(record, "SELECT count(*) FROM early_receipts") == [(1,)]
    assert forget_early(record, NOW) == 0
    assert forget_early(record, NOW + timedelta(seconds=1)) == 1


def test_an_answer_stands_in_the_export_with_the_text_that_was_sent(record: Record) -> None:
    sent(record)
    (line,) = export(record, None)
    assert [(m["direction"], m["native_id"]) for m in line["messages"]] == [("in", "m1"), ("out", "g1")]
    assert line["messages"][1]["text"] == "Terima kasih"
    assert line["messages"][0]["id"] == message_id("sms", "sms", "m1")

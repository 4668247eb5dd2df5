"""The drill's checks, each proved by sabotage: a record without damage passes all, and each damage is
found by its check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.drill.checks import (
    CHECKS,
    DeadLetter,
    Outcome,
    Recorded,
    Reply,
    Sent,
    Times,
    disordered,
    in_doubt,
    unbalanced,
)  # fmt: skip

A, B = "whatsapp/whatsapp/drill.1.0", "whatsapp/whatsapp/drill.1.1"


def intact() -> tuple[Sent, Recorded]:
    """Two messages of one conversation, the first accepted twice; one malformed; a reply to each, one delivered."""
    sent = Sent(
        messages={A: Times(2), B: Times(1, 1)},
        malformed=Times(1),
        statuses={"reply-a": Times(1)},
        replies={"reply-a": 1, "reply-b": 1},
    )
    recorded = Recorded(
        outcomes=[
            Outcome("raw-1", 0, "recorded", "c1", A, ("reply-a", "other-a")),
            Outcome("raw-2", 0, "redelivered", "c1", A),
            Outcome("raw-3", 0, "added", "c1", B, ("reply-b", "other-b")),
            Outcome("raw-4", 0, "dead", None, None),
            Outcome("raw-5", 0, "receipt", None, None),
            Outcome("raw-5", 1, "receipt", None, None),
        ],
        messages=[(A, "c1"), (B, "c1")],
        complaints={"c1": A},
        decisions={A: "c1", B: "c1"},
        outbox=[
            Reply("reply-a", "whatsapp", "delivered"),
            Reply("reply-b", "whatsapp", "sent"),
        ],
        dead=[DeadLetter("reader", None, "not_json: Meta sends nothing else than JSON")],
    )
    return sent, recorded


LEDGER = {
    "received": 4, "recorded": 1, "added": 1, "asked": 0, "redelivered": 1, "refused": 0, "dead": 1, "in_flight": 0,
    "lost": 0, "receipts": 2, "empty": 0,
}  # fmt: skip


def test_an_intact_record_passes() -> None:
    sent, recorded = intact()
    assert {name: list(check(sent, recorded)) for name, check in CHECKS.items()} == {name: [] for name in CHECKS}
    assert list(unbalanced(sent, recorded, {"all": LEDGER})) == []
    assert in_doubt(recorded) == {}


def without_outcome(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[o for o in recorded.outcomes if o.message != B])


def without_message(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(messages=recorded.messages[:1])


def without_complaint(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(complaints={})


def in_another_complaint(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(decisions={A: "c1", B: "c2"})


def only_redelivered(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(
        outcomes=[*recorded.outcomes[:2], recorded.outcomes[2]._replace(outcome="redelivered")]
    )


def message_again(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(messages=[*recorded.messages, (B, "c1")])


def complaint_again(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(complaints={"c1": A, "c2": A})


def opened_again(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[*recorded.outcomes, Outcome("raw-9", 0, "added", "c1", A)])


def redelivery_uncounted(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[o for o in recorded.outcomes if o.outcome != "redelivered"])


def one_too_many(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[*recorded.outcomes, Outcome("raw-9", 0, "redelivered", "c1", A)])


def nobody_sent_it(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(
        outcomes=[*recorded.outcomes, Outcome("raw-9", 0, "recorded", "c9", "sms/sms/other")]
    )


def refused(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[*recorded.outcomes[:2], recorded.outcomes[2]._replace(outcome="refused")])


def good_one_dead(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent._replace(malformed=Times(1, 1)), recorded._replace(
        dead=[*recorded.dead, DeadLetter("sink", B, "a fault")]
    )


def malformed_not_dead(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(dead=[])


def dead_without_outcome(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outcomes=[o for o in recorded.outcomes if o.outcome != "dead"])


def sent_again(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent._replace(replies={"reply-a": 2, "reply-b": 1}), recorded


def never_sent(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent._replace(replies={"reply-a": 1}), recorded


def still_owed(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outbox=[recorded.outbox[0], recorded.outbox[1]._replace(state="owed")])


def no_reply_owed(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outbox=recorded.outbox[:1])


def owed_twice(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent._replace(replies={**sent.replies, "other-b": 1}), recorded._replace(
        outbox=[*recorded.outbox, Reply("other-b", "sms", "sent")]
    )


def report_forgotten(sent: Sent, recorded: Recorded) -> tuple[Sent, Recorded]:
    return sent, recorded._replace(outbox=[recorded.outbox[0]._replace(state="sent"), recorded.outbox[1]])


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("lost", without_outcome), ("lost", without_message), ("lost", without_complaint),
        ("lost", in_another_complaint), ("lost", only_redelivered),
        ("recorded twice", message_again), ("recorded twice", complaint_again), ("recorded twice", opened_again),
        ("miscounted", redelivery_uncounted), ("miscounted", one_too_many), ("miscounted", nobody_sent_it),
        ("miscounted", refused),
        ("dead letters", good_one_dead), ("dead letters", malformed_not_dead), ("dead letters", dead_without_outcome),
        ("answered twice", sent_again),
        ("unanswered", never_sent), ("unanswered", still_owed), ("unanswered", no_reply_owed),
        ("unanswered", owed_twice),
        ("reports lost", report_forgotten),
    ],
)  # fmt: skip
def test_each_damage_is_found(check: str, damage: Callable[[Sent, Recorded], tuple[Sent, Recorded]]) -> None:
    assert list(CHECKS[check](*damage(*intact())))


@pytest.mark.parametrize(
    "wrong",
    [{"received": 5}, {"lost": 1}, {"in_flight": 1}, {"added": 2, "received": 5}, {"receipts": 1},
     {"recorded": 0, "redelivered": 2}],
)  # fmt: skip
def test_a_ledger_that_does_not_balance_is_found(wrong: dict[str, int]) -> None:
    assert list(unbalanced(*intact(), {"all": LEDGER | wrong}))


def test_more_received_than_sent_is_found_though_the_sum_is_right() -> None:
    sent, recorded = intact()
    sent = sent._replace(messages={A: Times(1), B: Times(1)})
    assert list(unbalanced(sent, recorded, {"all": LEDGER}))


def test_a_durable_request_whose_answer_was_cut_off_is_no_damage() -> None:
    sent, recorded = intact()
    sent = sent._replace(messages={A: Times(1, 1), B: Times(1)})
    assert not [wrong for check in CHECKS.values() for wrong in check(sent, recorded)]
    assert list(unbalanced(sent, recorded, {"all": LEDGER})) == []


def test_a_request_that_was_never_accepted_may_be_nowhere() -> None:
    sent, recorded = intact()
    sent = sent._replace(messages={**sent.messages, "sms/sms/drill.2.0": Times(0, 3)})
    assert not [wrong for check in CHECKS.values() for wrong in check(sent, recorded)]


def test_one_answer_stands_for_a_burst() -> None:
    sent, recorded = intact()
    first, again, added, *others = recorded.outcomes
    burst = recorded._replace(
        outcomes=[first, again, added._replace(in_burst=True), *others], outbox=recorded.outbox[:1]
    )
    assert list(CHECKS["unanswered"](sent, burst)) == []
    assert list(CHECKS["unanswered"](sent, burst._replace(outcomes=recorded.outcomes))) != []


def test_replies_in_doubt_are_listed_by_channel_and_are_no_damage() -> None:
    sent, recorded = intact()
    recorded = recorded._replace(
        outbox=[recorded.outbox[0], recorded.outbox[1]._replace(state="unknown", channel="sms")]
    )
    assert in_doubt(recorded) == {"reply-b": "sms"}
    assert not [wrong for check in CHECKS.values() for wrong in check(sent._replace(replies={"reply-a": 1}), recorded)]


def test_order_is_checked_within_a_talk_and_a_talk_has_one_complaint() -> None:
    assert list(disordered([["drill.1.0", "drill.1.1", "drill.1.2"], ["drill.2.0"]])) == []
    assert list(disordered([["drill.1.0", "drill.1.2", "drill.1.1"]])) == ["drill.1: stands as [0, 2, 1]"]
    assert list(disordered([["drill.1.0", "drill.1.0"]])) == ["drill.1: stands as [0, 0]"]
    assert list(disordered([["drill.1.0"], ["drill.1.1"]])) == ["drill.1: stands in 2 complaints"]

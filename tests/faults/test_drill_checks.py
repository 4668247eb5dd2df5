"""The drill's checks, each proved by sabotage: a sound record passes all, and each damage is found by its check."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bench.drill.checks import CHECKS, Buried, Kept, Outcome, Owed, Times, Told, disordered, in_doubt, unbalanced

A, B = "whatsapp/whatsapp/drill.1.0", "whatsapp/whatsapp/drill.1.1"


def sound() -> tuple[Told, Kept]:
    """Two messages of one talk, the first accepted twice; one malformed; a reply to each, one reported delivered."""
    told = Told(
        messages={A: Times(2), B: Times(1, 1)},
        malformed=Times(1),
        statuses={"reply-a": Times(1)},
        sent={"reply-a": 1, "reply-b": 1},
    )
    kept = Kept(
        outcomes=[
            Outcome("raw-1", 0, "recorded", "c1", A),
            Outcome("raw-2", 0, "redelivered", "c1", A),
            Outcome("raw-3", 0, "added", "c1", B),
            Outcome("raw-4", 0, "dead", None, None),
            Outcome("raw-5", 0, "receipt", None, None),
            Outcome("raw-5", 1, "receipt", None, None),
        ],
        messages=[(A, "c1"), (B, "c1")],
        complaints={"c1": A},
        decided={A: "c1", B: "c1"},
        outbox=[
            Owed("reply-a", "whatsapp", "delivered", "raw-1", 0),
            Owed("reply-b", "whatsapp", "sent", "raw-3", 0),
        ],
        dead=[Buried("reader", None, "not JSON: Meta sends nothing else")],
    )
    return told, kept


BOOKS = {
    "received": 4, "recorded": 1, "added": 1, "redelivered": 1, "refused": 0, "dead": 1, "on_the_road": 0, "lost": 0,
    "receipts": 2, "empty": 0,
}  # fmt: skip


def test_a_sound_record_passes() -> None:
    told, kept = sound()
    assert {name: list(check(told, kept)) for name, check in CHECKS.items()} == {name: [] for name in CHECKS}
    assert list(unbalanced(told, kept, {"all": BOOKS})) == []
    assert in_doubt(kept) == {}


def without_outcome(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[o for o in kept.outcomes if o.message != B])


def without_message(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(messages=kept.messages[:1])


def without_complaint(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(complaints={})


def in_another_complaint(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(decided={A: "c1", B: "c2"})


def only_redelivered(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[*kept.outcomes[:2], kept.outcomes[2]._replace(outcome="redelivered")])


def message_again(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(messages=[*kept.messages, (B, "c1")])


def complaint_again(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(complaints={"c1": A, "c2": A})


def opened_again(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[*kept.outcomes, Outcome("raw-9", 0, "added", "c1", A)])


def redelivery_uncounted(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[o for o in kept.outcomes if o.outcome != "redelivered"])


def one_too_many(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[*kept.outcomes, Outcome("raw-9", 0, "redelivered", "c1", A)])


def nobody_sent_it(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[*kept.outcomes, Outcome("raw-9", 0, "recorded", "c9", "sms/sms/other")])


def refused(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[*kept.outcomes[:2], kept.outcomes[2]._replace(outcome="refused")])


def good_one_buried(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told._replace(malformed=Times(1, 1)), kept._replace(dead=[*kept.dead, Buried("sink", B, "a fault")])


def malformed_not_buried(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(dead=[])


def dead_without_outcome(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outcomes=[o for o in kept.outcomes if o.outcome != "dead"])


def sent_again(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told._replace(sent={"reply-a": 2, "reply-b": 1}), kept


def never_sent(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told._replace(sent={"reply-a": 1}), kept


def still_owed(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outbox=[kept.outbox[0], kept.outbox[1]._replace(state="owed")])


def no_reply_owed(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outbox=kept.outbox[:1])


def owed_twice(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told._replace(sent={**told.sent, "r": 1}), kept._replace(
        outbox=[*kept.outbox, Owed("r", "sms", "sent", "raw-3", 0)]
    )


def report_forgotten(told: Told, kept: Kept) -> tuple[Told, Kept]:
    return told, kept._replace(outbox=[kept.outbox[0]._replace(state="sent"), kept.outbox[1]])


@pytest.mark.parametrize(
    ("check", "damage"),
    [
        ("lost", without_outcome), ("lost", without_message), ("lost", without_complaint),
        ("lost", in_another_complaint), ("lost", only_redelivered),
        ("recorded twice", message_again), ("recorded twice", complaint_again), ("recorded twice", opened_again),
        ("miscounted", redelivery_uncounted), ("miscounted", one_too_many), ("miscounted", nobody_sent_it),
        ("miscounted", refused),
        ("buried", good_one_buried), ("buried", malformed_not_buried), ("buried", dead_without_outcome),
        ("answered twice", sent_again),
        ("unanswered", never_sent), ("unanswered", still_owed), ("unanswered", no_reply_owed),
        ("unanswered", owed_twice),
        ("reports lost", report_forgotten),
    ],
)  # fmt: skip
def test_each_damage_is_found(check: str, damage: Callable[[Told, Kept], tuple[Told, Kept]]) -> None:
    assert list(CHECKS[check](*damage(*sound())))


@pytest.mark.parametrize(
    "wrong",
    [{"received": 5}, {"lost": 1}, {"on_the_road": 1}, {"added": 2, "received": 5}, {"receipts": 1},
     {"recorded": 0, "redelivered": 2}],
)  # fmt: skip
def test_books_that_do_not_balance_are_found(wrong: dict[str, int]) -> None:
    assert list(unbalanced(*sound(), {"all": BOOKS | wrong}))


def test_more_received_than_sent_is_found_though_the_sum_is_right() -> None:
    told, kept = sound()
    told = told._replace(messages={A: Times(1), B: Times(1)})
    assert list(unbalanced(told, kept, {"all": BOOKS}))


def test_a_durable_request_whose_yes_was_cut_off_is_no_damage() -> None:
    told, kept = sound()
    told = told._replace(messages={A: Times(1, 1), B: Times(1)})
    assert not [wrong for check in CHECKS.values() for wrong in check(told, kept)]
    assert list(unbalanced(told, kept, {"all": BOOKS})) == []


def test_what_was_never_answered_yes_may_be_nowhere() -> None:
    told, kept = sound()
    told = told._replace(messages={**told.messages, "sms/sms/drill.2.0": Times(0, 3)})
    assert not [wrong for check in CHECKS.values() for wrong in check(told, kept)]


def test_replies_in_doubt_are_told_by_channel_and_are_no_damage() -> None:
    told, kept = sound()
    kept = kept._replace(outbox=[kept.outbox[0], kept.outbox[1]._replace(state="unknown", channel="sms")])
    assert in_doubt(kept) == {"reply-b": "sms"}
    assert not [wrong for check in CHECKS.values() for wrong in check(told._replace(sent={"reply-a": 1}), kept)]


def test_order_is_looked_at_within_a_talk_and_a_talk_has_one_complaint() -> None:
    assert list(disordered([["drill.1.0", "drill.1.1", "drill.1.2"], ["drill.2.0"]])) == []
    assert list(disordered([["drill.1.0", "drill.1.2", "drill.1.1"]])) == ["drill.1: stands as [0, 2, 1]"]
    assert list(disordered([["drill.1.0", "drill.1.0"]])) == ["drill.1: stands as [0, 0]"]
    assert list(disordered([["drill.1.0"], ["drill.1.1"]])) == ["drill.1: stands in 2 complaints"]

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from router.other_address import choose_address
from schemas import Message, Party, UndeliveredReply, VerifiedAddress, complaint_id, message_id
from sink import Record, apply_receipts
from sink.account_faults import set_account_fault
from sink.outbox_moves import Position, move_stuck, stuck_replies
from sink.outbox_queries import dismiss_replies, list_replies
from sink.outbox_results import store_results
from tests.sink.made import NAME, NOW, PHONE, message, receipt, replies, routed
from tests.sink.made_replies import claim, lease
from tests.sink.made_replies import store as store_only

WA = {"account": "wa", "channel": "whatsapp", "conversation": "62812/1"}
LATER = NOW + timedelta(days=3)
sqlite_alone = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
"""The SQL of these runs on PostgreSQL in the other tests."""


class Planner:
    """The shipped choice; every account sends."""

    speaking: Sequence[str] = ("sms", "wa")

    def choose(
        self, reply: UndeliveredReply, addresses: Sequence[VerifiedAddress], now: datetime
    ) -> VerifiedAddress | None:
        return choose_address(reply, addresses)


def by_whatsapp(n: int, **more: Any) -> Message:
    known = WA | {"id": message_id("whatsapp", "wa", f"m{n}")}
    return message(n, **(known | more))


def fail(record: Record, account: str = "sms", code: str = "absent", planner: Planner | None = None) -> None:
    """Every reply that this account owes is refused for good."""
    from sink.outbox_results import SendResult

    owed = claim(record, lease(record, accounts=(account,)), now=NOW)
    results = [SendResult(one, "failed", NOW, code=code) for one in owed]
    store_results(record, results, planner or Planner())
    store_results(record, results, planner or Planner())  # its answer was lost


def outbox(record: Record) -> list[tuple[str, str, str]]:
    """In the order in which they were owed; those instead of others last."""
    sql = "SELECT account, state, template FROM outbox ORDER BY instead_of IS NOT NULL, created_at, id"
    with record.read() as connection:
        rows = connection.exec_driver_sql(sql).all()
    return [(row.account, row.state, row.template) for row in rows]


def steps(record: Record, complaint: Message) -> list[tuple[str, str]]:
    sql = "SELECT what, why FROM timeline WHERE what LIKE 'reply_%%' AND complaint = "
    with record.read() as connection:
        rows = connection.exec_driver_sql(f"{sql} '{complaint_id(complaint.id)}' ORDER BY seq").all()
    return [(row.what, row.why) for row in rows]


def settle(record: Record, account: str) -> None:
    """What this account owed was delivered."""
    for owed in claim(record, lease(record, accounts=(account,)), now=NOW):
        store_only(record, owed, "sent")


@pytest.fixture
def known(record: Record) -> Record:
    """Siti wrote by WhatsApp before, which her phone proves."""
    yesterday = NOW - timedelta(days=1)
    replies(record, routed(by_whatsapp(1, received_at=yesterday)), now=yesterday)
    settle(record, "wa")
    return record


def test_a_refused_reply_goes_once_to_another_verified_address_of_its_citizen(known: Record) -> None:
    report = message(2)
    replies(known, routed(report))
    fail(known)
    assert outbox(known)[1:] == [("sms", "moved", "number_given"), ("wa", "owed", "number_given")]
    (owed,) = claim(known, lease(known, accounts=("wa",)), now=NOW)
    assert (owed.to, owed.complaint, owed.in_reply_to) == (WA["conversation"], complaint_id(report.id), None)
    assert steps(known, report) == [("reply_moved", "sms: absent; whatsapp")]


@sqlite_alone
def test_a_reply_that_fails_at_its_second_address_stands_on_the_list(known: Record) -> None:
    report = message(2)
    replies(known, routed(report))
    fail(known)
    fail(known, "wa", "window_closed")
    assert outbox(known)[1:] == [("sms", "moved", "number_given"), ("wa", "failed", "number_given")]
    assert [row.account for row in list_replies(known, "failed")] == ["wa"]
    assert steps(known, report)[1:] == [("reply_failed", "whatsapp: window_closed")]


@sqlite_alone
def test_an_officer_takes_a_reply_off_the_list(record: Record) -> None:
    report = message(2)
    replies(record, routed(report))
    fail(record)
    (row,) = list_replies(record, "failed")
    assert dismiss_replies(record, [row.id], now=NOW, dry_run=True) == [row.id]
    assert dismiss_replies(record, [row.id], now=NOW) == [row.id]
    assert dismiss_replies(record, [row.id], now=NOW) == []
    assert list_replies(record, "failed") == []
    assert steps(record, report)[-1] == ("reply_dismissed", "number_given")


def test_a_receipt_that_says_undelivered_moves_the_reply_too_and_one_that_comes_later_settles_it(known: Record) -> None:
    replies(known, routed(message(2)))
    (owed,) = claim(known, lease(known), now=NOW)
    store_results(known, [_sent(owed, "g1")], Planner())
    apply_receipts(known, [receipt("failed", 600, native_id="g1")], Planner())
    apply_receipts(known, [receipt("failed", 600, native_id="g1")], Planner())
    assert [state for _, state, _ in outbox(known)] == ["sent", "moved", "owed"]
    apply_receipts(known, [receipt("delivered", 601, native_id="g1")], Planner())
    assert [state for _, state, _ in outbox(known)] == ["sent", "delivered", "owed"]


@sqlite_alone
def test_a_receipt_before_the_channels_id_was_stored_moves_it_as_well(known: Record) -> None:
    replies(known, routed(message(2)))
    (owed,) = claim(known, lease(known), now=NOW)
    apply_receipts(known, [receipt("failed", 600, native_id="g1")], Planner())
    store_results(known, [_sent(owed, "g1")], Planner())
    assert [state for _, state, _ in outbox(known)] == ["sent", "moved", "owed"]


def _sent(owed: Any, native: str) -> Any:
    from sink.outbox_results import SendResult

    return SendResult(owed, "sent", NOW, native_ids=(native,), text="x")


NOT_HERS: Mapping[str, dict[str, Any]] = {
    "only claimed": {"proven": False},
    "another person of the same name": {"sender": Party(name=NAME, phone="+628120000999")},
    "an anonymous report of hers": {"anonymous": True},
    "a secret report of hers": {"secret": True},
    "another region's account": {"owner": "36.03"},
}


def test_what_is_not_a_verified_address_of_the_same_person_gets_nothing(record: Record) -> None:
    for n, (why, other) in enumerate(NOT_HERS.items(), 1):
        phone = f"+6281200010{n:02d}"
        one = {"conversation": f"62812/{n}", "sender": Party(name=NAME, phone=phone)}
        replies(record, routed(by_whatsapp(n, **(one | other))), now=NOW - timedelta(days=1))
        settle(record, "wa")
        report = message(50 + n, conversation=phone, sender=Party(name=NAME, phone=phone))
        replies(record, routed(report))
        fail(record)
        assert steps(record, report) == [("reply_failed", "sms: absent")], why
    assert [state for account, state, _ in outbox(record) if account == "sms"] == ["failed"] * len(NOT_HERS)


@sqlite_alone
@pytest.mark.parametrize("kind", ["anonymous", "secret"])
def test_a_withheld_report_is_answered_only_where_its_reporter_wrote_about_it(known: Record, kind: str) -> None:
    report = message(2, **{kind: True})
    replies(known, routed(report))
    fail(known)
    assert outbox(known)[-1][:2] == ("sms", "failed")
    addition = by_whatsapp(4, conversation="62812/7")
    replies(known, routed(addition, "added", report))
    settle(known, "wa")
    replies(known, routed(message(5, **{kind: True}), "added", report))
    again = list_replies(known, "failed")
    assert [row.template for row in again] == ["number_given"]
    _owe_again(known, again[0].id)
    fail(known)
    (owed,) = claim(known, lease(known, accounts=("wa",)), now=NOW)
    assert owed.to == "62812/7"


def _owe_again(record: Record, reply: str) -> None:
    from sink.outbox_queries import resend_replies

    assert resend_replies(record, now=NOW, ids=[reply]) == [reply]


@sqlite_alone
def test_a_reply_that_may_have_arrived_is_not_moved(known: Record) -> None:
    from sink.outbox_results import SendResult

    replies(known, routed(message(2)))
    (owed,) = claim(known, lease(known), now=NOW)
    store_results(known, [SendResult(owed, "unknown", NOW, code="unanswered")], Planner())
    assert [state for _, state, _ in outbox(known)] == ["sent", "unknown"]


@pytest.mark.parametrize(
    ("template", "code", "moves"),
    [("added", "absent", False), ("finished", "no_words", False), ("finished", "x", True)],
)
def test_the_planner_moves_what_a_citizen_needs_and_no_fault_of_ours(template: str, code: str, moves: bool) -> None:
    reply = UndeliveredReply(template=template, account="sms", channel="sms", code=code)
    one = VerifiedAddress(account="wa", channel="whatsapp", to="62", heard_at=NOW, of_this_report=False)
    assert choose_address(reply, [one]) == (one if moves else None)


def test_the_planner_prefers_what_refused_nothing_then_this_report_then_no_cost_then_the_latest() -> None:
    """It takes no address that everybody can read, and none that is closed."""
    reply = UndeliveredReply(template="finished", account="sms", channel="sms")

    def address(name: str, day: int, **more: Any) -> VerifiedAddress:
        known: dict[str, Any] = {"of_this_report": False, "heard_at": NOW + timedelta(days=day)}
        return VerifiedAddress(account=name, channel="x", to=name, **(known | more))

    ranked = [
        address("here", 0, of_this_report=True), address("free", 2), address("older", 1),
        address("costly", 9, costly=True), address("refused", 9, of_this_report=True, refused=True),
    ]  # fmt: skip
    unfit = [address(name, 10, of_this_report=True, **{name: True}) for name in ("public", "closed")]
    for n, best in enumerate(ranked):
        assert choose_address(reply, [*unfit, *reversed(ranked[n:])]) == best
    assert choose_address(reply, unfit) is None


@sqlite_alone
@pytest.mark.parametrize(
    ("ability", "code", "hours", "sends"),
    [
        ("send", "token", None, False), ("session", "token", None, False), ("poll", "token", None, True),
        ("fetch", "token", None, True), ("forward", "token", None, True), ("send", "rate_limited", 1, True),
        ("send", "held_back", 2, False), ("poll", "budget_spent", 40, False),
    ],
)  # fmt: skip
def test_an_account_that_cannot_send_is_no_other_address(
    known: Record, ability: str, code: str, hours: float | None, sends: bool
) -> None:
    retry_at = NOW + timedelta(hours=hours) if hours else None
    set_account_fault(known, "wa", code, "lapsed", ability=ability, now=NOW, retry_at=retry_at)
    replies(known, routed(message(2)))
    fail(known)
    assert outbox(known)[-1][:2] == (("wa", "owed") if sends else ("sms", "failed"))


def test_an_account_whose_quota_is_spent_gets_no_others_replies_for_a_day(known: Record) -> None:
    stranger = by_whatsapp(3, conversation="62812/9", sender=Party(phone="+628120000555"))
    replies(known, routed(stranger))
    fail(known, "wa", "quota_spent")
    replies(known, routed(message(2)))
    fail(known)
    (failed,) = [row.id for row in list_replies(known, "failed") if row.account == "sms"]
    _owe_again(known, failed)
    day = NOW + timedelta(days=1)
    assert [move_stuck(known, Planner(), [failed], "x", at) for at in (day - timedelta(seconds=1), day)] == [0, 1]


@pytest.mark.parametrize("refused", [True, False])
def test_an_address_that_refused_a_reply_after_its_citizen_wrote_there_last_is_shown_as_such(
    known: Record, refused: bool
) -> None:
    minute = timedelta(minutes=1)
    replies(known, routed(by_whatsapp(3, received_at=NOW - minute)), now=NOW)
    fail(known, "wa", "window_closed")
    again = NOW - minute if refused else NOW + minute
    replies(known, routed(by_whatsapp(4, received_at=again)), now=NOW)
    settle(known, "wa")
    seen: list[VerifiedAddress] = []

    class Watching(Planner):
        def choose(self, *known: Any) -> VerifiedAddress | None:
            seen.extend(known[1])
            return super().choose(*known)

    replies(known, routed(message(2)))
    fail(known, planner=Watching())
    assert [one.refused for one in seen] == [refused]


def test_replies_of_an_account_that_sends_nothing_for_long_are_moved_and_the_others_wait(known: Record) -> None:
    replies(known, routed(message(2)))
    stranger = message(3, conversation="+628120000555", sender=Party(phone="+628120000555"))
    replies(known, routed(stranger))
    assert stuck_replies(known, "sms", NOW - timedelta(days=1), None, 9) == []
    first = stuck_replies(known, "sms", LATER, None, 1)
    second = stuck_replies(known, "sms", LATER, first[0], 1)
    assert stuck_replies(known, "sms", LATER, second[0], 1) == []
    ids = [one.id for one in first + second]
    assert [move_stuck(known, Planner(), ids, "account_closed", LATER) for _ in range(2)] == [1, 0]
    assert sorted(outbox(known)[1:]) == [
        ("sms", "moved", "number_given"), ("sms", "owed", "number_given"), ("wa", "owed", "number_given"),
    ]  # fmt: skip
    assert steps(known, message(2)) == [("reply_moved", "sms: account_closed; whatsapp")]
    assert PHONE not in repr(steps(known, message(2)))


def test_where_nothing_can_be_moved_nothing_is_written(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    replies(record, routed(message(2)))
    ids = [one.id for one in stuck_replies(record, "sms", LATER, None, 9)]
    assert len(ids) == 1
    monkeypatch.setattr(Record, "write", None)
    assert move_stuck(record, Planner(), ids, "account_closed", LATER) == 0


@sqlite_alone
def test_a_page_of_what_an_account_owes_is_read_in_the_order_of_an_index(record: Record) -> None:
    plans = []

    def explain(connection: Any, _: Any, sql: str, values: Any, *__: Any) -> None:
        if sql.startswith("SELECT outbox.created_at"):
            plans.append([row[3] for row in connection.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)])

    event.listen(record.engine, "before_cursor_execute", explain)
    stuck_replies(record, "sms", LATER, Position(NOW, "x"), 200)
    ((plan,),) = plans
    assert "ix_outbox_account_created_at_id (account=? AND created_at>? AND created_at<?)" in plan

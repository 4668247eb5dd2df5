from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import text

from schemas import Receipt
from sink import Record, Vault, apply_receipts
from sink.account_faults import set_account_fault
from sink.hastening import hasten_replies
from sink.outbox import DAILY_LIMIT
from sink.outbox_claims import SETTLED_BY_NOBODY, SETTLED_BY_RECEIPT, claim_replies
from sink.outbox_queries import count_unsent, list_replies, mark_unknown, resend_replies
from sink.outbox_results import MAX_ATTEMPTS, SendResult, SendState, next_attempt, store_results
from sink.outbox_starts import start_replies
from tests.sink.conftest import OpenRecord
from tests.sink.made_replies import NOW, at, claim, enqueue, lease, one, reply, states, store, take_over


def test_a_reply_is_claimed_with_all_that_its_sending_needs(record: Record, vault: Vault) -> None:
    params = {"missing": ["place"]}
    new = reply(vault, 1, "+628120000177", template="number_given", params=params, in_reply_to="m1", complaint="c1")
    assert enqueue(record, new) == 1
    (owed,) = claim(record, lease(record))
    assert (owed.conversation, owed.to, owed.in_reply_to) == ("+628120000177", "+628120000177", "m1")
    assert (owed.template, owed.params, owed.number, owed.complaint) == ("number_given", params, "1000000001", "c1")
    assert (owed.created_at, owed.attempts, owed.epoch) == (NOW, 0, 1)


def test_addresses_stand_sealed_in_the_outbox(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1, "+628120000177", in_reply_to="m1"))
    with record.read() as connection:
        row = connection.execute(text("SELECT * FROM outbox")).one()
    assert not any(secret in repr(tuple(row)) for secret in ("628120000177", "m1"))


def test_a_reply_that_is_owed_twice_is_owed_once(record: Record, vault: Vault) -> None:
    for _ in range(2):
        enqueue(record, reply(vault, 1))
    assert states(record) == ["owed"]


def test_after_a_fault_a_reply_that_was_never_tried_comes_first(record: Record, vault: Vault) -> None:
    for n, conversation in enumerate(["budi", "siti", "siti", "tono"], 1):
        enqueue(record, reply(vault, n, conversation), now=at(n))
    epochs, tried = lease(record), []
    for second in range(10, 15):
        (owed,) = claim(record, epochs, room=1, now=at(second), probed={"sms"})
        store(record, owed, "owed", at=at(second), code="token_expired")
        tried.append(owed.conversation)
    assert tried == ["budi", "siti", "tono", "budi", "siti"]  # the second to siti waits behind the first


def test_a_reply_goes_from_owed_to_sent(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    epochs = lease(record)
    (owed,) = claim(record, epochs)
    assert states(record) == ["claimed"]
    assert claim(record, epochs, in_flight={owed.id}) == []
    store(record, owed, "sent", native_ids=("g1", "g2"), text="Terima kasih", at=at(1))
    assert one(record, "state, text, public_ids") == ("sent", "Terima kasih", '["g1","g2"]')
    assert claim(record, epochs, now=at(9)) == []


def test_the_state_of_the_complaint_goes_with_an_answer_about_it(record: Record, vault: Vault) -> None:
    with record.write() as connection:
        columns = (
            "id, number, owner, channel, account, raw, item_index, received_at, updated_at, report_class, anonymous, "
            "secret, reader, matcher, rules, status"
        )
        values = ", ".join(f"'{word}'" for word in ("c1", "1000000001", "", "", "", "raw-1"))
        rest = (
            "0, '2025-07-01 00:00:00.000000', '2025-07-01 00:00:00.000000', '', false, false, '', '', '', 'in_progress'"
        )
        connection.exec_driver_sql(f"INSERT INTO complaints ({columns}) VALUES ({values}, {rest})")
    enqueue(record, reply(vault, 1, template="status"), reply(vault, 2, template="status"))
    assert [owed.params["status"] for owed in claim(record, lease(record))] == ["in_progress", "unknown"]


def test_a_claim_whose_answer_was_lost_is_made_again_and_nothing_else_is(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n) for n in range(1, 6)])
    epochs = lease(record)
    arrived = claim(record, epochs, room=2)
    lost = claim(record, epochs, room=2, in_flight={owed.id for owed in arrived})
    again = claim(record, epochs, room=3, in_flight={owed.id for owed in arrived})
    assert [owed.id for owed in again[:2]] == [owed.id for owed in lost]
    assert len({owed.id for owed in arrived + again}) == 5


def test_lost_claims_come_back_before_new_ones_and_within_the_room(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n) for n in range(1, 5)])
    epochs = lease(record)
    lost = {owed.id for owed in claim(record, epochs, room=3)}
    again = claim(record, epochs, room=2)
    assert len(again) == 2
    assert {owed.id for owed in again} < lost


@pytest.mark.parametrize("carries", [True, False])
def test_a_claim_of_a_process_that_was_taken_over_becomes_unknown(record: Record, vault: Vault, carries: bool) -> None:
    enqueue(record, reply(vault, 1))
    claim(record, lease(record))
    epochs = take_over(record)
    assert claim(record, epochs, carries_reference={"sms"} if carries else (), now=at(60)) == []
    reason = SETTLED_BY_RECEIPT if carries else SETTLED_BY_NOBODY
    assert one(record, "state, code, reason") == ("unknown", "sender_lost", reason)
    assert claim(record, epochs, now=at(9000)) == []


def test_a_claim_whose_sending_had_not_started_is_owed_again(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1), reply(vault, 2))
    started, waiting = claim(record, lease(record), marks_start={"sms"})
    assert start_replies(record, [started]) == {started.id}
    epochs = take_over(record)
    claim(record, epochs, marks_start={"sms"}, now=at(60))
    assert states(record) == ["unknown", "owed"]
    (again,) = claim(record, epochs, marks_start={"sms"}, now=at(61))
    assert (again.id, again.repeated) == (waiting.id, False)
    assert start_replies(record, [waiting]) == set()  # its first holder wakes up
    assert start_replies(record, [again]) == {again.id} == start_replies(record, [again])


def test_a_process_that_was_taken_over_claims_nothing(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    old = lease(record)
    new = take_over(record)
    assert claim(record, old, now=at(60)) == []
    assert states(record) == ["owed"]
    assert len(claim(record, new, now=at(60))) == 1


def test_one_reply_of_a_conversation_is_claimed_at_a_time_oldest_first(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, "talk") for n in (3, 1, 2)], reply(vault, 4))
    epochs = lease(record)
    order = []
    for second in range(3):
        owed = next(owed for owed in claim(record, epochs, now=at(second)) if owed.conversation == "talk")
        assert not [o for o in claim(record, epochs, in_flight={owed.id}, now=at(second)) if o.conversation == "talk"]
        store(record, owed, "sent")
        order.append(owed.number)
    assert order == ["1000000003", "1000000001", "1000000002"]


def test_replies_of_one_batch_to_one_conversation_keep_their_order(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, "talk", person=str(n)) for n in range(50)])
    epochs = lease(record)
    order = []
    for _ in range(50):
        (owed,) = claim(record, epochs, now=at(1))
        store(record, owed, "sent")
        order.append(int(owed.number or 0) - 1_000_000_000)
    assert order == list(range(50))


def test_replies_to_one_conversation_keep_their_order_though_a_clock_is_behind(record: Record, vault: Vault) -> None:
    for n, second in enumerate((10, 3, 3, 0)):
        enqueue(record, reply(vault, n, "talk"), now=at(second))
    epochs = lease(record)
    order = []
    for _ in range(4):
        (owed,) = claim(record, epochs, now=at(11))
        store(record, owed, "sent")
        order.append(int(owed.number or 0) - 1_000_000_000)
    assert order == [0, 1, 2, 3]


def test_a_conversation_whose_reply_waits_blocks_nobody_else(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, "talk", person=str(n)) for n in range(300)])
    enqueue(record, *[reply(vault, n) for n in range(300, 310)], now=at(1))
    epochs = lease(record)
    (first,) = claim(record, epochs, room=1)
    store(record, first, "retry", due_at=at(600))
    numbers = [int(owed.number or 0) - 1_000_000_000 for owed in claim(record, epochs, room=5, now=at(2))]
    assert numbers == [300, 301, 302, 303, 304]


def test_a_later_reply_waits_for_an_earlier_one_that_is_tried_again(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1, "talk"), reply(vault, 2, "talk"))
    epochs = lease(record)
    (first,) = claim(record, epochs)
    store(record, first, "retry", due_at=at(60))
    assert claim(record, epochs, now=at(59)) == []
    (again,) = claim(record, epochs, now=at(60))
    assert again.id == first.id


def test_what_a_changed_account_tries_again_later_is_due_now(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1), reply(vault, 2, account="other"))
    epochs = lease(record, accounts=["sms", "other"])
    for owed in claim(record, epochs):
        store(record, owed, "retry", due_at=at(3600), code="retry")
    hasten_replies(record, ["sms"], at(5))
    assert claim(record, epochs, now=at(4)) == []
    (hastened,) = claim(record, epochs, now=at(5))
    assert (hastened.account, hastened.attempts) == ("sms", 1)


def test_each_account_has_a_room_of_its_own(record: Record, vault: Vault) -> None:
    accounts = ["full", "narrow", "wide", "foreign"]
    enqueue(
        record, *[reply(vault, n, account=account, source=f"{account}-{n}") for n in range(9) for account in accounts]
    )
    epochs = lease(record, accounts=accounts[:3])
    room = {"full": 0, "narrow": 2, "wide": 5, "foreign": 9}
    claimed = claim_replies(record, epochs, room, in_flight=(), now=at(1))
    assert sorted(owed.account for owed in claimed) == ["narrow"] * 2 + ["wide"] * 5


def test_more_accounts_than_one_statement_takes_are_claimed_together(record: Record, vault: Vault) -> None:
    accounts = [f"account-{n}" for n in range(600)]
    enqueue(record, *[reply(vault, n, account=account) for n, account in enumerate(accounts)])
    assert len(claim(record, lease(record, accounts=accounts), room=3, now=at(1))) == 600


@pytest.mark.parametrize(
    ("state", "ends"),
    [("sent", "sent"), ("unknown", "unknown"), ("failed", "failed"), ("retry", "owed"), ("owed", "owed")],
)
def test_a_result_that_is_stored_twice_is_stored_once(
    record: Record, vault: Vault, state: SendState, ends: str
) -> None:
    enqueue(record, reply(vault, 1))
    (owed,) = claim(record, lease(record))
    result = SendResult(owed, state, NOW, ("g1",), code="busy", reason="x", due_at=at(60))
    for _ in range(3):
        store_results(record, [result])
    assert one(record, "state, attempts") == (ends, int(state == "retry"))


@pytest.mark.parametrize("state", ["owed", "retry"])
def test_a_reply_whose_result_may_not_be_stored_yet_is_not_claimed_again(
    record: Record, vault: Vault, state: SendState
) -> None:
    enqueue(record, reply(vault, 1, "talk"), reply(vault, 2, "talk"))
    epochs = lease(record)
    (owed,) = claim(record, epochs)
    store(record, owed, state, due_at=NOW)  # and its answer is lost: the caller stores it once more
    assert claim(record, epochs, in_flight={owed.id}) == []
    store(record, owed, state, due_at=NOW)
    (again,) = claim(record, epochs)
    assert (again.id, again.attempts) == (owed.id, int(state == "retry"))


def test_the_result_of_an_earlier_claim_does_not_touch_the_next_one(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    epochs = lease(record)
    (first,) = claim(record, epochs)
    store(record, first, "retry", due_at=at(5))
    (second,) = claim(record, epochs, now=at(6))
    states_after = []
    for state in ("retry", "owed", "failed", "unknown"):
        store(record, first, state)
        states_after += states(record)
    assert states_after == ["claimed"] * 4
    store(record, second, "sent")
    assert states(record) == ["sent"]


def test_what_was_not_sent_is_tried_again_later_and_fails_at_last(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    epochs, now = lease(record), NOW
    for attempt in range(MAX_ATTEMPTS):
        (owed,) = claim(record, epochs, now=now)
        assert owed.attempts == attempt
        store(record, owed, "retry", due_at=now + timedelta(seconds=60), code="busy")
        assert claim(record, epochs, now=now + timedelta(seconds=59)) == []
        now += timedelta(seconds=60)
    assert one(record, "state, attempts, code") == ("failed", MAX_ATTEMPTS, "busy")


def test_an_attempt_that_failed_by_the_accounts_fault_does_not_count(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    epochs = lease(record)
    for second in range(3 * MAX_ATTEMPTS):
        (owed,) = claim(record, epochs, now=at(second))
        store(record, owed, "owed", at=at(second), code="token_expired")
    assert one(record, "state, attempts, code") == ("owed", 0, "token_expired")


def test_a_process_that_was_taken_over_settles_its_own_claims(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n) for n in range(1, 5)])
    claims = claim(record, lease(record))
    epochs = take_over(record)
    claim(record, epochs, now=at(60))
    assert states(record) == ["unknown"] * 4
    for owed, state in zip(claims, ("sent", "failed", "retry", "owed"), strict=True):
        store(record, owed, state, at=at(61))
    assert states(record) == ["sent", "failed", "owed", "owed"]


def test_a_reply_that_may_have_arrived_is_never_claimed_again(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    epochs = lease(record)
    (owed,) = claim(record, epochs)
    store(record, owed, "unknown", reason="no answer")
    assert claim(record, epochs, now=at(90_000)) == []
    assert claim(record, take_over(record), now=at(90_000)) == []


def test_a_receipt_that_came_before_the_result_is_applied_with_it(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n) for n in range(2)])
    early, other = claim(record, lease(record))
    about = {"account": "sms", "channel": "sms", "at": NOW, "received_at": NOW}
    apply_receipts(record, [Receipt(state="delivered", native_id="g1", raw="r1", **about)])
    apply_receipts(record, [Receipt(state="failed", native_id="g1", raw="r2", **about | {"account": "elsewhere"})])
    assert states(record) == ["claimed", "claimed"]
    store(record, early, "sent", native_ids=("g1",), text="Terima kasih")
    store(record, other, "sent", native_ids=("g2",))
    assert states(record) == ["delivered", "sent"]


def test_a_receipt_settles_a_reply_whose_sender_was_lost(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1))
    (owed,) = claim(record, lease(record))
    claim(record, take_over(record), now=at(60))
    about = {"account": "sms", "channel": "sms", "at": NOW, "received_at": NOW, "raw": "r1"}
    apply_receipts(record, [Receipt(state="delivered", reply=owed.id, **about)])
    assert states(record) == ["delivered"]


def test_twenty_automatic_answers_a_day_and_person(record: Record, vault: Vault) -> None:
    many = [reply(vault, n, "talk") for n in range(30)]
    assert enqueue(record, *many[:15]) == 15
    assert enqueue(record, *many[15:]) == 5
    assert enqueue(record, reply(vault, 99)) == 1
    assert states(record).count("suppressed") == 10
    assert len(claim(record, lease(record), now=at(1))) == 2  # the first of each conversation


def test_the_answers_of_officers_are_never_suppressed_and_do_not_count(record: Record, vault: Vault) -> None:
    officers = [reply(vault, n, "talk", automatic=False) for n in range(30)]
    assert enqueue(record, *officers) == 30
    assert enqueue(record, *[reply(vault, n, "talk") for n in range(30, 60)]) == DAILY_LIMIT
    assert enqueue(record, reply(vault, 60, "talk", automatic=False)) == 1


def test_a_new_day_begins_where_the_citizen_is(record: Record, vault: Vault) -> None:
    last_minute = datetime.fromisoformat("2025-07-01T23:59:00+07:00")
    assert enqueue(record, *[reply(vault, n, "talk") for n in range(21)], now=last_minute) == 20
    assert enqueue(record, reply(vault, 30, "talk"), now=last_minute + timedelta(minutes=2)) == 1


def test_two_processes_that_answer_one_person_count_together(open_record: OpenRecord, vault: Vault) -> None:
    together = Barrier(2)

    def run(record: Record, first: int) -> int:
        together.wait(30)
        return sum(enqueue(record, reply(vault, n, "talk")) for n in range(first, first + 20))

    with open_record() as one_process, open_record() as other, ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(run, (one_process, other), (0, 20)))
        assert sum(counts) == DAILY_LIMIT
        assert states(other).count("owed") == DAILY_LIMIT


def test_only_failed_and_unknown_replies_are_sent_again_by_wish(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n) for n in range(1, 5)])
    epochs = lease(record)
    sent, failed, unknown, _ = claims = claim(record, epochs)
    store(record, sent, "sent")
    store(record, failed, "failed", code="no_such_number")
    store(record, unknown, "unknown")
    everything = [owed.id for owed in claims]
    assert resend_replies(record, now=NOW, state="sent") == []
    assert resend_replies(record, now=at(5), ids=everything) == sorted([failed.id, unknown.id])
    assert states(record) == ["sent", "owed", "owed", "claimed"]
    again = claim(record, epochs, in_flight=everything[3:], now=at(5))
    assert [(owed.id, owed.attempts) for owed in again] == [(failed.id, 0), (unknown.id, 0)]


def test_replies_are_resent_by_state_and_account(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, account="sms" if n % 2 else "wa") for n in range(6)])
    for owed in claim(record, lease(record, accounts=("sms", "wa"))):
        store(record, owed, "failed")
    assert len(resend_replies(record, now=NOW, state="failed", account="wa")) == 3
    assert len(resend_replies(record, now=NOW, state="unknown")) == 0
    assert len(resend_replies(record, now=NOW, state="failed")) == 3


def test_what_a_restored_record_owes_is_not_sent_until_somebody_says_so(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, account="sms" if n % 2 else "wa") for n in range(4)])
    owed = mark_unknown(record, account="sms", dry_run=True)
    assert states(record) == ["owed"] * 4
    assert mark_unknown(record, account="sms") == owed
    assert [row.code for row in list_replies(record, "unknown")] == ["restored"] * 2
    epochs = lease(record, accounts=("sms", "wa"))
    assert {owed.account for owed in claim(record, epochs)} == {"wa"}
    assert resend_replies(record, now=NOW, ids=owed) == owed
    assert len(claim(record, epochs, in_flight=owed, now=NOW)) == 2


def test_replies_are_listed_with_the_reason_and_nothing_personal(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, account="sms" if n < 3 else "wa") for n in range(5)])
    epochs = lease(record, accounts=("sms", "wa"))
    claims = claim(record, epochs)
    store(record, claims[0], "failed", code="no_such_number", reason="the provider knows no such number")
    store(record, claims[1], "sent", text="Terima kasih")
    (failed,) = list_replies(record, "failed")
    assert (failed.account, failed.number, failed.code) == ("sms", "1000000000", "no_such_number")
    assert [row.state for row in list_replies(record)] == ["claimed", "claimed", "claimed", "failed"]
    assert [row.account for row in list_replies(record, "claimed", "wa")] == ["wa", "wa"]
    assert len(list_replies(record, limit=2)) == 2
    assert "62812" not in repr(list_replies(record))


def test_an_owed_reply_says_what_its_account_lacks(record: Record, vault: Vault) -> None:
    enqueue(record, reply(vault, 1, account="sms"), reply(vault, 2, account="wa"), reply(vault, 3, account="tg"))
    set_account_fault(record, "sms", "setting_missing", "set send_url of this account", now=NOW)
    set_account_fault(record, "tg", "unreachable", "no file could be fetched", ability="fetch", now=NOW)
    reasons = {row.account: (row.code, row.reason) for row in list_replies(record)}
    lacking = ("setting_missing", "set send_url of this account")
    assert reasons == {"sms": lacking, "wa": (None, None), "tg": (None, None)}


def test_unsent_replies_are_counted_by_account_and_state(record: Record, vault: Vault) -> None:
    enqueue(record, *[reply(vault, n, account="sms" if n < 3 else "wa") for n in range(5)])
    claims = claim(record, lease(record, accounts=("sms",)))
    store(record, claims[0], "failed")
    store(record, claims[1], "sent")
    counts = {(count.account, count.state): (count.replies, count.oldest) for count in count_unsent(record)}
    assert {key: replies for key, (replies, _) in counts.items()} == {
        ("sms", "failed"): 1, ("sms", "claimed"): 1, ("wa", "owed"): 2,
    }  # fmt: skip
    assert counts["wa", "owed"][1] == NOW + timedelta(microseconds=3)


def test_the_wait_before_the_next_attempt_grows_and_is_bounded() -> None:
    waits = [(next_attempt(NOW, attempts) - NOW).total_seconds() for attempts in range(12)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (3, 3600)
    assert next_attempt(NOW, 0, after=0.0) == at(1)
    assert next_attempt(NOW, 0, after=86_400.0) == at(3600)


def test_two_processes_never_claim_the_same_reply(open_record: OpenRecord, vault: Vault) -> None:
    together = Barrier(2)
    accounts = [f"account-{n}" for n in range(4)]

    def run(record: Record, holder: str) -> list[str]:
        claimed: list[str] = []
        together.wait(30)
        for turn in range(12):
            epochs = lease(record, holder, accounts, now=at(turn))
            for owed in claim(record, epochs, room=3, now=at(600)):
                store(record, owed, "sent")
                claimed.append(owed.id)
            if turn % 3 == 2:
                take_over(record, f"{holder}-{turn}", ())
        return claimed

    with open_record() as one_process, open_record() as other, ThreadPoolExecutor(2) as pool:
        enqueue(one_process, *[reply(vault, n, account=accounts[n % 4]) for n in range(80)])
        claimed = [owed for part in pool.map(run, (one_process, other), "ab") for owed in part]
        unknown = states(one_process).count("unknown")
    assert len(claimed) == len(set(claimed))
    assert len(claimed) + unknown >= 60

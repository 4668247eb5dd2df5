from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from schemas import Party, Receipt
from sink import Record, claim, note, owed, published, unclaim_stale, unpublish_stale
from sink.replies import words
from tests.sink.made import NOW, PHONE, books, counted, kept, message, number, raw, receipt, routed, rows


def states(record: Record) -> list[str]:
    return [state for (state,) in rows(record, "SELECT state FROM outbox ORDER BY raw, idx")]


def test_a_recorded_message_is_answered_with_its_number(record: Record) -> None:
    first = routed(message(1))
    assert kept(record, first) == 1
    (reply,) = owed(record, now=NOW)
    assert (reply.account, reply.to, reply.conversation, reply.in_reply_to) == ("sms", PHONE, PHONE, "m1")
    assert reply.number == first.complaint.number
    assert reply.number in reply.text
    assert reply.template == "number_given"


def test_what_is_missing_is_asked_for_in_the_same_reply(record: Record) -> None:
    kept(record, routed(message(1), missing=("text",)))
    (reply,) = owed(record, now=NOW)
    assert "ceritakan" in reply.text


def test_an_addition_a_question_and_an_unknown_number_have_their_own_words(record: Record) -> None:
    asked = message(3, command="CEK", number="1234567890")
    kept(record, routed(message(1)), routed(message(2), "added", message(1)), routed(asked, "added", message(1)))
    kept(record, routed(message(4, command="CEK", number="1"), "refused", reason="CEK: not one of our numbers"))
    assert [r.template for r in owed(record, now=NOW)] == ["number_given", "added", "status", "unknown_number"]


def test_the_status_is_told_as_it_is_on_record(record: Record) -> None:
    kept(record, routed(message(1)))
    with record.write() as connection:
        connection.exec_driver_sql("UPDATE complaints SET status = 'in_progress'")
    kept(record, routed(message(2, command="CEK"), "added", message(1), stranger=True))
    told = owed(record, now=NOW)[1]
    assert "sedang ditindaklanjuti" in told.text
    assert told.complaint is None  # a stranger's answer leads nowhere


@pytest.mark.parametrize(
    ("outcome", "more"),
    [("redelivered", {}), ("refused", {}), ("refused", {"refusal": "an echo", "command": "CEK"})]
    + [("added", {"kind": kind}) for kind in ("reaction", "edit", "deletion")],
)
def test_nothing_else_is_answered(record: Record, outcome: str, more: dict[str, str]) -> None:
    assert kept(record, routed(message(2, **more), outcome, message(1))) == 0


def test_a_channel_that_cannot_speak_owes_nothing(record: Record) -> None:
    assert kept(record, routed(message(1)), speaks=()) == 0
    assert states(record) == []


def test_no_more_than_twenty_answers_a_day_and_person(record: Record) -> None:
    many = [routed(message(n)) for n in range(1, 16)]
    assert kept(record, *many) == 15
    assert kept(record, *[routed(message(n)) for n in range(16, 31)]) == 5
    other = Party(phone="+628120000888")
    assert kept(record, routed(message(31, sender=other))) == 1
    assert kept(record, routed(message(32))) == 0
    assert states(record) == ["owed"] * 20 + ["withheld"] * 10 + ["owed", "withheld"]


def test_a_new_day_begins_where_the_citizen_is(record: Record) -> None:
    last_minute = datetime.fromisoformat("2025-07-01T23:59:00+07:00")
    assert kept(record, *[routed(message(n)) for n in range(1, 22)], now=last_minute) == 20
    assert kept(record, routed(message(30)), now=last_minute + timedelta(minutes=2)) == 1


def test_a_reply_goes_from_owed_to_sent(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    published(record, [reply.id], now=NOW)
    assert (states(record), owed(record, now=NOW)) == (["published"], [])
    assert claim(record, [reply.id], by="a", now=NOW) == {reply.id}
    assert claim(record, [reply.id], by="b", now=NOW) == set()
    note(record, [receipt("sent", reply=reply.id, native_id="g1")])
    assert rows(record, "SELECT state, native_id FROM outbox") == [("sent", "g1")]


def test_a_claim_whose_answer_was_lost_is_made_again_by_its_name_alone(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    published(record, [reply.id], now=NOW)
    assert claim(record, [reply.id], by="a-1", now=NOW) == {reply.id}
    assert claim(record, [reply.id], by="a-2", now=NOW) == claim(record, [reply.id], by="b-1", now=NOW) == set()
    assert claim(record, [reply.id], by="a-1", now=NOW) == {reply.id}
    note(record, [receipt("sent", reply=reply.id)])
    assert claim(record, [reply.id], by="a-1", now=NOW) == set()


def test_two_threads_never_claim_the_same_reply(record: Record) -> None:
    kept(record, *[routed(message(n, sender=Party(phone=f"+6281200{n:05d}"))) for n in range(1, 41)])
    ids = [reply.id for reply in owed(record, now=NOW)]
    with ThreadPoolExecutor(4) as pool:
        mine = list(pool.map(lambda who: [i for i in ids if claim(record, [i], by=who, now=NOW)], "abcd"))
    assert sorted(i for part in mine for i in part) == sorted(ids)


def test_what_was_not_sent_comes_back_later_and_at_last_fails(record: Record) -> None:
    kept(record, routed(message(1)))
    at = NOW
    for attempt in range(8):
        (reply,) = owed(record, now=at)
        published(record, [reply.id], now=at)
        claim(record, [reply.id], by="a", now=at)
        note(record, [receipt("retry", reply=reply.id, at=at, after=60.0, reason="busy")] * 2)
        assert owed(record, now=at + timedelta(seconds=59)) == []
        at += timedelta(seconds=60)
        assert rows(record, "SELECT attempts FROM outbox") == [(attempt + 1,)]
    assert states(record) == ["failed"]


def test_a_retry_heard_twice_does_not_take_back_the_next_claim(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    again = receipt("retry", reply=reply.id, after=5.0)
    note(record, [again])
    assert claim(record, [reply.id], by="b", now=NOW) == set()
    claim(record, [reply.id], by="b", now=NOW + timedelta(seconds=6))
    note(record, [again])
    assert states(record) == ["claimed"]


def test_what_the_relay_published_is_claimed_though_our_clock_is_behind_the_relays(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    note(record, [receipt("retry", reply=reply.id, after=30.0)])
    published(record, [reply.id], now=NOW + timedelta(seconds=31))
    assert claim(record, [reply.id], by="b", now=NOW) == {reply.id}


def test_what_was_put_back_is_published_again(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)  # faster than the relay, which has yet to note that it published
    note(record, [receipt("retry", reply=reply.id, after=30.0)])
    published(record, [reply.id], now=NOW)
    assert states(record) == ["owed"]
    assert len(owed(record, now=NOW + timedelta(seconds=30))) == 1


def test_a_claim_that_nobody_finishes_is_unknown_until_a_receipt_tells(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    assert unclaim_stale(record, before=NOW) == 0
    assert unclaim_stale(record, before=NOW + timedelta(seconds=1)) == 1
    assert (states(record), owed(record, now=NOW + timedelta(days=1))) == (["unknown"], [])
    note(record, [receipt("delivered", reply=reply.id, raw=raw(9))])
    assert states(record) == ["delivered"]


@pytest.mark.parametrize(
    ("told", "ends"),
    [(("sent", "delivered", "read"), "read"), (("read", "delivered", "sent"), "read"),
     (("delivered", "sent"), "delivered"), (("failed", "sent"), "failed"), (("sent", "failed"), "failed"),
     (("sent", "unknown"), "sent"), (("unknown",), "unknown")],
)  # fmt: skip
def test_receipts_move_a_reply_on_and_never_back(record: Record, told: tuple[str, ...], ends: str) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    for state in told:
        note(record, [receipt(state, reply=reply.id)])
    assert states(record) == [ends]


def test_a_receipt_with_the_channels_id_finds_its_reply_even_when_it_comes_first(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    early = receipt("delivered", native_id="g1", raw=raw(9))
    elsewhere = Receipt(account="other", channel="sms", state="failed", at=NOW, native_id="g1", raw=raw(10))
    note(record, [early, elsewhere])
    assert states(record) == ["claimed"]
    note(record, [receipt("sent", reply=reply.id, native_id="g1")])
    assert states(record) == ["delivered"]
    note(record, [receipt("read", native_id="g1", raw=raw(11))])
    assert states(record) == ["read"]


def test_a_withheld_reply_is_never_sent(record: Record) -> None:
    kept(record, *[routed(message(n)) for n in range(1, 22)])
    ((withheld,),) = rows(record, "SELECT id FROM outbox WHERE state = 'withheld'")
    assert claim(record, [withheld], by="a", now=NOW) == set()
    assert withheld not in {reply.id for reply in owed(record, now=NOW)}


def test_receipts_are_no_messages_in_the_books(record: Record) -> None:
    kept(record, routed(message(1)))
    told = message(2)
    note(record, [receipt("sent", reply=owed(record, now=NOW)[0].id, raw=told.raw)])
    counted(record, message(1), told)
    assert books(record) == {"received": 1, "recorded": 1, "receipts": 1}


def test_every_reply_fits_two_segments_of_plain_letters() -> None:
    statuses = ("unverified", "verified", "in_progress", "done", "archived", "rejected", "unknown", "kata asing")
    told = [words("status", number="1234567897", status=s) for s in statuses]
    told += [words(t, number="1234567897") for t in ("added", "unknown_number")]
    told += [words("number_given", number="1234567897", missing=m) for m in ((), ("text",), ("place",))]
    for text in told:
        assert len(text) <= 306
        assert text.isascii()
        assert not set(text) & set("^{}[]~|\\`\n")
    assert len(words("number_given", number=number(message(1).raw), missing=("text", "place"))) <= 306


def test_what_waited_long_before_it_was_published_is_not_astray(record: Record) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    published(record, [reply.id], now=NOW + timedelta(hours=5))
    assert unpublish_stale(record, before=NOW + timedelta(hours=4)) == 0
    assert unpublish_stale(record, before=NOW + timedelta(hours=6)) == 1
    assert states(record) == ["owed"]

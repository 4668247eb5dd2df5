from __future__ import annotations

from threading import Event, Thread

import pytest

from sink import Record, balance, booked, bury
from tests.sink.made import books, counted, dead, kept, message, routed, run


def test_every_message_has_one_place_in_the_books(record: Record) -> None:
    all_ = [message(n) for n in range(1, 7)]
    counted(record, *all_)
    kept(record, routed(all_[0]), routed(all_[1], "added", all_[0]), routed(all_[2], "redelivered"))
    kept(record, routed(all_[3], "refused"))
    bury(record, [dead(all_[4])])
    assert books(record, all_[5].raw) == {
        "received": 6, "recorded": 1, "added": 1, "redelivered": 1, "refused": 1, "dead": 1, "on_the_road": 1,
    }  # fmt: skip


def test_what_is_neither_kept_nor_on_the_road_is_lost(record: Record) -> None:
    counted(record, message(1), message(2))
    kept(record, routed(message(1)))
    assert books(record) == {"received": 2, "recorded": 1, "lost": 1}


def test_a_raw_counts_as_many_items_as_it_holds_once_that_is_known(record: Record) -> None:
    parts = [message(1, index=i, of=3, id=f"sms/sms/m{i}") for i in range(3)]
    counted(record, parts[0])
    assert books(record, parts[0].raw) == {"received": 1, "on_the_road": 1}
    kept(record, routed(parts[0]))
    assert books(record, parts[0].raw) == {"received": 3, "recorded": 1, "on_the_road": 2}
    kept(record, routed(parts[1]), routed(parts[2]))
    assert books(record) == {"received": 3, "recorded": 3}


def test_a_dead_raw_may_turn_out_to_hold_more(record: Record) -> None:
    counted(record, message(1))
    bury(record, [dead(message(1))])
    assert books(record) == {"received": 1, "dead": 1}
    kept(record, *(routed(message(1, index=i, of=2, id=f"sms/sms/m{i}")) for i in range(2)))
    assert books(record) == {"received": 2, "recorded": 2}


def test_accounts_have_lines_of_their_own(record: Record) -> None:
    other = message(2, account="wa", conversation="+628120000999")
    counted(record, message(1), other)
    kept(record, routed(message(1)), routed(other, "refused"))
    told = balance(record, booked(record), ())["accounts"]
    assert list(told) == ["sms", "wa"]
    assert (told["sms"]["recorded"], told["wa"]["refused"]) == (1, 1)


def test_counted_twice_is_received_once(record: Record) -> None:
    counted(record, message(1))
    counted(record, message(1), message(2))
    assert books(record, message(1).raw, message(2).raw) == {"received": 2, "on_the_road": 2}


@pytest.mark.parametrize(
    ("deleted", "lost"),
    [("outcomes WHERE outcome = 'recorded'", 1), ("outcomes WHERE outcome = 'refused'", 1), ("outcomes", 3),
     ("messages WHERE idx = 0", 2), ("complaints", 1)],
)  # fmt: skip
def test_a_row_deleted_by_hand_is_an_alarm(record: Record, deleted: str, lost: int) -> None:
    batch = [routed(message(1)), routed(message(2), "added", message(1)), routed(message(3), "refused")]
    kept(record, *batch)
    counted(record, *(event.complaint.message for event in batch))
    assert "lost" not in books(record)
    run(record, f"DELETE FROM {deleted}")
    assert books(record)["lost"] == lost


def test_a_lost_complaint_and_its_message_are_one_loss(record: Record) -> None:
    kept(record, routed(message(1)))
    counted(record, message(1))
    run(record, "DELETE FROM complaints")
    run(record, "DELETE FROM messages")
    assert books(record) == {"received": 1, "lost": 1}


def test_what_the_ledger_has_not_counted_yet_is_on_neither_side(record: Record) -> None:
    kept(record, routed(message(1)))
    assert books(record) == {}
    counted(record, message(1))
    assert books(record) == {"received": 1, "recorded": 1}


def test_the_books_balance_at_every_look_while_everything_moves(record: Record) -> None:
    road: set[str] = set()
    over = Event()

    def work(first: int) -> None:
        for n in range(first, first + 60):
            one = message(n, id=f"sms/sms/m{n}")
            road.add(one.raw)
            counted(record, one)
            kept(record, routed(one))
            road.discard(one.raw)

    workers = [Thread(target=work, args=(first,)) for first in (1000, 2000)]
    for worker in workers:
        worker.start()
    while not over.is_set():
        if not any(worker.is_alive() for worker in workers):
            over.set()
        last = booked(record)
        line = balance(record, last, list(road))["all"]
        ends = ("recorded", "added", "redelivered", "refused", "dead", "on_the_road")
        assert line["received"] == sum(line[end] for end in ends)
        assert line["lost"] == 0
    assert books(record) == {"received": 120, "recorded": 120}

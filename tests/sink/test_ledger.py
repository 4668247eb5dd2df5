from __future__ import annotations

from threading import Event, Thread

import pytest

from sink import Record, last_booked, read_balance, store_dead_letters
from tests.sink.made import dead, execute, ledger, message, persist, received, routed


def test_every_message_stands_in_one_column(record: Record) -> None:
    all_ = [message(n) for n in range(1, 8)]
    received(record, *all_)
    persist(record, routed(all_[0]), routed(all_[1], "added", all_[0]), routed(all_[2], "redelivered"))
    persist(record, routed(all_[3], "refused"), routed(all_[6], "asked", all_[0]))
    store_dead_letters(record, [dead(all_[4])])
    assert ledger(record, all_[5].raw) == {
        "received": 7, "recorded": 1, "added": 1, "asked": 1, "redelivered": 1, "refused": 1, "dead": 1, "in_flight": 1,
    }  # fmt: skip


def test_what_is_neither_kept_nor_in_flight_is_lost(record: Record) -> None:
    received(record, message(1), message(2))
    persist(record, routed(message(1)))
    assert ledger(record) == {"received": 2, "recorded": 1, "lost": 1}


def test_a_raw_counts_as_many_items_as_it_holds_once_that_is_known(record: Record) -> None:
    parts = [message(1, item_index=i, item_count=3, id=f"sms/sms/m{i}") for i in range(3)]
    received(record, parts[0])
    assert ledger(record, parts[0].raw) == {"received": 1, "in_flight": 1}
    persist(record, routed(parts[0]))
    assert ledger(record, parts[0].raw) == {"received": 3, "recorded": 1, "in_flight": 2}
    persist(record, routed(parts[1]), routed(parts[2]))
    assert ledger(record) == {"received": 3, "recorded": 3}


def test_a_dead_raw_may_turn_out_to_hold_more(record: Record) -> None:
    received(record, message(1))
    store_dead_letters(record, [dead(message(1))])
    assert ledger(record) == {"received": 1, "dead": 1}
    persist(record, *(routed(message(1, item_index=i, item_count=2, id=f"sms/sms/m{i}")) for i in range(2)))
    assert ledger(record) == {"received": 2, "recorded": 2}


def test_accounts_have_lines_of_their_own(record: Record) -> None:
    other = message(2, account="wa", conversation="+628120000999")
    received(record, message(1), other)
    persist(record, routed(message(1)), routed(other, "refused"))
    accounts = read_balance(record, last_booked(record), ())["accounts"]
    assert list(accounts) == ["sms", "wa"]
    assert (accounts["sms"]["recorded"], accounts["wa"]["refused"]) == (1, 1)


def test_booked_twice_is_received_once(record: Record) -> None:
    received(record, message(1))
    received(record, message(1), message(2))
    assert ledger(record, message(1).raw, message(2).raw) == {"received": 2, "in_flight": 2}


@pytest.mark.parametrize(
    ("deleted", "lost"),
    [("outcomes WHERE outcome = 'recorded'", 1), ("outcomes WHERE outcome = 'refused'", 1), ("outcomes", 3),
     ("messages WHERE item_index = 0", 2), ("complaints", 1)],
)  # fmt: skip
def test_a_row_deleted_by_hand_is_an_alarm(record: Record, deleted: str, lost: int) -> None:
    batch = [routed(message(1)), routed(message(2), "added", message(1)), routed(message(3), "refused")]
    persist(record, *batch)
    received(record, *(event.matched.item for event in batch))
    assert "lost" not in ledger(record)
    execute(record, f"DELETE FROM {deleted}")
    assert ledger(record)["lost"] == lost


def test_a_lost_complaint_and_its_message_are_one_loss(record: Record) -> None:
    persist(record, routed(message(1)))
    received(record, message(1))
    execute(record, "DELETE FROM complaints")
    execute(record, "DELETE FROM messages")
    assert ledger(record) == {"received": 1, "lost": 1}


def test_what_is_not_booked_yet_is_on_neither_side(record: Record) -> None:
    persist(record, routed(message(1)))
    assert ledger(record) == {}
    received(record, message(1))
    assert ledger(record) == {"received": 1, "recorded": 1}


def test_the_ledger_balances_while_everything_moves(record: Record) -> None:
    in_flight: set[str] = set()
    over = Event()

    def work(first: int) -> None:
        for n in range(first, first + 60):
            one = message(n, id=f"sms/sms/m{n}")
            in_flight.add(one.raw)
            received(record, one)
            persist(record, routed(one))
            in_flight.discard(one.raw)

    workers = [Thread(target=work, args=(first,)) for first in (1000, 2000)]
    for worker in workers:
        worker.start()
    while not over.is_set():
        if not any(worker.is_alive() for worker in workers):
            over.set()
        last = last_booked(record)
        line = read_balance(record, last, list(in_flight))["all"]
        ends = ("recorded", "added", "redelivered", "refused", "dead", "in_flight")
        assert line["received"] == sum(line[end] for end in ends)
        assert line["lost"] == 0
    assert ledger(record) == {"received": 120, "recorded": 120}

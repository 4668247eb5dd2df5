from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sink import Record, give_back_proof_attempt, take_proof_attempt
from tests.sink.conftest import OpenRecord
from tests.sink.made import NOW, rows

NUMBER = "1708000001"


def take(record: Record, seconds: float = 0, number: str = NUMBER) -> float:
    return take_proof_attempt(record, number, now=NOW + timedelta(seconds=seconds), most=3, refill=60)


def test_turns_are_used_up_and_come_back_one_by_one(record: Record) -> None:
    assert [take(record) for _ in range(4)] == [0, 0, 0, 60]
    assert take(record, 45) == 15
    assert [take(record, 60), take(record, 60)] == [0, 60]


def test_one_number_costs_another_nothing(record: Record) -> None:
    for _ in range(4):
        take(record)
    assert take(record, number="1708000002") == 0


def test_a_right_proof_costs_no_turn(record: Record) -> None:
    for _ in range(9):
        assert take(record) == 0
        give_back_proof_attempt(record, NUMBER, now=NOW, most=3, refill=60)


def test_rows_that_are_full_again_are_deleted_and_no_others(record: Record) -> None:
    take(record)
    take(record, 100, number="1708000002")
    take(record, 181, number="1708000003")
    assert rows(record, "SELECT count(*) FROM proof_attempts") == [(2,)]


def test_a_clock_that_goes_back_gives_no_turns(record: Record) -> None:
    for _ in range(3):
        take(record, 100)
    assert take(record, 0) == 60


def test_all_processes_share_one_limit(open_record: OpenRecord) -> None:
    with open_record() as one, open_record() as other, ThreadPoolExecutor(4) as pool:
        waits = list(pool.map(take, [one, other] * 10))
    assert sum(wait == 0 for wait in waits) == 3

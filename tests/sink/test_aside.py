from __future__ import annotations

from datetime import timedelta

from sink import Record, delete_aside, list_asides, put_account_aside, release_account
from tests.sink.made import NOW

LATER = NOW + timedelta(hours=1)


def put(record: Record, stage: str = "reader", account: str = "wa", code: str = "not_json") -> None:
    put_account_aside(record, stage, account, code=code, detail="", at=NOW)


def test_an_account_is_held_until_it_is_released(record: Record) -> None:
    put(record)
    put(record, "matcher")
    put(record, account="sms")
    assert [(row.stage, row.account, row.released_at) for row in list_asides(record)] == [
        ("matcher", "wa", None), ("reader", "sms", None), ("reader", "wa", None),
    ]  # fmt: skip
    assert release_account(record, "wa", LATER) == 2
    assert release_account(record, "wa", LATER) == 0
    assert [(row.account, row.released_at) for row in list_asides(record, "reader")] == [
        ("sms", None),
        ("wa", LATER),
    ]


def test_an_account_that_dies_on_is_held_again_in_the_same_lane(record: Record) -> None:
    put(record)
    release_account(record, "wa", LATER)
    put_account_aside(record, "reader", "wa", code="no_text", detail="x", at=LATER)
    (row,) = list_asides(record)
    assert (row.since, row.code, row.detail, row.released_at) == (NOW, "no_text", "x", None)


def test_a_row_is_closed_only_some_time_after_its_release(record: Record) -> None:
    put(record)
    delete_aside(record, "reader", "wa", LATER)
    assert len(list_asides(record)) == 1
    release_account(record, "wa", NOW)
    delete_aside(record, "reader", "wa", NOW)
    assert len(list_asides(record)) == 1
    delete_aside(record, "reader", "wa", LATER)
    assert list_asides(record) == []

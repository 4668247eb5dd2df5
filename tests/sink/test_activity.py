"""The hours in which accounts took something in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sink import Record, book_received
from sink.activity import DAYS, active_hours, hour_of
from tests.sink.made import rows

MIDNIGHT = datetime(2025, 7, 1, tzinfo=UTC)


def came(record: Record, *hours: int, account: str = "sms", n: int = 0) -> None:
    book_received(
        record, [(f"{account}-{n}-{hour}", account, MIDNIGHT + timedelta(hours=hour, minutes=5)) for hour in hours]
    )


def hours(record: Record, day: int = 0) -> dict[str, list[int]]:
    now = MIDNIGHT + timedelta(days=day, hours=23)
    return {name: [hour - hour_of(MIDNIGHT) for hour in found] for name, found in active_hours(record, now).items()}


def test_each_hour_is_remembered_once_however_often_something_came(record: Record) -> None:
    came(record, 3, 4, 27)
    came(record, 3, 5, n=1)
    came(record, 3, 5, n=1)  # the answer was lost
    came(record, 23, account="wa")
    assert hours(record, day=1) == {"sms": [3, 4, 5, 27], "wa": [23]}


def test_the_rows_of_an_account_stay_few(record: Record) -> None:
    for day in range(DAYS + 20):
        came(record, day * 24)
    came(record, 0, account="wa")
    assert rows(record, "SELECT account, count(*) FROM activity GROUP BY account ORDER BY account") == [
        ("sms", DAYS + 1), ("wa", 1),
    ]  # fmt: skip
    assert min(hours(record, day=DAYS + 19)["sms"]) == 19 * 24

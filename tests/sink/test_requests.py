"""Idempotency keys are kept as long as a caller may repeat a request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sink import Record, remember_request
from sink.requests import forget_requests, remember_for_a_while
from tests.sink.made import rows

AT = datetime(2026, 3, 2, tzinfo=UTC)


def raw_of(at: datetime) -> str:
    """The id of a Raw of that instant."""
    return str(UUID(int=int(at.timestamp() * 1000) << 80 | 0x7FFF << 64))


def test_l16_idempotency_keys_are_forgotten_in_time(record: Record) -> None:
    for number, at in enumerate([AT - timedelta(milliseconds=1), AT, AT + timedelta(days=1)]):
        remember_request(record, "key-1", str(number), "hash", raw_of(at))
    assert forget_requests(record, AT) == 1
    assert rows(record, "SELECT raw FROM requests ORDER BY raw") == [(raw_of(AT),), (raw_of(AT + timedelta(days=1)),)]


def test_a_key_stands_for_its_first_raw_for_a_while(record: Record) -> None:
    first, again, later = (raw_of(AT + timedelta(minutes=n)) for n in (0, 9, 11))
    window = timedelta(minutes=10)
    for raw, at, found in ((first, 0, first), (again, 9, first), (later, 11, later), (again, 12, later)):
        since = AT + timedelta(minutes=at) - window
        assert remember_for_a_while(record, "key-1", "words", raw, since) == found
    assert remember_for_a_while(record, "key-2", "words", again, AT) == again

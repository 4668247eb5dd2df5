from __future__ import annotations

from datetime import timedelta

from sink import Record, bury, dead_event, dead_list, dead_show
from tests.sink.made import NOW, PHONE, dead, kept, message, routed, rows


def test_a_letter_is_kept_whole_and_told_without_words(record: Record) -> None:
    letter = dead(message(1), message=message(1).id)
    bury(record, [letter])
    (told,) = dead_list(record, 10)
    assert told["id"] == letter.id
    assert told["at"] == "2025-07-01T03:00:00+00:00"
    assert (told["stage"], told["topic"], told["reason"], told["raw"]) == ("reader", "raw", "no text", message(1).raw)
    assert PHONE not in str(told)
    assert "Melati" not in str(dead_show(record, letter.id))
    assert dead_event(record, letter.id) == letter


def test_a_letter_that_nobody_wrote(record: Record) -> None:
    assert dead_show(record, "x") is None
    assert dead_event(record, "x") is None


def test_letters_are_listed_newest_first_until_what_they_hold_is_kept(record: Record) -> None:
    bury(record, [dead(message(n), n, at=NOW + timedelta(seconds=n)) for n in (1, 2, 3)])
    kept(record, routed(message(2)))
    assert [told["id"] for told in dead_list(record, 10)] == ["letter-3", "letter-1"]
    assert [told["id"] for told in dead_list(record, 1)] == ["letter-3"]


def test_an_item_has_one_letter_its_newest(record: Record) -> None:
    bury(record, [dead(message(1), 1), dead(message(1), 2)])
    bury(record, [dead(message(1), 3), dead(message(1), 3)])
    assert [told["id"] for told in dead_list(record, 10)] == ["letter-3"]
    assert rows(record, "SELECT count(*) FROM outcomes") == [(1,)]


def test_a_letter_without_a_raw_has_no_outcome(record: Record) -> None:
    bury(record, [dead(message(1), raw=None, account=None, channel=None)])
    assert len(dead_list(record, 10)) == 1
    assert rows(record, "SELECT count(*) FROM outcomes") == [(0,)]


def test_the_event_is_sealed(record: Record) -> None:
    bury(record, [dead(message(1))])
    ((sealed,),) = rows(record, "SELECT sealed FROM dead")
    assert b"Melati" not in bytes(sealed)
    assert PHONE.encode() not in bytes(sealed)

from __future__ import annotations

from datetime import timedelta

from sink import (
    Record,
    count_dead_letters,
    dismiss_dead_letters,
    list_dead_letters,
    load_dead_event,
    show_dead_letter,
    store_dead_letters,
)
from tests.sink.made import NOW, PHONE, dead, ledger, message, persist, received, routed, rows


def ids(record: Record, **only: str) -> list[str]:
    return [letter["id"] for letter in list_dead_letters(record, **only)]


def test_a_letter_is_stored_whole_and_shown_without_words(record: Record) -> None:
    letter = dead(message(1), message=message(1).id)
    store_dead_letters(record, [letter])
    (shown,) = list_dead_letters(record, 10)
    assert shown["id"] == letter.id
    assert shown["at"] == "2025-07-01T03:00:00+00:00"
    assert (shown["stage"], shown["topic"], shown["raw"]) == ("reader", "raw", message(1).raw)
    assert (shown["code"], shown["detail"]) == ("no_text", "there is no text in it")
    assert PHONE not in str(shown)
    assert "Melati" not in str(show_dead_letter(record, letter.id))
    assert load_dead_event(record, letter.id) == letter


def test_a_letter_that_does_not_exist(record: Record) -> None:
    assert show_dead_letter(record, "x") is None
    assert load_dead_event(record, "x") is None


def test_letters_are_listed_newest_first_until_what_they_hold_is_recorded(record: Record) -> None:
    store_dead_letters(record, [dead(message(n), n, at=NOW + timedelta(seconds=n)) for n in (1, 2, 3)])
    persist(record, routed(message(2)))
    assert ids(record) == ["letter-3", "letter-1"]
    assert [letter["id"] for letter in list_dead_letters(record, 1)] == ["letter-3"]


def test_letters_are_listed_and_counted_by_code_and_account(record: Record) -> None:
    letters = [dead(message(1), 1), dead(message(2), 2, code="not_json"), dead(message(3), 3, account="wa"),
               dead(message(4), 4, raw=None, account=None)]  # fmt: skip
    store_dead_letters(record, letters)
    assert ids(record, code="not_json") == ["letter-2"]
    assert ids(record, account="wa") == ["letter-3"]
    assert ids(record, account="wa", code="not_json") == []
    assert count_dead_letters(record) == {
        ("", "no_text"): 1, ("sms", "no_text"): 1, ("sms", "not_json"): 1, ("wa", "no_text"): 1,
    }  # fmt: skip


def test_an_item_has_one_letter_its_newest(record: Record) -> None:
    store_dead_letters(record, [dead(message(1), 1), dead(message(1), 2)])
    store_dead_letters(record, [dead(message(1), 3), dead(message(1), 3)])
    assert ids(record) == ["letter-3"]
    assert rows(record, "SELECT count(*) FROM outcomes") == [(1,)]


def test_a_letter_without_a_raw_has_no_outcome_and_can_be_dismissed(record: Record) -> None:
    store_dead_letters(record, [dead(message(1), raw=None, account=None, channel=None)])
    assert ids(record) == ["letter-1"]
    assert rows(record, "SELECT count(*) FROM outcomes") == [(0,)]
    assert dismiss_dead_letters(record, ["letter-1"], by="budi", now=NOW) == 1
    assert ids(record) == []


def test_a_dismissed_letter_is_refused_and_waits_no_longer(record: Record) -> None:
    store_dead_letters(record, [dead(message(1), 1), dead(message(2), 2)])
    received(record, message(1), message(2))
    assert dismiss_dead_letters(record, ["letter-1", "letter-1", "nobody's"], by="budi", now=NOW) == 1
    assert dismiss_dead_letters(record, ["letter-1"], by="ani", now=NOW) == 0
    assert (ids(record), count_dead_letters(record)) == (["letter-2"], {("sms", "no_text"): 1})
    assert ledger(record) == {"received": 2, "refused": 1, "dead": 1}
    shown = show_dead_letter(record, "letter-1")
    assert shown is not None
    assert (shown["dismissed_by"], shown["dismissed_at"]) == ("budi", "2025-07-01T03:00:00+00:00")


def test_what_was_recorded_meanwhile_cannot_be_dismissed(record: Record) -> None:
    store_dead_letters(record, [dead(message(1))])
    persist(record, routed(message(1)))
    assert dismiss_dead_letters(record, ["letter-1"], by="budi", now=NOW) == 0
    assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_the_event_is_sealed(record: Record) -> None:
    store_dead_letters(record, [dead(message(1))])
    ((sealed,),) = rows(record, "SELECT sealed FROM dead")
    assert b"Melati" not in bytes(sealed)
    assert PHONE.encode() not in bytes(sealed)

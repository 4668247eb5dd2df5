from __future__ import annotations

from schemas import Party
from sink import Record, search_record
from tests.sink.made import PHONE, decision, message, persist, recall, remember, routed
from tests.sink.made_replies import claim, lease, store

ACCOUNTS = [("sms", "sms")]


def recorded(record: Record, n: int = 1, **more: object) -> str:
    """The number of a report that went the whole way."""
    one = message(n, **more)
    known = recall(record, one)
    decided = decision(one, known)
    remember(record, [(one, decided)])
    persist(record, routed(one, number=decided.number))
    return str(decided.number)


def test_a_complaint_is_found_by_its_number_however_it_is_written(record: Record) -> None:
    number = recorded(record)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    for written in (number, f"{number[:4]} {number[4:7]}-{number[7:]}", full_width):
        (found,) = search_record(record, written)
        assert (found.by, found.number, found.status, found.outcome) == ("number", number, "unverified", "recorded")


def test_everything_that_a_phone_wrote_is_found_and_the_phone_is_not_shown(record: Record) -> None:
    number = recorded(record)
    persist(record, routed(message(2), "added", message(1)))
    persist(record, routed(message(3, sender=Party(phone="+628120000999"), conversation="x")))
    found = search_record(record, "0812-0000-177", phones=[PHONE])
    assert [(one.by, one.outcome) for one in found] == [("phone", "added"), ("phone", "recorded")]
    assert found[1].number == number
    assert PHONE not in str(found)


def test_a_message_is_found_by_the_channels_id_whatever_became_of_it(record: Record) -> None:
    recorded(record)
    refused = message(2)
    remember(record, [(refused, decision(refused, outcome="refused"))])
    persist(record, routed(refused, "refused", reason="an echo"))
    assert [(one.by, one.outcome) for one in search_record(record, "m1", accounts=ACCOUNTS)] == [("id", "recorded")]
    (found,) = search_record(record, "m2", accounts=ACCOUNTS)
    assert (found.outcome, found.reason, found.number) == ("refused", "an echo", None)
    assert search_record(record, message(1).id)[0].raw == message(1).raw


def test_every_message_under_an_id_that_came_again_is_found(record: Record) -> None:
    recorded(record)
    recorded(record, 2, id=f"{message(1).id}~2", conversation="c2", text="Lampu mati")
    found = search_record(record, "m1", accounts=ACCOUNTS)
    assert {one.raw for one in found} == {message(1).raw, message(2).raw}


def test_a_complaint_is_found_by_the_id_of_our_reply(record: Record) -> None:
    number = recorded(record)
    (owed,) = claim(record, lease(record))
    store(record, owed, "sent", native_ids=("g7",), text="x")
    assert [one.number for one in search_record(record, "g7", accounts=ACCOUNTS)] == [number]


def test_words_are_found_in_any_case_and_only_as_they_stand(record: Record) -> None:
    recorded(record, text="Jembatan di Ciburuy retak 100%", title="Jembatan")
    recorded(record, 2, conversation="c2", text="Lampu mati")
    assert [one.title for one in search_record(record, "ciburuy RETAK")] == ["Jembatan"]
    assert [one.by for one in search_record(record, "100%")] == ["words"]
    assert search_record(record, "_ampu") == []
    assert search_record(record, "  ") == []


def test_a_strangers_question_is_not_found_by_its_words(record: Record) -> None:
    recorded(record)
    persist(record, routed(message(2, text="CEK rahasia saya"), "asked", message(1), stranger=True))
    assert search_record(record, "rahasia saya") == []


def test_the_newest_come_first_and_not_too_many(record: Record) -> None:
    persist(record, *(routed(message(n)) for n in range(1, 9)))
    assert [one.raw for one in search_record(record, "melati", limit=3)] == [message(n).raw for n in (8, 7, 6)]

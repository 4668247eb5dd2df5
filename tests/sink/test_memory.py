from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from stdnum import luhn

from schemas import Message, Party, Retry, complaint_id, message_id
from schemas.memory import Decision
from sink import Record, Vault
from tests.sink.conftest import Opens
from tests.sink.made import NOW, PHONE, decision, kept, memory, message, routed, rows, run


def remembered(record: Record, *batch: Message, digest: str | None = None, **more: Any) -> list[Decision]:
    """Decide that each opens a complaint, and remember it."""
    told = memory(record)
    known = told.recall(batch, [digest] * len(batch))
    decided = [decision(m, known, **more) for m in batch]
    told.remember(batch, [digest] * len(batch), decided)
    return decided


def test_the_same_raw_has_the_stored_decision_whole(record: Record) -> None:
    (first,) = remembered(record, message(1), reason="no open conversation", missing=("text",))
    known = memory(record).recall([message(1)], [None])
    assert known.decided == {(message(1).raw, 0): first}
    assert known.seen == {message(1).id: first}
    assert known.fresh == {}


def test_another_raw_with_that_message_id_is_seen(record: Record) -> None:
    (first,) = remembered(record, message(1))
    again = message(2, id=message(1).id)
    known = memory(record).recall([again], [None])
    assert known.decided == {}
    assert known.seen[again.id] == first


def test_case_03_a_crash_between_remembering_and_keeping_is_no_duplicate_of_itself(opens: Opens) -> None:
    with opens() as record:
        (first,) = remembered(record, message(1))
    with opens() as record:  # nothing was kept, and the batch is run again
        known = memory(record).recall([message(1)], [None])
        assert known.decided[message(1).raw, 0] == first
        again = routed(message(1), "recorded", id=first.complaint, number=first.number)
        assert kept(record, again) == 1
        assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_case_02_of_two_processes_with_one_message_the_second_is_matched_again(opens: Opens) -> None:
    here, there = message(1), message(2, id=message(1).id)
    with opens() as one, opens() as other:
        known, unaware = memory(one).recall([here], [None]), memory(other).recall([there], [None])
        memory(one).remember([here], [None], [decision(here, known)])
        with pytest.raises(Retry) as told:
            memory(other).remember([there], [None], [decision(there, unaware)])
        assert told.value.after == 0
        assert memory(other).recall([there], [None]).seen[there.id].raw == here.raw


def test_a_batch_is_remembered_whole_or_not_at_all(record: Record) -> None:
    (first,) = remembered(record, message(1))
    batch = [message(2), message(3, id=message(1).id)]
    told = memory(record)
    known = told.recall([message(2)], [None])
    with pytest.raises(Retry):
        told.remember(batch, [None, None], [decision(batch[0], known), replace(first, raw=batch[1].raw)])
    assert rows(record, "SELECT count(*) FROM decisions") == [(1,)]


def test_a_redelivery_is_remembered_beside_the_first(record: Record) -> None:
    remembered(record, message(1))
    again = message(2, id=message(1).id)
    memory(record).remember([again], [None], [decision(again, outcome="redelivered")])
    assert memory(record).recall([again], [None]).seen[again.id].raw == message(1).raw


def test_fingerprints_last_ten_minutes(record: Record) -> None:
    (first,) = remembered(record, message(0, fingerprint="f"))
    soon, late = message(10, fingerprint="f"), message(11, fingerprint="f")
    assert memory(record).recall([soon], [None]).fingerprints == {"f": first}
    assert memory(record).recall([late], [None]).fingerprints == {}


def test_a_thread_is_found_by_conversation_and_by_alias(record: Record) -> None:
    (first,) = remembered(record, message(1, aliases=("US.1",)))
    known = memory(record).recall([message(2), message(3, conversation="US.1")], [None, None])
    assert set(known.threads) == {f"sms/{PHONE}", "sms/US.1"}
    thread = known.threads["sms/US.1"]
    assert (thread.complaint, thread.number, thread.closed) == (first.complaint, first.number, False)
    assert thread.last_at == message(1).received_at
    assert thread.last_at.utcoffset() == timedelta(0)


def test_what_joins_moves_the_thread_only_where_the_decision_says_so(record: Record) -> None:
    (first,) = remembered(record, message(1))
    joins = {"outcome": "added", "complaint": first.complaint, "number": first.number}
    for n, moves in ((5, True), (3, True), (9, False)):
        memory(record).remember([message(n)], [None], [decision(message(n), moves=moves, **joins)])
    thread = memory(record).recall([message(10)], [None]).threads[f"sms/{PHONE}"]
    assert thread.last_at == message(5).received_at


def test_a_closed_complaint_closes_its_thread(record: Record) -> None:
    (first,) = remembered(record, message(1))
    kept(record, routed(message(1), id=first.complaint, number=first.number))
    run(record, "UPDATE complaints SET status = 'done'")
    assert memory(record).recall([message(2)], [None]).threads[f"sms/{PHONE}"].closed


def test_what_was_said_is_found_by_each_identity(record: Record) -> None:
    siti = Party(phone=PHONE, user="whatsapp:US.1")
    (first,) = remembered(record, message(1, sender=siti), digest="d")
    later = message(2, sender=Party(user="whatsapp:US.1"))
    known = memory(record).recall([later], ["d"])
    assert known.said["whatsapp:US.1", "d"].complaint == first.complaint
    assert memory(record).recall([later], ["e"]).said == {}
    assert memory(record).recall([message(3, sender=Party(phone="+628120000999"))], ["d"]).said == {}


def test_a_complaint_asked_for_by_number_knows_its_reporter(record: Record) -> None:
    (first,) = remembered(record, message(1))
    mine = message(2, number=first.number, command="CEK")
    other = message(3, number=first.number, conversation="+628120000999", sender=Party(phone="+628120000999"))
    known = memory(record).recall([mine, other], [None, None])
    assert known.numbered[str(first.number)].reporter == {PHONE, f"sms/{PHONE}"}
    assert known.numbered[str(first.number)].complaint == first.complaint
    assert memory(record).recall([other], [None]).numbered[str(first.number)].reporter == frozenset()
    assert memory(record).recall([message(4, number="1234567897")], [None]).numbered == {}


def test_a_message_referred_to_leads_to_its_complaint(record: Record) -> None:
    (first,) = remembered(record, message(1))
    reaction = message(2, kind="reaction", refers_to="m1")
    known = memory(record).recall([reaction], [None])
    assert known.referred[message(1).id].complaint == first.complaint
    assert known.referred[message(1).id].reporter  # the same person asks


def test_a_stranger_who_refers_to_it_is_known_as_none_of_its_reporter(record: Record) -> None:
    remembered(record, message(1))
    stranger = message(3, kind="edit", refers_to="m1", conversation="other", sender=Party(phone="+628120000099"))
    known = memory(record).recall([stranger], [None])
    assert known.referred[message(1).id].reporter == frozenset()


def test_one_of_our_replies_referred_to_leads_to_its_complaint(record: Record) -> None:
    (first,) = remembered(record, message(1))
    kept(record, routed(message(1), id=first.complaint, number=first.number))
    run(record, "UPDATE outbox SET state = 'sent', native_id = 'g7'")
    known = memory(record).recall([message(2, refers_to="g7")], [None])
    assert known.referred[message_id("sms", "sms", "g7")].complaint == first.complaint


def test_numbers_are_valid_and_the_same_for_every_process(record: Record, vault: Vault) -> None:
    known = memory(record).recall([message(1), message(2)], [None, None])
    assert list(known.fresh) == [complaint_id(message(1).id), complaint_id(message(2).id)]
    assert all(luhn.is_valid(n) for n in known.fresh.values())
    assert known.fresh == {c: vault.number(c, 0) for c in known.fresh}


def test_a_number_that_is_taken_is_not_given_again(record: Record, vault: Vault) -> None:
    mine = complaint_id(message(1).id)
    remembered(record, message(9), number=vault.number(mine, 0))
    assert memory(record).recall([message(1)], [None]).fresh[mine] == vault.number(mine, 1)


def test_two_processes_never_give_one_number_twice(record: Record, vault: Vault) -> None:
    mine = complaint_id(message(1).id)
    known = memory(record).recall([message(1)], [None])
    remembered(record, message(9), number=vault.number(mine, 0))
    with pytest.raises(Retry):
        memory(record).remember([message(1)], [None], [decision(message(1), known)])
    assert memory(record).recall([message(1)], [None]).fresh[mine] == vault.number(mine, 1)


def test_a_large_batch_is_recalled_in_parts(record: Record) -> None:
    batch = [message(n, conversation=f"c{n}") for n in range(1, 1201)]
    remembered(record, *batch, digest="d")
    known = memory(record).recall(batch, ["d"] * len(batch))
    assert len(known.decided) == len(known.seen) == len(known.threads) == 1200
    assert known.threads["sms/c1"].last_at > NOW

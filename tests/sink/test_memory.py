from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace
from stdnum import luhn

from normalizer import Memory
from schemas import Message, Retry, complaint_id, message_id
from schemas.memory import Decision, Entry
from sink import Record, Vault
from tests.normalizer.memory_contract import MemoryContract
from tests.sink.conftest import OpenRecord
from tests.sink.made import NOW, PHONE, decision, execute, memory, message, persist, recall, remember, routed, rows


class TestRecordMemory(MemoryContract):
    """The tables fulfil the same contract as the matcher's double."""

    @pytest.fixture
    def memory(self, record: Record) -> Memory:
        return memory(record)


def opened(record: Record, *batch: Message, **more: object) -> list[Decision]:
    """Decide that each message opens a complaint, and remember it."""
    known = recall(record, *batch)
    decided = [decision(m, known, **more) for m in batch]
    remember(record, list(zip(batch, decided, strict=True)))
    return decided


def test_case_03_a_crash_between_remembering_and_persisting_is_no_duplicate_of_itself(open_record: OpenRecord) -> None:
    with open_record() as record:
        (first,) = opened(record, message(1))
    with open_record() as record:  # nothing was persisted, and the batch is run again
        assert recall(record, message(1)).decided[message(1).raw, 0] == first
        assert persist(record, routed(message(1), number=first.number)).replies == 1
        assert rows(record, "SELECT outcome FROM outcomes") == [("recorded",)]


def test_case_02_of_two_processes_with_one_message_the_second_is_matched_again(open_record: OpenRecord) -> None:
    here, there = message(1), message(2, id=message(1).id)
    with open_record() as one, open_record() as other:
        known, unaware = recall(one, here), recall(other, there)
        remember(one, [(here, decision(here, known))])
        with pytest.raises(Retry):
            remember(other, [(there, decision(there, unaware))])
        assert recall(other, there).seen[there.id].raw == here.raw


def test_decisions_that_were_erased_are_made_again_without_a_busy_loop(record: Record) -> None:
    first, second = message(1), message(2, conversation="c2")
    opened(record, first, second)
    for table in ("decisions", "threads"):
        execute(record, f"DELETE FROM {table}")
    opened(record, first, second)
    assert set(recall(record, first, second).decided) == {(first.raw, 0), (second.raw, 0)}


def test_an_id_that_came_again_with_other_content_comes_back_as_it_was_settled(record: Record) -> None:
    opened(record, message(1))
    other = message(2, id=message(1).id)
    settled = decision(other, message=f"{other.id}~2", complaint="c", number="1708000001", opens_complaint=True)
    memory(record).remember([Entry(item=other, decision=settled)])
    assert recall(record, other).decided[other.raw, 0].message == f"{other.id}~2"
    assert recall(record, replace(other, id=f"{other.id}~2")).seen[f"{other.id}~2"] == settled


def test_a_derived_id_comes_back_with_its_fingerprint(record: Record) -> None:
    first = message(0, id=message_id("sms", "sms", f"~{message(0).raw}.0"), fingerprint="f")
    (stored,) = opened(record, first)
    assert recall(record, message(10, fingerprint="f")).fingerprints == {"f": stored}
    assert recall(record, message(11, fingerprint="f")).fingerprints == {}


def test_a_closed_complaint_closes_its_thread_and_its_place_is_known(record: Record) -> None:
    (first,) = opened(record, message(1))
    persist(record, routed(message(1), number=first.number))
    execute(record, "UPDATE complaints SET status = 'done', place_code = '32.73'")
    thread = recall(record, message(2)).threads[f"sms/{PHONE}"]
    assert (thread.closed, thread.region) == (True, "32.73")


def test_one_of_our_replies_referred_to_leads_to_its_complaint(record: Record) -> None:
    (first,) = opened(record, message(1))
    persist(record, routed(message(1), number=first.number))
    with record.write() as connection:
        from sink.bulk import insert
        from sink.tables import reply_ids

        reply = connection.exec_driver_sql("SELECT id FROM outbox").scalar_one()
        insert(connection, reply_ids, [{"key": record.message_key("sms", "sms", "g7"), "reply": reply}])
    found = recall(record, message(2, refers_to="g7")).by_message[message_id("sms", "sms", "g7")]
    assert found.complaint == first.complaint


def test_a_foreign_id_keeps_leading_to_the_complaint_that_came_with_it_first(record: Record) -> None:
    first, second = opened(
        record, message(1, external_ids={"sp4n": "7"}), message(2, external_ids={"sp4n": "7"}, conversation="x")
    )
    found = recall(record, message(3, external_ids={"sp4n": "7"})).by_external_id["sp4n", "7"]
    assert first.complaint == found.complaint != second.complaint


def test_numbers_are_valid_and_the_same_for_every_process(record: Record, vault: Vault) -> None:
    numbers = recall(record, message(1), message(2)).new_numbers
    assert list(numbers) == [complaint_id(message(1).id), complaint_id(message(2).id)]
    assert all(luhn.is_valid(n) for n in numbers.values())
    assert numbers == {c: vault.number(c, 0) for c in numbers}


def test_a_number_that_is_taken_is_not_given_again(record: Record, vault: Vault) -> None:
    mine = complaint_id(message(1).id)
    unaware = recall(record, message(1))
    opened(record, message(9), number=vault.number(mine, 0))
    assert recall(record, message(1)).new_numbers[mine] == vault.number(mine, 1)
    with pytest.raises(Retry):
        remember(record, [(message(1), decision(message(1), unaware))])


def test_a_large_batch_is_recalled_in_chunks(record: Record) -> None:
    batch = [message(n, conversation=f"c{n}") for n in range(1, 1201)]
    opened(record, *batch)
    known = recall(record, *batch)
    assert len(known.decided) == len(known.seen) == len(known.threads) == 1200
    assert known.threads["sms/c1"].last_at == NOW + timedelta(minutes=1)

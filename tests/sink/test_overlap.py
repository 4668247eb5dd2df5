"""Two processes at the same rows at the same moment, on PostgreSQL, where nothing makes writers take turns."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import make_url

from schemas import Party, Retry
from sink import (
    Record,
    Vault,
    WrongKeys,
    apply_receipts,
    book_received,
    dismiss_dead_letters,
    list_dead_letters,
    remember_request,
    store_dead_letters,
)
from sink.database import Database
from sink.job_claims import claim_jobs
from sink.jobs import ClaimedJob, NewJob
from tests.sink.made import (
    NOW,
    acted,
    action,
    dead,
    decision,
    ledger,
    message,
    persist,
    raw,
    recall,
    receipt,
    remember,
    replies,
    routed,
    rows,
)
from tests.sink.made_jobs import begin_step, end_job, store_jobs
from tests.sink.made_replies import claim, lease, store, take_over
from tests.sink.overlap import Overlap

Patch = pytest.MonkeyPatch


@pytest.fixture
def record(postgres_url: str, vault: Vault) -> Iterator[Record]:
    with Record.open(postgres_url, vault, owners={"sms": "32.73"}) as opened:
        yield opened
        assert opened.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_case_02_two_matchers_with_two_copies_of_one_webhook_open_one_complaint(
    record: Record, monkeypatch: Patch
) -> None:
    first, copy = message(1), message(2, id=message(1).id)
    known = recall(record, first, copy)
    both = Overlap(record, monkeypatch, "sink.memory.execute_each")
    one, other = both.run(
        lambda: remember(record, [(first, decision(first, known))]),
        lambda: remember(record, [(copy, decision(copy, known))]),
    )
    one.result()
    with pytest.raises(Retry, match="first"):
        other.result()
    assert both.waited
    assert recall(record, copy).seen[copy.id].raw == first.raw
    assert rows(record, "SELECT count(*) FROM numbers") == [(1,)]


def test_two_sinks_with_the_same_batch_record_and_owe_it_once(record: Record, monkeypatch: Patch) -> None:
    people = [message(n, sender=Party(phone=f"+62812000{n:05d}")) for n in range(1, 31)]
    batch = [routed(m) for m in people]
    both = Overlap(record, monkeypatch, "sink.persist.enqueue_replies")
    one, other = both.run(lambda: replies(record, *batch), lambda: replies(record, *reversed(batch)))
    assert (both.waited, one.result(), other.result()) == (True, 30, 0)
    book_received(record, [(m.raw, m.account, m.received_at) for m in people])
    assert ledger(record) == {"received": 30, "recorded": 30}
    assert rows(record, "SELECT count(*) FROM outbox") == [(30,)]


def test_two_actions_on_one_complaint_are_applied_one_after_the_other(record: Record, monkeypatch: Patch) -> None:
    persist(record, routed(message(1)))
    done, late = action(7, "status", status="done"), action(6, "status", status="in_progress")
    both = Overlap(record, monkeypatch, "sink.actions.apply_action")
    both.run(lambda: persist(record, acted(done, message(1))), lambda: persist(record, acted(late, message(1))))
    assert both.waited
    assert rows(record, "SELECT status FROM complaints") == [("done",)]
    assert rows(record, "SELECT reason FROM actions ORDER BY raw") == [("older_than_the_current_status",), (None,)]


@pytest.mark.parametrize("sender_first", [True, False])
def test_a_receipt_and_the_result_that_brings_its_id_meet_in_either_order(
    record: Record, monkeypatch: Patch, sender_first: bool
) -> None:
    persist(record, routed(message(1)))
    (owed,) = claim(record, lease(record))

    def result() -> None:
        store(record, owed, "sent", native_ids=("g1",), text="x")

    def status() -> None:
        apply_receipts(record, [receipt("delivered", native_id="g1")])

    both = Overlap(
        record, monkeypatch, "sink.receipts._move" if not sender_first else "sink.outbox_results.settle_early"
    )
    one, other = both.run(*((result, status) if sender_first else (status, result)))
    assert (both.waited, one.result(), other.result()) == (True, None, None)
    assert rows(record, "SELECT state FROM outbox") == [("delivered",)]


def test_two_receipts_of_one_reply_both_count(record: Record, monkeypatch: Patch) -> None:
    persist(record, routed(message(1)))
    (owed,) = claim(record, lease(record))
    both = Overlap(record, monkeypatch, "sink.receipts._move", after=True)
    both.run(
        lambda: apply_receipts(record, [receipt("read", 500, reply=owed.id)]),
        lambda: apply_receipts(record, [receipt("delivered", 501, reply=owed.id)]),
    )
    assert both.waited
    assert rows(record, "SELECT state FROM outbox") == [("read",)]


@pytest.mark.parametrize("known", [True, False])
def test_an_item_with_two_letters_at_once_has_one(record: Record, monkeypatch: Patch, known: bool) -> None:
    if known:
        store_dead_letters(record, [dead(message(1), 1), dead(message(2), 11)])
    both = Overlap(record, monkeypatch, "sink.dead.execute_each")
    one, other = both.run(
        lambda: store_dead_letters(record, [dead(message(1), 2), dead(message(2), 12)]),
        lambda: store_dead_letters(record, [dead(message(2), 13), dead(message(1), 3)]),
    )
    assert (both.waited, one.result(), other.result()) == (True, None, None)
    assert sorted(letter["id"] for letter in list_dead_letters(record)) == ["letter-13", "letter-3"]


def test_a_letter_is_dismissed_by_one(record: Record, monkeypatch: Patch) -> None:
    store_dead_letters(record, [dead(message(1))])
    both = Overlap(record, monkeypatch, "sink.dead._waiting_of", after=True)
    one, other = both.run(
        lambda: dismiss_dead_letters(record, ["letter-1"], by="ani", now=NOW),
        lambda: dismiss_dead_letters(record, ["letter-1"], by="budi", now=NOW),
    )
    assert (both.waited, one.result(), other.result()) == (True, 1, 0)


def test_what_is_received_becomes_visible_in_its_order(record: Record, monkeypatch: Patch) -> None:
    both = Overlap(record, monkeypatch, "sink.ledger.insert", after=True)
    both.run(
        lambda: book_received(record, [(raw(2), "sms", NOW)]), lambda: book_received(record, [(raw(1), "sms", NOW)])
    )
    assert both.waited
    assert rows(record, "SELECT raw FROM received ORDER BY seq") == [(raw(2),), (raw(1),)]


def test_two_requests_with_one_key_get_the_same_raw(record: Record, monkeypatch: Patch) -> None:
    both = Overlap(record, monkeypatch, "sink.requests.insert", after=True)
    one, other = both.run(
        lambda: remember_request(record, "k", "k", "h", raw(1)), lambda: remember_request(record, "k", "k", "h", raw(2))
    )
    assert (both.waited, one.result(), other.result()) == (True, (raw(1), True), (raw(1), True))


def test_a_job_that_its_last_holder_ends_at_this_moment_stays_ended(record: Record, monkeypatch: Patch) -> None:
    store_jobs(record, [NewJob("job-1", "forward", "sms", "32.73")], NOW)
    [job] = claim_jobs(record, ["forward"], lease(record), {"sms": 1}, in_flight=(), now=NOW)
    job, epochs = begin_step(record, job, "create"), take_over(record)

    def claim_next() -> list[ClaimedJob]:
        return claim_jobs(record, ["forward"], epochs, {"sms": 1}, in_flight=(), now=NOW, state="unknown")

    assert claim_next() == []  # it is found to be in doubt
    both = Overlap(record, monkeypatch, "sink.job_claims._fitting")
    one, _ = both.run(claim_next, lambda: end_job(record, job, "done", NOW))
    assert (one.result(), rows(record, "SELECT state FROM jobs")) == ([], [("done",)])


def test_a_deadlock_is_a_retry(record: Record) -> None:
    both = Barrier(2)

    def lock(first: int, second: int) -> None:
        with record.write() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(9, %s)", (first,))
            both.wait(30)
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(9, %s)", (second,))

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(lock, 1, 2), pool.submit(lock, 2, 1)]
    faults = [end.exception() for end in ends]
    assert [type(fault) for fault in faults if fault] == [Retry]


def test_two_machines_make_the_tables_once(empty: str, vault: Vault, monkeypatch: Patch) -> None:
    def start() -> int:
        with Record.open(empty, vault) as opened:
            return len(rows(opened, "SELECT * FROM meta"))

    with closing(Database(make_url(empty), nullcontext())) as database:
        both = Overlap(database, monkeypatch, "sink.migrate._config")
        one, other = both.run(start, start)
    assert (both.waited, one.result(), other.result()) == (True, 2, 2)


def test_of_two_machines_that_begin_with_keys_of_their_own_the_second_stops(
    record: Record, tmp_path: Path, monkeypatch: Patch
) -> None:
    url = record.engine.url.render_as_string(hide_password=False)
    with record.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta")

    def start(name: str) -> None:
        with Record.open(url, Vault.create(tmp_path / name)):
            pass

    both = Overlap(record, monkeypatch, "sink.record.insert")
    late, early = both.run(lambda: start("late.toml"), lambda: start("early.toml"))
    assert early.result() is None
    with pytest.raises(WrongKeys, match="from the machine that works on this record"):
        late.result()

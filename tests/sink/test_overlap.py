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
from sink import Record, Vault, WrongKeys, bury, claim, count, dead_list, note, owed, relaying, remember_request
from sink.database import Database
from tests.sink.made import NOW, books, dead, decision, kept, memory, message, raw, receipt, routed, rows
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
    first, copy = message(1), message(2, id=message(1).id, native_id="m1")
    known = memory(record).recall([first, copy], [None, None])
    both = Overlap(record, monkeypatch, "sink.memory.run")
    one, other = both.run(
        lambda: memory(record).remember([first], [None], [decision(first, known)]),
        lambda: memory(record).remember([copy], [None], [decision(copy, known)]),
    )
    one.result()
    with pytest.raises(Retry, match="first"):
        other.result()
    assert both.waited
    assert memory(record).recall([copy], [None]).seen[copy.id].raw == first.raw
    assert rows(record, "SELECT count(*) FROM numbers") == [(1,)]


def test_two_sinks_with_the_same_batch_keep_and_owe_it_once(record: Record, monkeypatch: Patch) -> None:
    people = [message(n, sender=Party(phone=f"+62812000{n:05d}")) for n in range(1, 31)]
    batch = [routed(m) for m in people]
    both = Overlap(record, monkeypatch, "sink.persist.owe")
    one, other = both.run(lambda: kept(record, *batch), lambda: kept(record, *reversed(batch)))
    assert (both.waited, one.result(), other.result()) == (True, 30, 0)
    count(record, [(m.raw, m.account, m.received_at) for m in people])
    assert books(record) == {"received": 30, "recorded": 30}
    assert rows(record, "SELECT count(*) FROM outbox") == [(30,)]


def test_a_claim_is_given_to_one(record: Record, monkeypatch: Patch) -> None:
    kept(record, *[routed(message(n, sender=Party(phone=f"+62812000{n:05d}"))) for n in range(1, 41)])
    ids = [reply.id for reply in owed(record, now=NOW)]
    both = Overlap(record, monkeypatch, "sink.outbox.run")
    one, other = both.run(
        lambda: claim(record, ids[:30], by="a", now=NOW), lambda: claim(record, ids[:9:-1], by="b", now=NOW)
    )
    assert both.waited
    assert (one.result(), other.result()) == (set(ids[:30]), set(ids[30:]))


@pytest.mark.parametrize("speaker_first", [True, False])
def test_a_status_and_the_word_that_brings_its_id_meet_in_either_order(
    record: Record, monkeypatch: Patch, speaker_first: bool
) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    sent, status = receipt("sent", reply=reply.id, native_id="g1"), receipt("delivered", native_id="g1", raw=raw(9))
    first, second = (sent, status) if speaker_first else (status, sent)
    both = Overlap(record, monkeypatch, "sink.receipts._write")
    one, other = both.run(lambda: note(record, [first]), lambda: note(record, [second]))
    assert (both.waited, one.result(), other.result()) == (True, None, None)
    assert rows(record, "SELECT state, native_id FROM outbox") == [("delivered", "g1")]


def test_two_words_of_one_reply_both_count(record: Record, monkeypatch: Patch) -> None:
    kept(record, routed(message(1)))
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    both = Overlap(record, monkeypatch, "sink.receipts._write")
    both.run(
        lambda: note(record, [receipt("read", reply=reply.id)]),
        lambda: note(record, [receipt("sent", reply=reply.id, native_id="g1")]),
    )
    assert rows(record, "SELECT state, native_id FROM outbox") == [("read", "g1")]


def test_two_sinks_together_keep_to_a_persons_budget(record: Record, monkeypatch: Patch) -> None:
    here, there = ([routed(message(n)) for n in range(start, start + 15)] for start in (1, 101))
    both = Overlap(record, monkeypatch, "sink.outbox.put")
    one, other = both.run(lambda: kept(record, *here), lambda: kept(record, *there))
    assert (both.waited, one.result(), other.result()) == (True, 15, 5)


@pytest.mark.parametrize("known", [True, False])
def test_an_item_buried_twice_at_once_has_one_letter(record: Record, monkeypatch: Patch, known: bool) -> None:
    if known:
        bury(record, [dead(message(1), 1), dead(message(2), 11)])
    both = Overlap(record, monkeypatch, "sink.dead.run")
    one, other = both.run(
        lambda: bury(record, [dead(message(1), 2), dead(message(2), 12)]),
        lambda: bury(record, [dead(message(2), 13), dead(message(1), 3)]),
    )
    assert (both.waited, one.result(), other.result()) == (True, None, None)
    assert sorted(told["id"] for told in dead_list(record)) == ["letter-13", "letter-3"]


def test_what_is_received_becomes_visible_in_its_order(record: Record, monkeypatch: Patch) -> None:
    both = Overlap(record, monkeypatch, "sink.ledger.put", after=True)
    both.run(lambda: count(record, [(raw(2), "sms", NOW)]), lambda: count(record, [(raw(1), "sms", NOW)]))
    assert both.waited
    assert rows(record, "SELECT raw FROM received ORDER BY seq") == [(raw(2),), (raw(1),)]


def test_two_requests_with_one_key_are_told_the_same(record: Record, monkeypatch: Patch) -> None:
    both = Overlap(record, monkeypatch, "sink.requests.put", after=True)
    one, other = both.run(
        lambda: remember_request(record, "k", "k", "h", raw(1)), lambda: remember_request(record, "k", "k", "h", raw(2))
    )
    assert (both.waited, one.result(), other.result()) == (True, (raw(1), True), (raw(1), True))


def test_what_waits_in_a_circle_is_a_retry(record: Record) -> None:
    both = Barrier(2)

    def circle(first: int, second: int) -> None:
        with record.write() as connection:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(9, %s)", (first,))
            both.wait(30)
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(9, %s)", (second,))

    with ThreadPoolExecutor(2) as pool:
        ends = [pool.submit(circle, 1, 2), pool.submit(circle, 2, 1)]
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


def test_two_machines_that_begin_with_keys_of_their_own_are_told(
    record: Record, tmp_path: Path, monkeypatch: Patch
) -> None:
    url = record.engine.url.render_as_string(hide_password=False)
    with record.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta")

    def start(name: str) -> None:
        with Record.open(url, Vault.create(tmp_path / name)):
            pass

    both = Overlap(record, monkeypatch, "sink.record.put")
    late, early = both.run(lambda: start("late.toml"), lambda: start("early.toml"))
    assert early.result() is None
    with pytest.raises(WrongKeys, match="from the machine that works on this record"):
        late.result()


def test_one_relay_at_a_time(record: Record) -> None:
    with relaying(record) as one:
        with relaying(record) as other:
            assert (one, other) == (True, False)
        with relaying(record) as still:
            assert not still
    with relaying(record) as next_:
        assert next_

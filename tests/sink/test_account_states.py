from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from sqlalchemy import text

from sink import Record
from sink.account_faults import (
    StoredAccountFault,
    account_faults,
    clear_account_fault,
    sending_faults,
    set_account_fault,
)
from sink.account_states import list_account_states, touch_accounts
from sink.cursors import load_cursor, save_cursor
from sink.editions import Edition, edition_versions, latest_edition, publish_edition
from sink.processes import LiveProcess, forget_process, heartbeat, live_processes
from tests.sink.conftest import OpenRecord
from tests.sink.made_replies import NOW, at, lease


def test_a_fault_is_known_until_the_account_is_mended(record: Record) -> None:
    set_account_fault(record, "wa", "token_expired", "code 190", now=NOW, retry_at=at(600))
    set_account_fault(record, "sms", "no_credit", "", now=NOW)
    assert account_faults(record) == {
        "wa": [StoredAccountFault("token_expired", "code 190", NOW, at(600))],
        "sms": [StoredAccountFault("no_credit", "", NOW, None)],
    }  # fmt: skip
    assert not clear_account_fault(record, "wa", "poll")
    assert clear_account_fault(record, "wa", "send")
    assert not clear_account_fault(record, "wa", "send")
    assert account_faults(record).keys() == {"sms"}


def test_every_fault_of_an_account_is_known_first_the_one_by_which_nothing_goes_out(record: Record) -> None:
    set_account_fault(record, "wa", "quota_spent", "", ability="poll", now=NOW)
    set_account_fault(record, "wa", "unreachable", "", ability="fetch", now=at(1))
    assert sending_faults(record) == {}
    set_account_fault(record, "wa", "token_expired", "", ability="session", now=at(2))
    assert [fault.ability for fault in account_faults(record)["wa"]] == ["session", "poll", "fetch"]
    assert sending_faults(record)["wa"].code == "token_expired"
    assert clear_account_fault(record, "wa", "poll")
    assert [fault.ability for fault in account_faults(record)["wa"]] == ["session", "fetch"]


def test_the_same_fault_again_stays_as_old_as_it_is(record: Record) -> None:
    set_account_fault(record, "wa", "token_expired", "code 190", now=NOW)
    set_account_fault(record, "wa", "token_expired", "code 191", now=at(60), retry_at=at(90))
    assert account_faults(record)["wa"] == [StoredAccountFault("token_expired", "code 191", NOW, at(90))]
    set_account_fault(record, "wa", "blocked", "", now=at(70))
    assert account_faults(record)["wa"] == [StoredAccountFault("blocked", "", at(70), None)]


def test_cursor_fault_and_times_of_an_account_stand_beside_each_other(record: Record) -> None:
    epochs = lease(record, accounts=["mail"])
    touch_accounts(record, last_in={"mail": at(3)}, last_out={"mail": at(4), "sms": at(5)})
    set_account_fault(record, "mail", "no_login", "", now=at(6))
    save_cursor(record, "mail", epochs["mail"], "17", at(7))
    state = list_account_states(record)["mail"]
    assert (state.last_in_at, state.last_out_at, state.cursor_at) == (at(3), at(4), at(7))
    assert account_faults(record)["mail"] == [StoredAccountFault("no_login", "", at(6), None)]
    assert load_cursor(record, "mail") == "17"
    assert "sms" not in account_faults(record)


def test_the_times_of_an_account_never_go_back(record: Record) -> None:
    for second in (5, 9, 7):
        touch_accounts(record, last_in={"sms": at(second)})
    assert list_account_states(record)["sms"].last_in_at == at(9)


def test_an_edition_is_published_once_and_its_newest_version_is_found(record: Record) -> None:
    assert latest_edition(record, "rules") is None
    assert publish_edition(record, "rules", "a = 1", "siti", NOW) == 1
    assert publish_edition(record, "rules", "a = 1", "budi", at(1)) == 1
    assert publish_edition(record, "rules", "a = 2", "budi", at(2)) == 2
    assert publish_edition(record, "accounts", "[sms]", "siti", at(3)) == 1
    assert latest_edition(record, "rules") == Edition("rules", 2, "a = 2", "budi", at(2))
    assert edition_versions(record) == {"rules": 2, "accounts": 1}


def test_an_older_body_that_is_published_again_is_a_new_version(record: Record) -> None:
    for version, body in enumerate(("a = 1", "a = 2", "a = 1"), start=1):
        assert publish_edition(record, "rules", body, "siti", at(version)) == version


def test_bodies_of_editions_stand_sealed(record: Record) -> None:
    publish_edition(record, "accounts", 'token = "s3cret"', "siti", NOW)
    with record.read() as connection:
        assert "s3cret" not in repr(connection.execute(text("SELECT * FROM editions")).all())


def test_editions_that_are_published_at_once_get_a_version_each(open_record: OpenRecord) -> None:
    together = Barrier(2)

    def run(record: Record, who: str) -> list[int]:
        together.wait(30)
        return [publish_edition(record, "rules", f"{who} = {n}", who, NOW) for n in range(10)]

    with open_record() as one, open_record() as other, ThreadPoolExecutor(2) as pool:
        versions = [version for part in pool.map(run, (one, other), "ab") for version in part]
    assert sorted(versions) == list(range(1, 21))


def test_processes_at_work_are_seen_and_dead_ones_are_not(record: Record) -> None:
    for process in ("a", "b"):
        heartbeat(record, process, host="satu", stages=["reader", "sink"], started_at=NOW, now=NOW)
    heartbeat(record, "b", host="satu", stages=["reader"], started_at=NOW, now=at(1), report={"lag": 3})
    seen = {process.id: process for process in live_processes(record, at(2))}
    assert (seen["a"].stages, seen["a"].report) == (("reader", "sink"), {})
    assert (seen["b"].stages, seen["b"].report, seen["b"].started_at) == (("reader",), {"lag": 3}, NOW)
    forget_process(record, "b")
    assert [process.id for process in live_processes(record, at(2))] == ["a"]
    for other_time in ("2099-06-30", "2025-06-30"):  # the clock was ahead; long ago
        with record.write() as connection:
            connection.exec_driver_sql(f"UPDATE processes SET seen_at = '{other_time} 02:00:00.000000'")
        assert live_processes(record, at(2)) == []
    heartbeat(record, "c", host="dua", stages=["door"], started_at=NOW, now=at(3))
    with record.read() as connection:
        assert connection.execute(text("SELECT id FROM processes")).scalars().all() == ["c"]


def test_a_process_is_seen_by_one_clock(record: Record) -> None:
    heartbeat(record, "a", host="satu", stages=["sink"], started_at=NOW, now=NOW)
    (process,) = live_processes(record, NOW, timedelta(seconds=5))
    assert isinstance(process, LiveProcess)
    assert process.seen_at.tzinfo is UTC
    assert datetime(2025, 1, 1, tzinfo=UTC) < process.seen_at

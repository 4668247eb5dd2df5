from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import text

from sink import Record, Vault
from sink.cursors import load_cursor, save_cursor
from sink.leases import StaleEpoch, current_time, list_leases, live_leases, lock_epochs, release_leases, renew_leases
from tests.sink.conftest import OpenRecord

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)
ACCOUNTS = [f"account-{n}" for n in range(6)]


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def lapse(record: Record) -> None:
    """As if everybody had been away for a while; on PostgreSQL its own clock counts."""
    with record.write() as connection:
        connection.execute(text("UPDATE leases SET until = :at"), {"at": str(NOW - timedelta(days=1))[:26]})
        connection.execute(text("UPDATE lease_holders SET until = :at"), {"at": str(NOW - timedelta(hours=1))[:26]})


def holders(record: Record) -> dict[str, str]:
    return {lease.account: lease.holder for lease in list_leases(record)}


def test_one_process_holds_everything_and_keeps_its_epochs(record: Record) -> None:
    first = renew_leases(record, "a", ACCOUNTS, now=NOW)
    assert first == dict.fromkeys(ACCOUNTS, 1)
    assert renew_leases(record, "a", ACCOUNTS, now=later(5)) == first


def test_nobody_takes_what_is_held(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    assert renew_leases(record, "b", ACCOUNTS, now=later(5)) == {}


def test_a_lapsed_lease_is_taken_under_the_next_epoch(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    assert live_leases(record, later(5)) == dict.fromkeys(ACCOUNTS, "a")
    lapse(record)
    assert live_leases(record, later(15)) == {}
    assert renew_leases(record, "b", ACCOUNTS, now=later(15)) == dict.fromkeys(ACCOUNTS, 2)
    assert renew_leases(record, "a", ACCOUNTS, now=later(16)) == {}


def test_a_lapsed_lease_that_nobody_took_is_renewed_with_its_epoch(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    lapse(record)
    assert renew_leases(record, "a", ACCOUNTS, now=later(60)) == dict.fromkeys(ACCOUNTS, 1)


def test_leases_of_a_clock_that_was_ahead_lapse_in_time(record: Record) -> None:
    renew_leases(record, "dead", ACCOUNTS, now=NOW)
    ahead = str(datetime.now(UTC) + timedelta(days=1000))[:26]
    with record.write() as connection:
        for table in ("leases", "lease_holders"):
            connection.execute(text(f"UPDATE {table} SET until = :at"), {"at": ahead})
    assert renew_leases(record, "b", ACCOUNTS, now=later(5)) == {}  # a holder that lives renews it meanwhile
    with record.read() as connection:
        at = current_time(connection, later(5))
    assert {lease.until - at <= timedelta(seconds=15) for lease in list_leases(record)} == {True}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_holders_of_a_pool_that_nobody_runs_any_more_are_forgotten(record: Record) -> None:
    renew_leases(record, "old", ["forward/a"], now=NOW, pool="forward")
    renew_leases(record, "a", ACCOUNTS, now=later(86_000))
    assert _known_holders(record) == ["a", "old"]
    renew_leases(record, "a", ACCOUNTS, now=later(86_500))
    assert _known_holders(record) == ["a"]


def _known_holders(record: Record) -> list[str]:
    with record.read() as connection:
        return list(connection.execute(text("SELECT holder FROM lease_holders ORDER BY holder")).scalars())


def test_a_new_process_gets_its_share_of_the_idle_accounts(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    assert renew_leases(record, "b", ACCOUNTS, now=later(1)) == {}
    busy = set(ACCOUNTS) - {"account-1", "account-4"}
    left = renew_leases(record, "a", ACCOUNTS, now=later(5), idle=set(ACCOUNTS) - busy)
    assert left == dict.fromkeys(busy, 1)
    assert renew_leases(record, "b", ACCOUNTS, now=later(6)) == {"account-1": 2, "account-4": 2}
    assert len(renew_leases(record, "a", ACCOUNTS, now=later(10), idle=ACCOUNTS)) == 3
    assert len(renew_leases(record, "b", ACCOUNTS, now=later(11), idle=ACCOUNTS)) == 3


def test_the_shares_of_many_processes_differ_by_what_cannot_be_divided(record: Record) -> None:
    accounts = [f"account-{n:03}" for n in range(50)]
    for turn in range(3):
        counts = [len(renew_leases(record, f"p{n}", accounts, now=later(turn), idle=accounts)) for n in range(4)]
    assert sum(counts) == 50
    assert max(counts) <= 13


def test_what_a_process_gives_back_is_free_at_once(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    release_leases(record, "a", ["account-0"])
    assert holders(record)["account-0"] == ""
    release_leases(record, "a")
    assert renew_leases(record, "b", ACCOUNTS, now=later(1)) == dict.fromkeys(ACCOUNTS, 2)


def test_nobody_gives_back_what_another_holds(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    release_leases(record, "b", ACCOUNTS)
    assert set(holders(record).values()) == {"a"}


def test_an_account_that_is_not_wanted_any_more_lapses(record: Record) -> None:
    renew_leases(record, "a", ACCOUNTS, now=NOW)
    assert "account-0" not in renew_leases(record, "a", ACCOUNTS[1:], now=later(5))
    until = {lease.account: lease.until for lease in list_leases(record)}
    assert until["account-0"] < until["account-1"]


def test_a_write_of_an_older_epoch_is_refused(record: Record) -> None:
    assert load_cursor(record, "account-0") is None
    epochs = renew_leases(record, "a", ACCOUNTS, now=NOW)
    save_cursor(record, "account-0", epochs["account-0"], "100", NOW)
    lapse(record)
    taken = renew_leases(record, "b", ACCOUNTS, now=later(20))
    save_cursor(record, "account-0", taken["account-0"], "200", later(20))
    with pytest.raises(StaleEpoch):
        save_cursor(record, "account-0", epochs["account-0"], "150", later(21))
    assert load_cursor(record, "account-0") == "200"


def test_an_account_that_was_never_leased_has_no_epoch(record: Record) -> None:
    with record.write() as connection:
        assert lock_epochs(connection, {"account-0": 0}) == {}
    with pytest.raises(StaleEpoch):
        save_cursor(record, "account-0", 0, "1", NOW)


def test_processes_that_begin_at_once_never_hold_one_account_together(open_record: OpenRecord) -> None:
    accounts = [f"account-{n:02}" for n in range(20)]
    together = Barrier(4)

    def run(record: Record, holder: str) -> list[tuple[str, int]]:
        got: set[tuple[str, int]] = set()
        together.wait(30)
        for turn in range(15):
            held = renew_leases(record, holder, accounts, now=later(turn), idle=accounts)
            got |= set(held.items())
            if turn % 5 == 4:
                release_leases(record, holder)
        return sorted(got)

    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        records = [stack.enter_context(open_record()) for _ in range(4)]
        held = [pair for pairs in pool.map(run, records, "abcd") for pair in pairs]
    assert len(held) == len(set(held)), "two processes held an account under one epoch"
    assert len(held) >= 20


def test_a_takeover_waits_for_nobody_who_is_writing(postgres_url: str, vault: Vault) -> None:
    with Record.open(postgres_url, vault) as one, Record.open(postgres_url, vault) as other:
        epochs = renew_leases(one, "a", ACCOUNTS, now=NOW)
        lapse(one)
        with one.write() as connection:
            assert lock_epochs(connection, {"account-0": epochs["account-0"]})
            taken = renew_leases(other, "b", ACCOUNTS, now=later(20))
            assert taken == dict.fromkeys(ACCOUNTS[1:], 2)  # not the one about which "a" is writing
        assert renew_leases(other, "b", ACCOUNTS, now=later(21))["account-0"] == 2


def test_on_postgresql_the_clocks_of_the_processes_do_not_count(postgres_url: str, vault: Vault) -> None:
    with Record.open(postgres_url, vault) as record:
        renew_leases(record, "a", ACCOUNTS, now=datetime(2001, 1, 1, tzinfo=UTC))
        assert renew_leases(record, "b", ACCOUNTS, now=datetime(2099, 1, 1, tzinfo=UTC)) == {}
        with record.read() as connection:
            server = current_time(connection, NOW)
        assert live_leases(record, datetime(2099, 1, 1, tzinfo=UTC)) == dict.fromkeys(ACCOUNTS, "a")
        assert all(server < lease.until <= server + timedelta(seconds=15) for lease in list_leases(record))


class Leases(RuleBasedStateMachine):
    """Processes that come, work, sleep and end, with SQLite under a virtual clock."""

    record: ClassVar[Record]

    @initialize()
    def begin(self) -> None:
        with self.record.write() as connection:
            for table in ("leases", "lease_holders"):
                connection.exec_driver_sql(f"DELETE FROM {table}")
        self.seconds = 0.0
        self.held: dict[str, dict[str, int]] = {}
        self.deadline: dict[str, float] = {}
        self.owner: dict[tuple[str, int], str] = {}
        self.last: dict[str, int] = {}

    @rule(seconds=st.sampled_from([0.5, 5, 14, 16]))
    def time_passes(self, seconds: float) -> None:
        self.seconds += seconds

    @rule(holder=st.sampled_from("abc"), idle=st.sets(st.sampled_from(ACCOUNTS)))
    def renew(self, holder: str, idle: set[str]) -> None:
        before = self.held.get(holder, {})
        held = renew_leases(self.record, holder, ACCOUNTS, now=later(self.seconds), idle=idle)
        for account, epoch in held.items():
            assert self.owner.setdefault((account, epoch), holder) == holder
            assert epoch >= self.last.get(account, 0)
            assert epoch == before.get(account, epoch) or epoch > before[account]
            self.last[account] = epoch
        live = {h for h, until in self.deadline.items() if until > self.seconds} | {holder}
        share = -(-len(ACCOUNTS) // len(live))
        assert len(held) <= max(share, len(before))
        assert len(held.keys() & idle) <= share or not idle & before.keys()
        self.held[holder], self.deadline[holder] = held, self.seconds + 15

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        holder = data.draw(st.sampled_from(sorted(self.held)))
        release_leases(self.record, holder)
        self.held[holder] = {}
        self.deadline.pop(holder, None)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), account=st.sampled_from(ACCOUNTS))
    def write(self, data: st.DataObject, account: str) -> None:
        """What a holder writes under the newest epoch is taken, and nothing else."""
        holder = data.draw(st.sampled_from(sorted(self.held)))
        epoch = self.held[holder].get(account, 0)
        with self.record.write() as connection:
            taken = bool(lock_epochs(connection, {account: epoch}))
        assert taken == (epoch > 0 and epoch == self.last[account])

    @invariant()
    def no_account_has_two_live_holders(self) -> None:
        live = [h for h, until in self.deadline.items() if until > self.seconds]
        claimed = [account for holder in live for account in self.held[holder]]
        assert len(claimed) == len(set(claimed))


@pytest.fixture(autouse=True)
def _record(sqlite_record: Record) -> None:
    Leases.record = sqlite_record


Leases.TestCase.settings = settings(max_examples=40, stateful_step_count=25)
TestLeases = Leases.TestCase

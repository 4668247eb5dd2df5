"""A PostgreSQL that is unavailable: at the start, in the middle, or behind somebody else's lock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import DBAPIError

from schemas import Retry
from sink import Record, Vault, WrongKeys, is_new
from sink.database import faults_as_retry
from tests.services.postgres import Postgres
from tests.sink.made import message, replies, routed, rows

pytestmark = pytest.mark.service


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """One to be killed."""
    with Postgres() as postgres:
        yield postgres


def test_a_record_opens_while_its_server_is_unavailable_and_is_made_ready_later(server: Postgres, vault: Vault) -> None:
    url = server.new_database()
    server.stop()
    with Record.open(url, vault) as record:
        for _ in range(2):
            with pytest.raises(Retry, match="OperationalError"):
                replies(record, routed(message(1)))
        with pytest.raises(Retry):
            is_new(url)
        server.start()
        assert is_new(url)
        assert replies(record, routed(message(1))) == 1
        assert not is_new(url)
        assert record.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_keys_that_turn_out_wrong_make_no_dead_letter_and_say_what_to_do(
    server: Postgres, vault: Vault, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = server.new_database()
    with Record.open(url, vault):
        pass
    other = Vault.create(tmp_path / "other.toml")
    server.stop()
    with Record.open(url, other) as record:
        server.start()
        for _ in range(2):
            with pytest.raises(Retry, match="bring back the keys file") as raised:
                replies(record, routed(message(1)))
            assert raised.value.limit is None
        assert [r.levelname for r in caplog.records if "other keys" in r.message] == ["CRITICAL"] * 2
    with pytest.raises(WrongKeys, match="bring back the keys file"), Record.open(url, other):
        pass


def test_a_server_killed_under_an_open_record_is_waited_for(server: Postgres, vault: Vault) -> None:
    with Record.open(server.new_database(), vault) as record:
        assert replies(record, routed(message(1))) == 1
        with suppress(Retry), record.write() as connection:
            connection.exec_driver_sql("DELETE FROM messages")
            server.kill()
        for _ in range(2):
            with pytest.raises(Retry):
                replies(record, routed(message(2)))
        server.start()
        assert replies(record, routed(message(2))) == 1
        assert rows(record, "SELECT count(*) FROM messages") == [(2,)]
        assert record.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_server_that_was_restarted_between_two_batches_is_not_noticed(server: Postgres, vault: Vault) -> None:
    with Record.open(server.new_database(), vault) as record:
        replies(record, routed(message(1)))
        server.kill()
        server.start()
        assert replies(record, routed(message(2))) == 1


def test_a_session_ended_by_the_server_is_a_retry(server: Postgres, vault: Vault) -> None:
    url = server.new_database()
    with Record.open(url, vault) as record:
        with pytest.raises(Retry):
            _ended_in_the_middle(record, server)
        assert replies(record, routed(message(1))) == 1


@pytest.mark.parametrize(("limit", "state"), [("lock_timeout", "55P03"), ("statement_timeout", "57014")])
def test_a_lock_that_somebody_holds_is_a_retry(server: Postgres, vault: Vault, limit: str, state: str) -> None:
    url = server.new_database()
    first, later = routed(message(1)), routed(message(2), "added", message(1))
    with Record.open(url, vault) as record:
        replies(record, first)
    with (
        Record.open(f"{url}?options={quote(f'-c {limit}=50ms')}", vault) as record,
        psycopg.connect(_plain(url)) as other,
    ):
        other.execute("SELECT id FROM complaints FOR UPDATE")
        with pytest.raises(Retry, match=state):
            replies(record, later)
        other.rollback()
        assert replies(record, later) == 1


def test_tables_that_are_gone_are_no_fault_of_the_events(server: Postgres, vault: Vault) -> None:
    with Record.open(server.new_database(), vault) as record:
        with psycopg.connect(_plain(str(record.engine.url.render_as_string()))) as other:
            other.execute("ALTER TABLE messages RENAME TO elsewhere")
        with pytest.raises(Retry, match="42P01"):
            replies(record, routed(message(1)))


@pytest.mark.parametrize(
    "fault",
    [errors.IndexCorrupted(), errors.InternalError_(), errors.ReadOnlySqlTransaction(),
     sqlite3.DatabaseError("database disk image is malformed")],
)  # fmt: skip
def test_a_damaged_database_is_no_fault_of_the_events(fault: Exception) -> None:
    with pytest.raises(Retry), faults_as_retry():
        raise DBAPIError.instance("SELECT 1", None, fault, (psycopg.Error, sqlite3.Error))  # type: ignore[arg-type]


def test_the_limits_of_a_session_are_set(server: Postgres, vault: Vault) -> None:
    with Record.open(server.new_database(), vault) as record:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "synchronous_commit")
        assert [rows(record, f"SHOW {name}") for name in names] == [
            [("1min",)], [("30s",)], [("1min",)], [("on",)],
        ]  # fmt: skip


def _ended_in_the_middle(record: Record, server: Postgres) -> None:
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(_plain(server.url())) as other, record.write() as connection:
        other.execute(end, (record.engine.url.database,))
        connection.exec_driver_sql("DELETE FROM messages")


def _plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)

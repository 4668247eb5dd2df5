from __future__ import annotations

import resource
import sqlite3
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread
from unittest.mock import MagicMock

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, make_url, select

from schemas import Retry
from sink import Record, Vault, downgrade, is_new, remember_request, upgrade
from sink import database as module
from sink.instant import format_instant
from sink.leases import renew_leases
from sink.migrate import HEAD
from sink.tables import complaints, metadata
from tests.sink.conftest import OpenRecord
from tests.sink.made import NOW, execute, message, persist, raw, routed, rows


def test_the_migrations_make_what_the_tables_say(record: Record) -> None:
    with record.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert ScriptDirectory(str(Path(module.__file__).parent / "migrations")).get_heads() == [HEAD]


def test_the_tables_go_down_and_up_again(record: Record) -> None:
    downgrade(record)
    assert inspect(record.engine).get_table_names() == ["alembic_version"]
    upgrade(record)
    persist(record, routed(message(1)))
    assert set(metadata.tables) <= set(inspect(record.engine).get_table_names())


def test_a_record_opens_again_with_what_it_held(open_record: OpenRecord) -> None:
    with open_record() as record:
        persist(record, routed(message(1)))
    with open_record() as record, open_record() as other:
        assert rows(record, "SELECT count(*) FROM complaints") == [(1,)]
        assert rows(other, "SELECT count(*) FROM complaints") == [(1,)]


def test_instants_are_aware_and_utc_whatever_zone_they_came_in(record: Record) -> None:
    jakarta = datetime(2025, 7, 1, 10, 0, 0, 7, timezone(timedelta(hours=7)))
    persist(record, routed(message(1, received_at=jakarta)))
    with record.read() as connection:
        at = connection.execute(select(complaints.c.received_at)).scalar_one()
        found = connection.execute(select(complaints.c.id).where(complaints.c.received_at == jakarta)).all()
    assert (at, at.utcoffset(), len(found)) == (jakarta, timedelta(0), 1)


def test_any_instant_is_read_again_whatever_the_zone_of_the_server(postgres_url: str, vault: Vault) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    with Record.open(postgres_url, vault) as record:
        execute(record, f"ALTER DATABASE \"{make_url(postgres_url).database}\" SET timezone = 'Asia/Jakarta'")
    with Record.open(postgres_url, vault) as record:
        persist(record, routed(message(1, sent_at=last)))  # the Date of a mail says anything
        assert rows(record, "SELECT sent_at FROM messages") == [(last,)]


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        format_instant(datetime(2025, 7, 1))
    assert format_instant(datetime(2025, 7, 1, tzinfo=UTC)) < format_instant(datetime(2025, 7, 1, 0, 0, 0, 1, UTC))


def test_a_transaction_that_fails_leaves_nothing(record: Record) -> None:
    with suppress(ZeroDivisionError), record.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
        raise ZeroDivisionError
    assert len(rows(record, "SELECT * FROM meta")) == 2


def test_a_reading_transaction_sees_one_moment(record: Record) -> None:
    with record.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM messages").scalar()
        writer = Thread(target=persist, args=(record, routed(message(1))))
        writer.start()
        writer.join()
        assert connection.exec_driver_sql("SELECT count(*) FROM messages").scalar() == before == 0


def test_sqlite_is_set_up_to_survive_a_power_cut(sqlite_record: Record) -> None:
    record = sqlite_record
    found = [rows(record, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "wal_autocheckpoint")]
    assert found == ["wal", 2, 0]
    assert Path(str(record.engine.url.database)).stat().st_mode & 0o777 == 0o600


def test_the_log_is_copied_and_cut_under_the_turn(sqlite_record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    record = sqlite_record
    wal = Path(f"{record.engine.url.database}-wal")
    persist(record, *(routed(message(n)) for n in range(1, 200)))
    grown = wal.stat().st_size
    monkeypatch.setattr(module, "CHECKPOINT_ROWS", 10)
    monkeypatch.setattr(module, "WAL_LIMIT", grown // 2)
    persist(record, routed(message(300)))
    assert wal.stat().st_size == 0


def test_a_log_that_cannot_be_copied_now_takes_nothing_back(
    sqlite_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    persist(sqlite_record, *(routed(message(n)) for n in range(1, 500)))
    monkeypatch.setattr(module, "CHECKPOINT_ROWS", 1)
    persist(sqlite_record, routed(message(500)))  # the file has all rows now, and the log begins anew
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = Path(str(sqlite_record.engine.url.database)).stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))  # as a full disk
    try:
        persist(sqlite_record, *(routed(message(n)) for n in range(501, 650)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert rows(sqlite_record, "SELECT count(*) FROM complaints") == [(649,)]


def test_a_writer_without_a_connection_keeps_no_other_waiting_and_leases_have_their_own(
    tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "POOL_WAIT", 0.01)
    turn = MagicMock()
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", vault, turn) as record, ExitStack() as readers:
        for _ in range(module.CONNECTIONS):
            readers.enter_context(record.read())
        turn.reset_mock()
        with pytest.raises(Retry, match="all connections are in use"), record.write():
            pass
        turn.__enter__.assert_not_called()
        assert renew_leases(record, "holder", ["sms"], now=NOW) == {"sms": 1}


def test_a_locked_database_is_a_retry_and_wrong_sql_is_not(tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    with Record.open(url, vault) as record:
        with pytest.raises(Exception, match="no such table"):
            execute(record, "DELETE FROM nowhere")
        rows(record, "PRAGMA busy_timeout=1")
        other = sqlite3.connect(tmp_path / "record.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retry, match="locked"):
            execute(record, "DELETE FROM meta")
        other.close()


def test_a_new_record_is_known_as_new(open_record: OpenRecord, tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'another.db'}"
    assert is_new(url)
    with Record.open(url, vault):
        assert not is_new(url)


def test_a_record_needs_no_open(tmp_path: Path, vault: Vault) -> None:
    database = module.Database(make_url(f"sqlite:///{tmp_path / 'record.db'}"), nullcontext())
    one, other = Record(database, vault), Record(database, vault)
    persist(one, routed(message(1)))
    assert rows(other, "SELECT count(*) FROM complaints") == [(1,)]
    database.close()


def test_idempotency_keys_stand_for_their_first_request(record: Record) -> None:
    assert remember_request(record, "key-1", "k", "hash", raw(1)) == (raw(1), True)
    assert remember_request(record, "key-1", "k", "hash", raw(2)) == (raw(1), True)
    assert remember_request(record, "key-1", "k", "other", raw(3)) == (raw(1), False)
    assert remember_request(record, "key-2", "k", "hash", raw(4)) == (raw(4), True)

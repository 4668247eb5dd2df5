from __future__ import annotations

import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from schemas import Attachment, Retry
from sink import Record, Vault, downgrade, fetched, fresh, remember_request, unfetched, upgrade, wanted
from sink import database as module
from sink.instant import stamp
from sink.migrate import HEAD
from sink.tables import complaints, metadata
from tests.sink.conftest import Opens
from tests.sink.made import NOW, kept, message, raw, routed, rows, run


def test_the_migrations_make_what_the_tables_say(record: Record) -> None:
    with record.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert ScriptDirectory(str(Path(module.__file__).parent / "migrations")).get_heads() == [HEAD]


def test_the_tables_go_down_and_up_again(record: Record) -> None:
    downgrade(record)
    assert inspect(record.engine).get_table_names() == ["alembic_version"]
    upgrade(record)
    kept(record, routed(message(1)))
    assert set(metadata.tables) <= set(inspect(record.engine).get_table_names())


def test_a_record_opens_again_with_what_it_held(opens: Opens) -> None:
    with opens() as record:
        kept(record, routed(message(1)))
    with opens() as record, opens() as other:
        assert rows(record, "SELECT count(*) FROM complaints") == [(1,)]
        assert rows(other, "SELECT count(*) FROM complaints") == [(1,)]


def test_instants_are_aware_and_utc_whatever_zone_they_came_in(record: Record) -> None:
    jakarta = datetime(2025, 7, 1, 10, 0, 0, 7, timezone(timedelta(hours=7)))
    kept(record, routed(message(1, received_at=jakarta)))
    with record.read() as connection:
        at = connection.execute(select(complaints.c.received_at)).scalar_one()
        found = connection.execute(select(complaints.c.id).where(complaints.c.received_at == jakarta)).all()
    assert (at, at.utcoffset(), len(found)) == (jakarta, timedelta(0), 1)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        stamp(datetime(2025, 7, 1))
    assert stamp(datetime(2025, 7, 1, tzinfo=UTC)) < stamp(datetime(2025, 7, 1, 0, 0, 0, 1, UTC))


def test_a_transaction_that_fails_leaves_nothing(record: Record) -> None:
    with suppress(ZeroDivisionError), record.write() as connection:
        connection.exec_driver_sql("DELETE FROM meta")
        raise ZeroDivisionError
    assert len(rows(record, "SELECT * FROM meta")) == 2


def test_a_reading_transaction_sees_one_moment(record: Record) -> None:
    with record.read() as connection:
        before = connection.exec_driver_sql("SELECT count(*) FROM messages").scalar()
        writer = Thread(target=kept, args=(record, routed(message(1))))
        writer.start()
        writer.join()
        assert connection.exec_driver_sql("SELECT count(*) FROM messages").scalar() == before == 0


def test_sqlite_is_set_up_to_survive_a_power_cut(record: Record) -> None:
    if record.engine.dialect.name != "sqlite":
        return
    found = [rows(record, f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "wal_autocheckpoint")]
    assert found == ["wal", 2, 0]
    assert Path(str(record.engine.url.database)).stat().st_mode & 0o777 == 0o600


def test_the_log_is_copied_and_cut_under_the_turn(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    if record.engine.dialect.name != "sqlite":
        return
    wal = Path(f"{record.engine.url.database}-wal")
    kept(record, *(routed(message(n)) for n in range(1, 200)))
    grown = wal.stat().st_size
    monkeypatch.setattr(module, "CHECKPOINT_ROWS", 10)
    monkeypatch.setattr(module, "WAL_LIMIT", grown // 2)
    kept(record, routed(message(300)))
    assert wal.stat().st_size == 0


def test_a_locked_database_is_a_retry_and_wrong_sql_is_not(tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'record.db'}"
    with Record.open(url, vault) as record:
        with pytest.raises(Exception, match="no such table"):
            run(record, "DELETE FROM nowhere")
        rows(record, "PRAGMA busy_timeout=1")
        other = sqlite3.connect(tmp_path / "record.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Retry, match="locked"):
            run(record, "DELETE FROM meta")
        other.close()


def test_a_new_record_is_told_from_an_old_one(opens: Opens, tmp_path: Path, vault: Vault) -> None:
    url = f"sqlite:///{tmp_path / 'another.db'}"
    assert fresh(url)
    with Record.open(url, vault):
        assert not fresh(url)


def test_idempotency_keys_stand_for_their_first_request(record: Record) -> None:
    assert remember_request(record, "key-1", "k", "hash", raw(1)) == (raw(1), True)
    assert remember_request(record, "key-1", "k", "hash", raw(2)) == (raw(1), True)
    assert remember_request(record, "key-1", "k", "other", raw(3)) == (raw(1), False)
    assert remember_request(record, "key-2", "k", "hash", raw(4)) == (raw(4), True)


def test_attachments_are_wanted_until_they_are_fetched_refused_or_expired(record: Record) -> None:
    files = tuple(Attachment(native_id=f"a{n}", name="foto.jpg", expires_at=NOW + timedelta(days=n)) for n in range(4))
    kept(record, routed(message(1, attachments=files)))
    todo = wanted(record, ["sms"], now=NOW, limit=10)
    assert [(account, file.native_id, file.name) for _, account, file in todo] == [
        ("sms", f"a{n}", "foto.jpg") for n in (1, 2, 3)
    ]
    ids = [row for row, _, _ in todo]
    fetched(record, ids[0], "f" * 64, 10, "image/jpeg")
    unfetched(record, ids[1], "refused", None)
    unfetched(record, ids[2], "referenced", NOW + timedelta(minutes=10))
    assert wanted(record, ["sms"], now=NOW, limit=10) == []
    assert [row for row, _, _ in wanted(record, ["sms"], now=NOW + timedelta(minutes=10), limit=10)] == [ids[2]]
    assert wanted(record, ["wa"], now=NOW + timedelta(minutes=10), limit=10) == []
    found = rows(record, "SELECT state, attempts, sha256 FROM attachments ORDER BY id")
    assert found == [("expired", 0, None), ("fetched", 0, "f" * 64), ("refused", 1, None), ("referenced", 1, None)]

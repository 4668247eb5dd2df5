"""The pipeline's statements use indexes once the tables are large, under PostgreSQL's usual planner."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import BigInteger, Column, Connection, LargeBinary, Table, Text

from schemas import Message, Party
from sink import (
    Record,
    Vault,
    apply_receipts,
    apply_rereading,
    book_received,
    outcomes_of,
    store_dead_letters,
    track_report,
)
from sink.arrays import MANY_KEYS, lock_rows
from sink.tables import metadata
from tests.services.postgres import plain
from tests.sink.made import (
    NOW,
    acted,
    action,
    dead,
    decision,
    ledger,
    message,
    persist,
    recall,
    receipt,
    remember,
    routed,
)
from tests.sink.made_replies import claim, lease

ROWS = 60_000
"""Of each table that grows with the messages: a batch needs some dozens of them."""
SMALL = frozenset(
    {"leases", "lease_holders", "account_faults", "account_states", "processes", "aside", "editions", "meta"}
)
"""Tables of a few rows for each account or process, which are read whole."""
_KEYS = frozenset({"id", "raw", "complaint", "number", "reply"})


def person(n: int, **more: Any) -> Message:
    """A message of the n-th person."""
    phone = f"+62813{n:08d}"
    return message(n, **{"conversation": phone, "sender": Party(phone=phone), "text": f"Lampu {n} mati"} | more)


@pytest.fixture(params=["counted", "never counted"])
def large(
    request: pytest.FixtureRequest, postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Record]:
    """A record as after many batches. Counted by ANALYZE, it needs no hint to the planner; before, it does."""
    with Record.open(postgres_url, vault) as record:
        work(record, range(1, 3))
        with record.write() as connection:
            for name, table in metadata.tables.items():
                if name not in SMALL:
                    connection.exec_driver_sql(_multiply(table))
        if request.param == "counted":
            monkeypatch.setattr("sink.arrays.MANY_KEYS", ROWS)
            with psycopg.connect(plain(postgres_url), autocommit=True) as other:
                other.execute("ANALYZE")
        yield record


def work(record: Record, numbers: range) -> None:
    """Everything that the pipeline does with a batch: matched, recorded, answered, added to, acted on, asked for."""
    batch = [person(n) for n in numbers]
    book_received(record, [(m.raw, m.account, m.received_at) for m in batch])
    known = recall(record, *batch, keys=("some words",))
    decided = [decision(m, known) for m in batch]
    remember(record, list(zip(batch, decided, strict=True)), keys=["some words"])
    persist(record, *(routed(m, number=d.number) for m, d in zip(batch, decided, strict=True)))
    later = [person(n, id=f"sms/sms/later{n}", raw=f"later-{n}", refers_to=f"m{n}", number=d.number,
                    received_at=NOW + timedelta(hours=1, minutes=n))
             for n, d in zip(numbers, decided, strict=True)]  # fmt: skip
    recall(record, *later)
    persist(record, *(routed(m, "added", opener) for m, opener in zip(later, batch, strict=True)))
    acts = (acted(action(n, "status", status="verified"), person(n)) for n in numbers)
    persist(record, *acts)
    claim(record, lease(record), room=len(batch))
    apply_receipts(record, [receipt("delivered", n, raw=f"receipt-{n}", native_id=f"g{n}") for n in numbers])
    store_dead_letters(record, [dead(m, n) for n, m in zip(numbers, batch, strict=True)])
    outcomes_of(record, [m.raw for m in batch])
    apply_rereading(record, [person(n, title="x") for n in numbers], now=NOW)
    track_report(record, number=decided[0].number, last4="0000")


def test_no_batch_reads_a_whole_table_and_the_ledger_may(large: Record, postgres_url: str) -> None:
    before = _rows_read(large, postgres_url)
    work(large, range(1_000, 1_040))
    between = _rows_read(large, postgres_url)
    assert {table: rows for table, rows in between.items() if rows - before[table] >= ROWS} == {}
    ledger(large)
    assert _rows_read(large, postgres_url)["outcomes"] - between["outcomes"] >= ROWS


def _multiply(table: Table) -> str:
    """A statement that copies a row of the table many times, under keys of its own."""
    columns = [column for column in table.columns if column.name != "seq"]
    names = ", ".join(column.name for column in columns)
    values = ", ".join(_varied(column, table) for column in columns)
    one = f"(SELECT * FROM {table.name} LIMIT 1) AS one"
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {one}, generate_series(1, {ROWS}) AS copy"


def _varied(column: Column[Any], table: Table) -> str:
    if isinstance(column.type, LargeBinary) and column.type.length == 16:
        return f"decode(md5('{column.name}' || copy), 'hex')"
    if isinstance(column.type, BigInteger) and column.name in ("report", "at", "reported_at"):
        return "copy" if column.name == "report" else f"{column.name} - copy"
    keyed = column.name in _KEYS or (column.primary_key and column.name not in ("item_index", "n"))
    return f"{column.name} || '-' || copy" if keyed and isinstance(column.type, Text) else column.name


def _rows_read(record: Record, url: str) -> dict[str, int]:
    """By whole tables; a server counts at the latest when a connection ends what was done through it."""
    record._database.close()
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(plain(url), autocommit=True) as connection:
        while connection.execute(others).fetchone() != (0,):
            time.sleep(0.01)
        return dict(connection.execute("SELECT relname, seq_tup_read FROM pg_stat_user_tables").fetchall())


def test_the_hint_to_the_planner_ends_with_its_transaction(postgres_url: str, vault: Vault) -> None:
    """What people ask over the same connection is planned freely."""
    with Record.open(postgres_url, vault) as record:
        switches = []
        for keys in (1, MANY_KEYS):
            with record.write() as connection:
                recorded = connection.connection.driver_connection
                lock_rows(connection, metadata.tables["complaints"], "id", [str(n) for n in range(keys)])
                switches.append(_planned(connection))
        with record.read() as connection:
            assert connection.connection.driver_connection is recorded
            switches.append(_planned(connection))
    free, hinted, after = switches
    assert hinted == ("off", "0")
    assert free == after != hinted


def _planned(connection: Connection) -> tuple[str, ...]:
    """Whether tables are read whole, and by how many processes more."""
    names = ("enable_seqscan", "max_parallel_workers_per_gather")
    return tuple(connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names)

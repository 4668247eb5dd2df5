"""What is asked on the road is asked by key, also while PostgreSQL has counted no table's values yet."""

from __future__ import annotations

import psycopg

from sink import Record, Vault, claim, note, owed, published
from sink.outcomes import fates
from tests.services.postgres import plain
from tests.sink.made import NOW, books, counted, kept, memory, message, receipt, routed
from tests.sink.test_memory import remembered

WHOLE = {"meta", "alembic_version"}
"""Tables of a few rows, read whole when a record is opened."""


def test_no_batch_looks_through_a_whole_table(postgres_url: str, vault: Vault) -> None:
    with Record.open(postgres_url, vault) as record:
        some = [message(n) for n in range(1, 15)]
        remembered(record, *some, digest="a digest")
        memory(record).recall([message(40, number="17080000"), message(41, refers_to="a native id")], [None, None])
        kept(record, *(routed(m) for m in some), routed(message(31), "added", some[0]))
        replies = [reply.id for reply in owed(record, now=NOW)]
        published(record, replies)
        claim(record, replies, by="us", now=NOW)
        note(record, [receipt("sent", reply=reply) for reply in replies])
        counted(record, *some)
        fates(record, [m.raw for m in some])
    assert len(replies) == 15
    assert not _read_whole(postgres_url)


def test_a_ledger_may(postgres_url: str, vault: Vault) -> None:
    with Record.open(postgres_url, vault) as record:
        kept(record, routed(message(1)))
        books(record)
    assert _read_whole(postgres_url)


def _read_whole(url: str) -> list[str]:
    """Tables; a server counts what a connection did when that ends, at the latest."""
    sql = "SELECT relname FROM pg_stat_user_tables WHERE seq_scan > 0 AND relname <> ALL(%s)"
    with psycopg.connect(plain(url)) as connection:
        return [name for (name,) in connection.execute(sql, (list(WHOLE),))]

"""Re-sealing: what an older key sealed is sealed with the newest one, so that the older key can leave the keys file."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, and_, bindparam, delete, select, tuple_, update

from sink.record import Record
from sink.tables import (
    account_states,
    attachments,
    complaints,
    dead,
    editions,
    jobs,
    meta,
    outbox,
    parties,
    readings,
)  # fmt: skip

SEALED: tuple[Column[Any], ...] = (
    account_states.c.cursor, account_states.c.renewed_secret, attachments.c.source, attachments.c.name,
    complaints.c.extra, dead.c.sealed, editions.c.body, jobs.c.answer, jobs.c.args, outbox.c.address, parties.c.sealed,
    readings.c.reading,
)  # fmt: skip
BATCH = 500


class Resealed(NamedTuple):
    """How many values of each column an older key had sealed, and the keys that nothing is sealed with any more."""

    columns: dict[str, int]
    retired: list[str]


def reseal(record: Record, *, apply: bool) -> Resealed:
    """Seal anew what an older key sealed; without `apply` only count it. A key is retired by the run that finds nothing
    more of it: a process that does not have the newest key yet may have written meanwhile. Raises Retry, and WrongKeys
    where a value does not open."""
    columns = {str(column): _reseal_column(record, column, apply=apply) for column in SEALED}
    nothing_left = not any(columns.values())
    return Resealed(columns, _retire(record) if apply and nothing_left else [])


def _reseal_column(record: Record, column: Column[Any], *, apply: bool) -> int:
    table, name, count = column.table, str(column), 0
    same_row = and_(*(key == bindparam(f"key_{key.name}") for key in table.primary_key), column == bindparam("old"))
    change = update(table).where(same_row).values({column.name: bindparam("new")})
    for rows in _batches(record, column):
        old = [(keys, value) for *keys, value in rows if not record.vault.is_newest(_bytes(value))]
        count += len(old)
        if not apply or not old:
            continue
        changes = [
            {f"key_{key.name}": part for key, part in zip(table.primary_key, keys, strict=True)}
            | {"old": value, "new": _resealed(record, value, name)}
            for keys, value in old
        ]
        with record.write() as connection:
            connection.execute(change, changes)
    return count


def _batches(record: Record, column: Column[Any]) -> Iterator[Sequence[Any]]:
    """Rows of the primary key and the value, in the order of the key."""
    keys = tuple(column.table.primary_key)
    query = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(BATCH)
    with record.read() as connection:
        rows = connection.execute(query).all()
    while rows:
        yield rows
        with record.read() as connection:
            rows = connection.execute(query.where(tuple_(*keys) > tuple_(*rows[-1][:-1]))).all()


def _resealed(record: Record, value: Any, name: str) -> Any:
    sealed = record.vault.seal(record.vault.open(_bytes(value), name), name)
    return b64encode(sealed).decode("ascii") if isinstance(value, str) else sealed


def _bytes(value: Any) -> bytes:
    """A text column holds a sealed value in base64."""
    return b64decode(value) if isinstance(value, str) else bytes(value)


def _retire(record: Record) -> list[str]:
    """Forget that the record needs the older keys."""
    older = and_(meta.c.name.like("key %"), meta.c.name != f"key {record.vault.key}")
    with record.write() as connection:
        names = connection.execute(select(meta.c.name).where(older)).scalars().all()
        connection.execute(delete(meta).where(older))
    return sorted(name.removeprefix("key ") for name in names)

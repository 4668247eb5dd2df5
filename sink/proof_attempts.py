"""How often somebody may still try to prove that a report is theirs: a limit for each number, shared by all processes.

The last four digits of a phone can be guessed in 10,000 tries, so the limit of one number must not depend on who asks,
nor be forgotten before it is full again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from sink.bulk import insert, instant_encoder, lock_names, query_in
from sink.instant import parse_instant
from sink.record import Record
from sink.tables import proof_attempts

NUMBER = 4
"""Purpose of the locks on numbers."""
_REPLACE = "ON CONFLICT (number) DO UPDATE SET turns = excluded.turns, at = excluded.at"


def take_proof_attempt(record: Record, number: str, *, now: datetime, most: int, refill: float) -> float:
    """Take a turn for this number: 0.0 where one was left, else the seconds until there is one. There are at most
    `most`; one comes back every `refill` seconds. Raises Retry."""
    key = record.vault.digest("number", number)
    with record.write() as connection:
        lock_names(connection, NUMBER, [key])
        _prune(connection, now - timedelta(seconds=most * refill))
        turns = _turns(connection, key, now, most, refill)
        if turns < 1:
            return (1 - turns) * refill
        _store(connection, key, turns - 1, now)
        return 0.0


def give_back_proof_attempt(record: Record, number: str, *, now: datetime, most: int, refill: float) -> None:
    """The proof was right: it costs no turn. Raises Retry."""
    key = record.vault.digest("number", number)
    with record.write() as connection:
        lock_names(connection, NUMBER, [key])
        _store(connection, key, min(most, _turns(connection, key, now, most, refill) + 1), now)


def _turns(connection: Connection, key: bytes, now: datetime, most: int, refill: float) -> float:
    sql = "SELECT turns, at FROM proof_attempts WHERE number IN (*)"
    for turns, at in query_in(connection, sql, [key]):
        elapsed = max(0.0, (now - parse_instant(at)).total_seconds())
        return min(float(most), float(turns) + elapsed / refill)
    return float(most)


def _store(connection: Connection, key: bytes, turns: float, now: datetime) -> None:
    row: dict[str, Any] = {"number": key, "turns": turns, "at": instant_encoder(connection)(now)}
    insert(connection, proof_attempts, [row], _REPLACE)


def _prune(connection: Connection, before: datetime) -> None:
    """Rows that are full again."""
    connection.execute(proof_attempts.delete().where(proof_attempts.c.at < before))

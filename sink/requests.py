"""Idempotency keys of the reports API: which Raw a caller's key stands for. Callers and keys are stored as hashes."""

from __future__ import annotations

from datetime import datetime
from hmac import compare_digest
from typing import Any

from sqlalchemy import delete, select

from sink.bulk import insert
from sink.record import Record
from sink.tables import requests


def remember_request(record: Record, caller: str, key: str, body_hash: str, raw: str) -> tuple[str, bool]:
    """The Raw that this caller's key stands for (`raw`, where it is new), and whether its body was this one. Two
    requests at the same moment get the same Raw. Raises Retry."""
    digest = record.vault.digest
    row: dict[str, Any] = {"caller": digest("caller", caller), "key": digest("key", f"{caller}\0{key}"),
           "body": digest("body", body_hash), "raw": raw}  # fmt: skip
    query = select(requests.c.raw, requests.c.body).where(
        requests.c.caller == row["caller"], requests.c.key == row["key"]
    )
    with record.write() as connection:
        insert(connection, requests, [row], "ON CONFLICT DO NOTHING")
        first = connection.execute(query).one()
    return first.raw, compare_digest(first.body, row["body"])


def remember_for_a_while(record: Record, caller: str, key: str, raw: str, since: datetime) -> str:
    """The Raw that this caller's key stands for, where it came since then; else `raw`, which it stands for now. Two
    requests at the same moment get the same Raw. Raises Retry."""
    digest = record.vault.digest
    row: dict[str, Any] = {"caller": digest("caller", caller), "key": digest("key", f"{caller}\0{key}"),
           "body": digest("body", ""), "raw": raw}  # fmt: skip
    same = (requests.c.caller == row["caller"], requests.c.key == row["key"])
    with record.write() as connection:
        connection.execute(delete(requests).where(*same, requests.c.raw < first_raw(since)))
        insert(connection, requests, [row], "ON CONFLICT DO NOTHING")
        first: str = connection.execute(select(requests.c.raw).where(*same)).scalar_one()
    return first


def first_raw(at: datetime) -> str:
    """Before every Raw of that time and later: a Raw's id begins with its instant."""
    milliseconds = f"{int(at.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}"


def forget_requests(record: Record, before: datetime) -> int:
    """Delete the keys of requests that came before then. Returns how many. The same report again is still known by its
    native id. Raises Retry."""
    with record.write() as connection:
        query = delete(requests).where(requests.c.raw < first_raw(before))
        return connection.execute(query).rowcount

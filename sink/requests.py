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


def forget_requests(record: Record, before: datetime) -> int:
    """Delete the keys of requests that came before then: a Raw's id begins with its instant. Returns how many. The
    same report again is still known by its native id. Raises Retry."""
    milliseconds = f"{int(before.timestamp() * 1000):012x}"
    with record.write() as connection:
        query = delete(requests).where(requests.c.raw < f"{milliseconds[:8]}-{milliseconds[8:]}")
        return connection.execute(query).rowcount

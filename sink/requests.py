"""Idempotency keys of the reports API: which Raw a caller's key stands for. Callers and keys are stored as hashes."""

from __future__ import annotations

from hmac import compare_digest
from typing import Any

from sqlalchemy import select

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

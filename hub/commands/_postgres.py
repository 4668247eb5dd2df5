"""What `doctor` says of a record on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hub.commands._finding import Finding
from schemas import Retry
from sink.postgres_status import PostgresStatus, read_postgres_status
from sink.vault import Vault

SKEW = 60.0
"""Seconds that two clocks may differ."""


def check_record(url: str) -> Iterator[Finding]:
    """The server and its tables."""
    try:
        found = read_postgres_status(url)
    except Retry as fault:
        yield Finding("record", f"PostgreSQL does not answer ({fault.reason}): start it, or mend --record", True)
        return
    problems = [*found.problems(), *_clock(found)]
    yield from (Finding("record", words, True) for words in problems)
    if found.needs_upgrade and found.tables is not None:
        yield Finding("record", f"its tables are of revision {found.tables}: the next start brings them up to date")
    elif not problems:
        words = "has no tables: the first start makes them" if found.tables is None else "has the tables it needs"
        yield Finding("record", f"PostgreSQL {found.server} answers and {words}")


def is_started(url: str) -> bool | None:
    """Was a hub ever started on it? None: the server does not answer."""
    try:
        return bool(read_postgres_status(url).key_check)
    except Retry:
        return None


def check_keys(url: str, path: Path, vault: Vault) -> Finding:
    """Are the keys those of the record?"""
    try:
        found = read_postgres_status(url)
    except Retry:
        return Finding("keys", f"{path} can be read; whether it fits is not known before the database answers")
    if not found.keys_match(vault):
        words = "does not fit the record: bring the one from the machine that works on it, or its backup"
        return Finding("keys", f"{path} {words}", True)
    return Finding("keys", f"{path} fits the record; store a copy of it on another machine")


def _clock(found: PostgresStatus) -> Iterator[str]:
    ahead = (found.now - datetime.now(UTC)).total_seconds()
    if abs(ahead) > SKEW:
        yield f"the server's clock and this one are {abs(ahead):.0f} s apart: run NTP on both"

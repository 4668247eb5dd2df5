"""What `doctor` says of a record on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from schemas import Retry
from sink import Standing, Vault, standing

SKEW = 60.0
"""Seconds that two clocks may differ."""


def record(url: str) -> Iterator[tuple[str, str, bool]]:
    """The server and its tables, in lines: of what, in which words, and whether it is wrong."""
    try:
        found = standing(url)
    except Retry as fault:
        yield "record", f"PostgreSQL does not answer ({fault.reason}): start it, or mend --record", True
        return
    wrong = [*found.surprises(), *_clock(found)]
    yield from (("record", words, True) for words in wrong)
    if found.behind and found.tables is not None:
        yield "record", f"its tables are of revision {found.tables}: the next start brings them up to date", False
    elif not wrong:
        words = "has no tables: the first start makes them" if found.tables is None else "has the tables it needs"
        yield "record", f"PostgreSQL {found.server} answers and {words}", False


def _clock(found: Standing) -> Iterator[str]:
    ahead = (found.now - datetime.now(UTC)).total_seconds()
    if abs(ahead) > SKEW:
        yield f"the server's clock and this one are {abs(ahead):.0f} s apart: keep both with NTP"


def begun(url: str) -> bool | None:
    """Whether something was kept there; None: nobody can tell."""
    try:
        return bool(standing(url).kept)
    except Retry:
        return None


def keys(url: str, path: Path, vault: Vault) -> tuple[str, str, bool]:
    """Whether the keys are those of the record."""
    try:
        found = standing(url)
    except Retry:
        return "keys", f"{path} can be read; whether it fits is not known before the database answers", False
    if not found.fits(vault):
        words = "is not what the record was kept with: bring the one from the machine that works on it, or its backup"
        return "keys", f"{path} {words}", True
    return "keys", f"{path} fits the record; keep a copy of it away from this machine", False

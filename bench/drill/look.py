"""What the record holds, by SQL and by `export`, for the checks; and whether the road is empty."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import NullPool, bindparam, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bench.drill.checks import Books, Buried, Kept, Outcome, Owed
from sink.vault import Vault

_SETTLED = text("""
    SELECT d.first FROM decisions d JOIN outcomes o ON o.raw = d.raw AND o.idx = d.idx WHERE d.first IN :marks
""").bindparams(bindparam("marks", expanding=True))
_STILL = """
    SELECT (SELECT count(*) FROM outcomes), (SELECT count(*) FROM outbox WHERE state IN ('owed', 'published')),
           (SELECT count(*) FROM outbox WHERE state = 'claimed'), (SELECT count(*) FROM receipts)
"""


class _Decision(msgspec.Struct):
    message: str
    complaint: str | None


class _Message(msgspec.Struct):
    native_id: str | None
    direction: str


class _Exported(msgspec.Struct):
    messages: list[_Message]


_decision, _exported = msgspec.json.Decoder(_Decision).decode, msgspec.json.Decoder(_Exported).decode


class Look:
    """At the record of that URL, kept with those keys; `hub` runs a command of the program."""

    def __init__(self, record: str, keys: Path, hub: Callable[..., str]) -> None:
        self._engine, self._hub, self._vault = create_engine(record, poolclass=NullPool), hub, Vault.load(keys)
        self._kept = keys.parent / "export.ndjson"

    def settled(self, ids: Collection[str]) -> set[str] | None:
        """Those of the messages that have an outcome; None: the database is away."""
        marks = {self._vault.digest("message", id): id for id in ids}
        try:
            with self._engine.connect() as connection:
                found = connection.execute(_SETTLED, {"marks": list(marks)}).scalars()
                return {marks[bytes(mark)] for mark in found}
        except SQLAlchemyError:
            return None

    def still(self) -> tuple[int, int, int, int] | None:
        """Outcomes, replies still owed, claimed, receipts kept; None: the database is away."""
        try:
            return tuple(self._ask(_STILL)[0])  # type: ignore[return-value]
        except SQLAlchemyError:
            return None

    def kept(self) -> Kept:
        return Kept(
            [Outcome(*row) for row in self._ask("SELECT raw, idx, outcome, complaint, message FROM outcomes")],
            self._ask("SELECT id, complaint FROM messages WHERE direction = 'in'"),  # type: ignore[arg-type]
            dict(self._ask("SELECT id, message FROM complaints")),  # type: ignore[arg-type]
            {said.message: said.complaint or "" for said in self._decisions()},
            [Owed(*row) for row in self._ask("SELECT id, channel, state, raw, idx FROM outbox")],
            [Buried(*row) for row in self._ask("SELECT stage, message, reason FROM dead")],
        )  # fmt: skip

    def books(self) -> Books:
        return json.loads(self._hub("ledger", "--json", code=1))

    def exported(self, since: datetime) -> Iterator[list[str]]:
        """Of each complaint received since then (and a bit before: clocks were stepped), the citizen's native ids."""
        early = (since.astimezone(UTC) - timedelta(minutes=4)).isoformat()
        told = self._hub("export", "--since", early)
        self._kept.write_text(told)
        for line in told.splitlines():
            yield [m.native_id or "" for m in _exported(line).messages if m.direction == "in"]

    def _decisions(self) -> Iterator[_Decision]:
        for (said,) in self._ask("SELECT decision FROM decisions WHERE first IS NOT NULL"):
            yield _decision(said)

    def _ask(self, sql: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(map(_plain, row)) for row in connection.execute(text(sql))]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value

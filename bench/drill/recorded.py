"""The contents of the record, by SQL and by `export`, for the checks; and how much is still in flight."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import NullPool, bindparam, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from bench.drill.checks import DeadLetter, Ledger, Outcome, Recorded, Reply
from schemas import native_of, reply_id
from sink.bursts import BURST
from sink.identifiers import Identifiers
from sink.instant import parse_instant
from sink.vault import Vault

CHANNELS = ("whatsapp", "sms")
TEMPLATES = ("number_given", "added", "joined")
"""Of the answers to what the load writes."""
_ENDED = text("""
    SELECT d.first FROM decisions d JOIN outcomes o ON o.raw = d.raw AND o.item_index = d.item_index
    WHERE d.first IN :keys
""").bindparams(bindparam("keys", expanding=True))
_PROGRESS = """
    SELECT (SELECT count(*) FROM outcomes), (SELECT count(*) FROM outbox WHERE state IN ('owed', 'claimed')),
           (SELECT count(*) FROM outbox WHERE state = 'unknown'), (SELECT count(*) FROM early_receipts)
"""
_OUTCOMES = """
    SELECT o.raw, o.item_index, o.outcome, o.complaint, o.message, m.key, m.conversation, m.received_at FROM outcomes o
    LEFT JOIN messages m ON m.raw = o.raw AND m.item_index = o.item_index
"""
_OPENERS = "SELECT c.id, m.key FROM complaints c JOIN messages m ON m.raw = c.raw AND m.item_index = c.item_index"


class Progress(NamedTuple):
    """How far the pipeline is."""

    outcomes: int
    owed: int
    """Replies that are owed or claimed."""
    unknown: int
    early_receipts: int


class _Decision(msgspec.Struct):
    complaint: str | None = None


class _Message(msgspec.Struct):
    native_id: str | None
    direction: str


class _Exported(msgspec.Struct):
    messages: list[_Message]


_decision, _exported = msgspec.json.Decoder(_Decision).decode, msgspec.json.Decoder(_Exported).decode


class Ids:
    """The load's message ids by the forms in which the record holds them."""

    def __init__(self, vault: Vault, ids: Collection[str]) -> None:
        forms = Identifiers(vault, frozenset(CHANNELS))
        self.by_key = {vault.message_key(id): id for id in ids}
        self.by_public_id = {forms.public_message_id(id): id for id in ids}
        self.natives = {forms.public_id(id.partition("/")[0], native_of(id)): native_of(id) for id in ids}

    def of_key(self, key: bytes) -> str:
        """The id, or the hash of one that the load never sent."""
        return self.by_key.get(bytes(key)) or f"#{bytes(key).hex()}"

    def of_outcome(self, key: bytes | None, public: str | None) -> str | None:
        """From its row in `messages`, where it has one."""
        if key is not None:
            return self.of_key(key)
        return None if public is None else self.by_public_id.get(public, public)


class RecordReader:
    """Reads the record of that URL, written with those keys; `hub` runs a command of the program."""

    def __init__(self, record: str, keys: Path, hub: Callable[..., str]) -> None:
        self._engine, self._hub, self._vault = create_engine(record, poolclass=NullPool), hub, Vault.load(keys)
        self._file = keys.parent / "export.ndjson"

    def ended(self, ids: Collection[str]) -> set[str] | None:
        """Those of the messages that have an outcome; None: the database is unavailable."""
        by_key = {self._vault.message_key(id): id for id in ids}
        try:
            with self._engine.connect() as connection:
                found = connection.execute(_ENDED, {"keys": list(by_key)}).scalars()
                return {by_key[bytes(key)] for key in found}
        except SQLAlchemyError:
            return None

    def progress(self) -> Progress | None:
        """None: the database is unavailable."""
        try:
            return Progress(*self._query(_PROGRESS)[0])
        except SQLAlchemyError:
            return None

    def recorded(self, sent: Mapping[str, object]) -> Recorded:
        """The record, with the ids of the load's messages."""
        ids = Ids(self._vault, sent.keys())
        found = self._query(_OUTCOMES)
        bursts = _in_bursts(found)
        return Recorded(
            [Outcome(raw, index, outcome, complaint, ids.of_outcome(key, message), _replies(f"{raw}.{index}"),
                     (raw, index) in bursts)
             for raw, index, outcome, complaint, message, key, *_ in found],
            [(ids.of_key(key), complaint)
             for key, complaint in self._query("SELECT key, complaint FROM messages WHERE direction = 'in'")],
            {complaint: ids.of_key(key) for complaint, key in self._query(_OPENERS)},
            {ids.of_key(first): _decision(decision).complaint or ""
             for first, decision in self._query("SELECT first, decision FROM decisions WHERE first IS NOT NULL")},
            [Reply(*row) for row in self._query("SELECT id, channel, state FROM outbox")],
            [DeadLetter(stage, message, f"{code}: {detail}")
             for stage, message, code, detail in self._query("SELECT stage, message, code, detail FROM dead")],
        )  # fmt: skip

    def ledger(self) -> Ledger:
        return json.loads(self._hub("ledger", "--json", code=1))

    def exported(self, since: datetime, sent: Mapping[str, object]) -> Iterator[list[str]]:
        """Of each complaint received since then (and a bit before: clocks were stepped), the citizen's native ids."""
        early, natives = (since.astimezone(UTC) - timedelta(minutes=4)).isoformat(), Ids(self._vault, sent).natives
        exported = self._hub("export", "--since", early)
        self._file.write_text(exported)
        for line in exported.splitlines():
            found = [m.native_id or "" for m in _exported(line).messages if m.direction == "in"]
            yield [natives.get(native, native) for native in found]

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with self._engine.connect() as connection:
            return [tuple(map(_plain, row)) for row in connection.execute(text(sql))]


def _in_bursts(outcomes: Sequence[tuple[Any, ...]]) -> set[tuple[str, int]]:
    """Raw and index of the messages that came within seconds of the one before, in the same conversation of the same
    complaint."""
    came = defaultdict[tuple[str, bytes], list[tuple[datetime, str, int]]](list)
    for raw, index, _, complaint, _, _, conversation, received_at in outcomes:
        if received_at is not None:
            came[complaint, bytes(conversation)].append((parse_instant(received_at), raw, index))
    follows = set[tuple[str, int]]()
    for messages in came.values():
        for before, (at, raw, index) in pairwise(sorted(messages)):
            if at - before[0] <= BURST:
                follows.add((raw, index))
    return follows


def _replies(event: str) -> tuple[str, ...]:
    return tuple(reply_id(event, template) for template in TEMPLATES)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value

"""The matcher's memory in tables: a handful of bulk reads before a batch, one transaction after it.

Conversations, identities, report keys and channels' ids stand here as keyed hashes only. A message id and a number
belong to the first that came with them: the unique keys enforce it, and a batch that comes second is matched again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from schemas import Action, Message, Retry
from schemas.memory import Entry, Known, Query
from sink.bulk import execute_each, insert_all, instant_encoder
from sink.decisions import DecisionRows
from sink.match_keys import rows_of
from sink.memory_keys import MemoryKeys, SenderHashes
from sink.memory_lookups import Lookups
from sink.record import Record
from sink.tables import decisions, foreign_ids, match_keys, match_reports, numbers, same_words, threads

_REPLACE = "ON CONFLICT ({}) DO UPDATE SET number = excluded.number, owner = excluded.owner"
_UNLESS_SAME = (
    "ON CONFLICT (number) DO UPDATE SET complaint = CASE numbers.complaint WHEN excluded.complaint "
    "THEN excluded.complaint END"
)
"""A complaint may get the number again that it has; the number of another one breaks NOT NULL."""
_SET_WORDED = "UPDATE numbers SET reported_at = :reported_at WHERE number = :number AND reported_at IS NULL"
_SET_LATER = "UPDATE numbers SET last_at = :last_at WHERE number = :number AND last_at < :last_at"


class RecordMemory:
    """The port `normalizer.Memory` over the record. `clock` gives the time of a decision."""

    def __init__(self, record: Record, clock: Callable[[], datetime]) -> None:
        self._record = record
        self._keys = MemoryKeys(record.vault)
        self._rows = DecisionRows(record.vault, record.ids)
        self._clock = clock

    def recall(self, queries: Sequence[Query]) -> Known:
        """What is known of these items. Raises Retry."""
        with self._record.read() as connection:
            return Lookups(connection, self._record.vault, self._keys, self._rows).known(queries)

    def remember(self, entries: Sequence[Entry]) -> None:
        """Store the decisions, all or none. Raises Retry when another process was first with one of these message ids
        or numbers."""
        if not entries:
            return
        write = self._prepare(entries)
        try:
            with self._record.write() as connection:
                write(connection)
        except IntegrityError:
            # a moment, so that rows that can never agree do not make a busy loop
            raise Retry("another process was first with one of these messages or numbers", after=0.05) from None

    def _prepare(self, entries: Sequence[Entry]) -> Callable[[Connection], None]:
        """Make everything that is written before the record's lock is taken."""
        at = instant_encoder(self._record.engine)
        now = at(self._clock())
        decided = [self._rows.row(e.item, e.decision, at(e.decision.received_at), now) for e in entries]
        senders = [(e, self._keys.of_sender(e.item)) for e in entries]
        opened = [(e, sender) for e, sender in senders if e.decision.opens_complaint]
        joining = [e for e in entries if e.decision.outcome in {"recorded", "added"} and not e.decision.stranger]
        switching = [(e, sender) for e, sender in senders if e.decision.switches_thread]
        new_numbers = [_number(e, sender.reporter, at(e.decision.received_at)) for e, sender in opened]
        compared = [rows_of(e, sender.proof, self._sender(e.item)) for e, sender in opened if e.profile is not None]
        worded = {e.decision.number: _seconds(e) for e in entries if e.first_words}
        later = _latest((e.decision.number, at(e.decision.received_at))
                        for e, _ in switching if not e.decision.opens_complaint)  # fmt: skip
        inserts = (
            (decisions, decided, ""),
            (numbers, new_numbers, _UNLESS_SAME),
            (threads, _thread_rows(switching), _REPLACE.format("conversation")),
            (same_words, self._words_rows(entries), _REPLACE.format("key")),
            (foreign_ids, self._foreign_rows(joining), "ON CONFLICT DO NOTHING"),
            (match_keys, [key for keys, _ in compared for key in keys], "ON CONFLICT DO NOTHING"),
            (match_reports, [report for _, report in compared], "ON CONFLICT DO NOTHING"),
        )

        def write(connection: Connection) -> None:
            insert_all(connection, *inserts)
            execute_each(connection, numbers, _SET_LATER, later)
            execute_each(connection, numbers, _SET_WORDED, [{"number": n, "reported_at": s} for n, s in worded.items()])

        return write

    def _sender(self, item: Message | Action) -> bytes:
        assert isinstance(item, Message)  # only messages are compared
        return self._keys.sender(item)

    def _words_rows(self, entries: Iterable[Entry]) -> list[dict[str, Any]]:
        keys = ((self._keys.report(key), e) for e in entries for key in e.report_keys)
        return list({key: _link("key", key, e) for key, e in keys}.values())

    def _foreign_rows(self, entries: Iterable[Entry]) -> list[dict[str, Any]]:
        rows: dict[bytes, dict[str, Any]] = {}
        for entry in entries:
            if isinstance(entry.item, Message):
                for pair in entry.item.external_ids.items():
                    key = self._keys.foreign(pair)
                    rows.setdefault(key, {**_link("key", key, entry), "complaint": entry.decision.complaint})
        return list(rows.values())


def _number(entry: Entry, reporter: bytes, at: Any) -> dict[str, Any]:
    decision, item = entry.decision, entry.item
    has_words = isinstance(item, Message) and item.has_words
    return {
        "number": decision.number, "complaint": decision.complaint, "owner": item.owner, "last_at": at,
        "reporter": reporter,
        "reported_at": entry.profile.at if entry.profile else _seconds(entry) if has_words else None,
    }  # fmt: skip


def _seconds(entry: Entry) -> int:
    return int(entry.decision.received_at.timestamp())


def _thread_rows(entries: Iterable[tuple[Entry, SenderHashes]]) -> list[dict[str, Any]]:
    keys = ((key, e) for e, sender in entries for key in sender.conversations)
    return list({key: _link("conversation", key, e) for key, e in keys}.values())


def _latest(times: Iterable[tuple[str | None, Any]]) -> list[dict[str, Any]]:
    found: dict[str | None, Any] = {}
    for number, at in times:
        found[number] = max(at, found.get(number, at))
    return [{"number": number, "last_at": at} for number, at in found.items()]


def _link(column: str, key: bytes, entry: Entry) -> dict[str, Any]:
    return {column: key, "owner": entry.item.owner, "number": entry.decision.number}

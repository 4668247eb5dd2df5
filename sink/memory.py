"""The matcher's memory in tables: a handful of bulk reads before a batch, one transaction after it.

Conversations, identities and what was said stand here as keyed hashes only. A message id and a number belong to whoever
was first with them: the unique keys say so, and the batch that comes second is matched again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from schemas import CLOSED, Message, Retry, complaint_id, encode, message_id
from schemas.memory import Decision, Known, Numbered, Referred, Thread
from sink.bulk import ask, put_all, run, stamper
from sink.record import Record
from sink.tables import decisions, numbers, said, threads

FINGERPRINT_LASTS = timedelta(minutes=10)
_decision = msgspec.json.Decoder(Decision).decode
_POINT = "ON CONFLICT ({}) DO UPDATE SET complaint = excluded.complaint, owner = excluded.owner"
_LATER = "UPDATE numbers SET last_at = :last_at WHERE complaint = :complaint AND last_at < :last_at"
_THREAD = "n.complaint, n.number, n.last_at, c.status"
_JOIN = "JOIN numbers n ON n.complaint = t.complaint LEFT JOIN complaints c ON c.id = n.complaint"


class RecordMemory:
    """The port `normalizer.Memory` over the record. `clock` says when a decision was taken."""

    def __init__(self, record: Record, clock: Callable[[], datetime]) -> None:
        self._record = record
        self._vault = record.vault
        self._clock = clock

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        """What is known of these messages. Raises Retry."""
        with self._record.read() as connection:
            return Known(
                decided=(decided := self._decided(connection, messages)),
                seen=(seen := self._seen(connection, messages)),
                fingerprints=self._fingerprints(connection, messages),
                threads=self._threads(connection, messages),
                said=self._said(connection, messages, digests),
                numbered=self._numbered(connection, messages),
                referred=self._referred(connection, messages),
                fresh=self._fresh(connection, [m for m in messages if m.id not in seen and _item(m) not in decided]),
            )

    def remember(
        self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]
    ) -> None:
        """Keep the decisions, all or none. Raises Retry when another process was first."""
        if not decisions:
            return
        write = self._ready(list(zip(messages, digests, decisions, strict=True)))
        try:
            with self._record.write() as connection:
                write(connection)
        except IntegrityError:
            raise Retry("another process was first with one of these messages or numbers", after=0) from None

    def _ready(self, batch: Sequence[tuple[Message, str | None, Decision]]) -> Callable[[Connection], None]:
        """All that is written, made before the record's lock is taken."""
        at = stamper(self._record.engine)
        now = at(self._clock())
        decided = [self._row(m, d, at(d.received_at), now) for m, _, d in batch]
        opened = [self._number(m, d, at(d.received_at)) for m, _, d in batch if d.opens]
        moved = [(m, d) for m, _, d in batch if d.moves]
        later = _latest((d.complaint, at(d.received_at)) for _, d in moved if not d.opens)
        talks = {key: _link("conversation", key, m, d) for m, d in moved for key in self._conversations(m)}
        sayings = {key: _link("said", key, m, d) for m, digest, d in batch if d.complaint and not d.stranger
                   for key in self._sayings(m, digest).values()}  # fmt: skip

        def write(connection: Connection) -> None:
            put_all(
                connection,
                (decisions, decided, ""),
                (numbers, opened, ""),
                (threads, list(talks.values()), _POINT.format("conversation")),
                (said, list(sayings.values()), _POINT.format("said")),
            )
            run(connection, numbers, _LATER, later)

        return write

    def _row(self, message: Message, decision: Decision, at: Any, now: Any) -> dict[str, Any]:
        return {
            "raw": decision.raw, "idx": decision.index, "owner": message.owner,
            "first": None if decision.outcome == "redelivered" else self._first(decision.message),
            "fingerprint": self._fingerprint(message), "at": at, "decided_at": now,
            "decision": encode(decision).decode(),
        }  # fmt: skip

    def _number(self, message: Message, decision: Decision, at: Any) -> dict[str, Any]:
        return {
            "complaint": decision.complaint, "number": decision.number, "owner": message.owner, "last_at": at,
            "reporter": b"".join(self._reporter(message)),
        }  # fmt: skip

    def _first(self, id: str) -> bytes:
        return self._vault.digest("message", id)

    def _fingerprint(self, message: Message) -> bytes | None:
        return self._vault.digest("fingerprint", message.fingerprint) if message.fingerprint else None

    def _conversations(self, message: Message) -> list[bytes]:
        return [self._vault.digest("conversation", key) for key in _keys(message)]

    def _sayings(self, message: Message, digest: str | None) -> dict[tuple[str, str], bytes]:
        if digest is None:
            return {}
        return {(who, digest): self._vault.digest("said", f"{who}\0{digest}") for who in message.sender.identities}

    def _reporter(self, message: Message) -> dict[bytes, str]:
        """Hash to plain, of all that tells this person from another."""
        plain = [("identity", v) for v in message.sender.identities] + [("conversation", key) for key in _keys(message)]
        return {self._vault.digest(purpose, value): value for purpose, value in plain}

    def _decided(self, connection: Connection, messages: Sequence[Message]) -> dict[tuple[str, int], Decision]:
        raws = {m.raw for m in messages}
        found = ask(connection, "SELECT raw, idx, decision FROM decisions WHERE raw IN (*)", raws)
        return {(raw, index): _decision(decision) for raw, index, decision in found}

    def _seen(self, connection: Connection, messages: Sequence[Message]) -> dict[str, Decision]:
        return self._by_message(connection, {m.id for m in messages})

    def _by_message(self, connection: Connection, ids: Iterable[str]) -> dict[str, Decision]:
        plain = {self._first(id): id for id in ids}
        found = ask(connection, "SELECT first, decision FROM decisions WHERE first IN (*)", plain)
        return {plain[bytes(first)]: _decision(decision) for first, decision in found}

    def _fingerprints(self, connection: Connection, messages: Sequence[Message]) -> dict[str, Decision]:
        spans: dict[str, list[datetime]] = defaultdict(list)
        for m in messages:
            if m.fingerprint:
                spans[m.fingerprint].append(m.received_at)
        plain = {self._vault.digest("fingerprint", f): f for f in spans}
        if not plain:
            return {}
        oldest = stamper(connection)(min(map(min, spans.values())) - FINGERPRINT_LASTS)
        sql = "SELECT fingerprint, decision FROM decisions WHERE fingerprint IN (*) AND at >= ? ORDER BY at"
        latest: dict[str, Decision] = {}
        for key, decision in ask(connection, sql, plain, oldest):
            fingerprint, known = plain[bytes(key)], _decision(decision)
            span = spans[fingerprint]
            if min(span) - FINGERPRINT_LASTS <= known.received_at <= max(span) + FINGERPRINT_LASTS:
                latest[fingerprint] = known
        return latest

    def _threads(self, connection: Connection, messages: Sequence[Message]) -> dict[str, Thread]:
        plain = {self._vault.digest("conversation", key): key for m in messages for key in _keys(m)}
        sql = f"SELECT t.conversation, {_THREAD} FROM threads t {_JOIN} WHERE t.conversation IN (*)"  # noqa: S608 - ours
        return {plain[bytes(key)]: _thread(*rest) for key, *rest in ask(connection, sql, plain)}

    def _said(
        self, connection: Connection, messages: Sequence[Message], digests: Sequence[str | None]
    ) -> dict[tuple[str, str], Thread]:
        plain = {
            hashed: pair
            for message, digest in zip(messages, digests, strict=True)
            for pair, hashed in self._sayings(message, digest).items()
        }
        sql = f"SELECT t.said, {_THREAD} FROM said t {_JOIN} WHERE t.said IN (*)"  # noqa: S608 - ours
        return {plain[bytes(key)]: _thread(*rest) for key, *rest in ask(connection, sql, plain)}

    def _numbered(self, connection: Connection, messages: Sequence[Message]) -> dict[str, Numbered]:
        """By the number as said, and by its digits."""
        asked = {m.number: "".join(c for c in m.number if c in "0123456789") for m in messages if m.number}
        if not asked:
            return {}
        askers = self._askers(messages)
        sql = (
            "SELECT n.complaint, n.number, c.status, n.reporter FROM numbers n "
            "LEFT JOIN complaints c ON c.id = n.complaint WHERE n.number IN (*)"
        )
        found = {number: (complaint, status, bytes(reporter)) for complaint, number, status, reporter in
                 ask(connection, sql, set(asked.values()))}  # fmt: skip
        known = {n: _numbered(n, *row, askers) for n, row in found.items()}
        return known | {told: known[digits] for told, digits in asked.items() if digits in known}

    def _referred(self, connection: Connection, messages: Sequence[Message]) -> dict[str, Referred]:
        """Messages referred to: a citizen's, whose decision names the complaint, or one of our own replies."""
        asked = {
            message_id(m.channel, m.account, m.refers_to): (m.account, m.refers_to) for m in messages if m.refers_to
        }
        if not asked:
            return {}
        told = self._by_message(connection, asked)
        about = {id: decision.complaint for id, decision in told.items() if not decision.stranger}
        sql = "SELECT account, native_id, complaint FROM outbox WHERE native_id IN (*)"
        replies = {(a, n): c for a, n, c in ask(connection, sql, {native for _, native in asked.values()})}
        about |= {id: replies[whose] for id, whose in asked.items() if whose in replies}
        known = self._by_complaint(connection, {c for c in about.values() if c}, self._askers(messages))
        return {id: known[c] for id, c in about.items() if c in known}

    def _by_complaint(
        self, connection: Connection, ids: Collection[str], askers: dict[bytes, str]
    ) -> dict[str, Referred]:
        sql = (
            f"SELECT {_THREAD}, n.reporter FROM numbers n "  # noqa: S608 - ours
            "LEFT JOIN complaints c ON c.id = n.complaint WHERE n.complaint IN (*)"
        )
        return {
            row[0]: Referred(**asdict(_thread(*row[:-1])), reporter=_known(bytes(row[-1]), askers))
            for row in ask(connection, sql, ids)
        }

    def _askers(self, messages: Sequence[Message]) -> dict[bytes, str]:
        askers: dict[bytes, str] = {}
        for message in messages:
            askers |= self._reporter(message)
        return askers

    def _fresh(self, connection: Connection, messages: Sequence[Message]) -> dict[str, str]:
        """A free number for each complaint that may be opened; a complaint that has one keeps it."""
        wanted = dict.fromkeys(complaint_id(m.id) for m in messages)
        sql = "SELECT complaint, number FROM numbers WHERE complaint IN (*)"
        found: dict[str, str] = dict(tuple(row) for row in ask(connection, sql, wanted))
        todo, attempt = [c for c in wanted if c not in found], 0
        while todo:
            drawn = {self._vault.number(c, attempt): c for c in todo}
            taken = {number for (number,) in ask(connection, "SELECT number FROM numbers WHERE number IN (*)", drawn)}
            taken |= set(found.values())
            found |= {c: number for number, c in drawn.items() if number not in taken}
            todo, attempt = [c for c in todo if c not in found], attempt + 1
        return found


def _item(message: Message) -> tuple[str, int]:
    return message.raw, message.index


def _keys(message: Message) -> list[str]:
    return [message.key, *(f"{message.account}/{alias}" for alias in message.aliases)]


def _latest(said: Iterable[tuple[str | None, Any]]) -> list[dict[str, Any]]:
    found: dict[str | None, Any] = {}
    for complaint, at in said:
        found[complaint] = max(at, found.get(complaint, at))
    return [{"complaint": complaint, "last_at": at} for complaint, at in found.items()]


def _link(column: str, key: bytes, message: Message, decision: Decision) -> dict[str, Any]:
    return {column: key, "owner": message.owner, "complaint": decision.complaint}


def _thread(complaint: str, number: str, last_at: Any, status: str | None) -> Thread:
    return Thread(complaint=complaint, number=number, last_at=_moment(last_at), closed=status in CLOSED)


def _moment(kept: Any) -> datetime:
    """As the driver gives an instant."""
    at: datetime = datetime.fromisoformat(kept).replace(tzinfo=UTC) if isinstance(kept, str) else kept.astimezone(UTC)
    return at


def _numbered(number: str, complaint: str, status: str | None, reporter: bytes, askers: dict[bytes, str]) -> Numbered:
    return Numbered(complaint=complaint, number=number, closed=status in CLOSED, reporter=_known(reporter, askers))


def _known(reporter: bytes, askers: dict[bytes, str]) -> frozenset[str]:
    return frozenset(askers[h] for h in _split(reporter) if h in askers)


def _split(joined: bytes) -> Iterable[bytes]:
    return [joined[at : at + 16] for at in range(0, len(joined), 16)]

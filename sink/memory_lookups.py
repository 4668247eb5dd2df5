"""What the memory knows of a batch: each lookup is one bulk query by key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection

from schemas import CLOSED_STATUSES, REFERRING_KINDS, Action, Message, complaint_id, message_id, without_native
from schemas.memory import Decision, Known, Query, Referred, Thread
from sink.bulk import instant_encoder, query_in
from sink.decisions import DecisionRows, Item, decision_about, decision_with_id
from sink.instant import parse_instant
from sink.match_keys import JOIN_PROFILE, PROFILE, alike_references, likeliest, profile_of_row, reports_of
from sink.memory_keys import REPORTER_HASH, MemoryKeys, known_identities
from sink.vault import Vault

FINGERPRINT_LASTS = timedelta(minutes=10)
_THREAD = f"n.complaint, n.number, n.last_at, c.status, c.place_code, {PROFILE}"
_JOIN = f"JOIN numbers n ON n.number = t.number LEFT JOIN complaints c ON c.id = n.complaint {JOIN_PROFILE}"
_REFERRED = (
    f"SELECT {_THREAD}, d.due_at, n.reporter FROM numbers n LEFT JOIN complaints c ON c.id = n.complaint "  # noqa: S608 - ours
    f"LEFT JOIN due_dates d ON d.complaint = n.complaint AND d.clock = 'reopening' {JOIN_PROFILE} "
    "WHERE n.number IN (*)"
)
_NUMBERS = "SELECT number, complaint FROM numbers WHERE number IN (*)"
_FOREIGN = (
    "SELECT f.key, COALESCE(f.number, c.number) FROM foreign_ids f LEFT JOIN complaints c ON c.id = f.complaint "
    "WHERE f.key IN (*)"
)
_REPLIES = (
    "SELECT i.key, o.number FROM reply_ids i JOIN outbox o ON o.id = i.reply "
    "WHERE i.key IN (*) AND o.complaint IS NOT NULL"
)
_DECISION = "SELECT raw, item_index, at, decision, first, found_by FROM decisions WHERE "


class Lookups:
    """Queries in one reading transaction."""

    def __init__(self, connection: Connection, vault: Vault, keys: MemoryKeys, rows: DecisionRows) -> None:
        self._connection = connection
        self._vault = vault
        self._keys = keys
        self._rows = rows

    def known(self, queries: Sequence[Query]) -> Known:
        """Everything that is known of these items."""
        items = [query.item for query in queries]
        conversations, identities = dict[bytes, str](), dict[bytes, str]()
        for sender in map(self._keys.of_sender, items):
            conversations.update(sender.conversations)
            identities.update(sender.identities)
        senders = {key[:REPORTER_HASH]: name for key, name in (conversations | identities).items()}
        decided, seen = self._decided(items), self._by_message_id({item.id for item in items})
        new = [m for m in items if isinstance(m, Message) and m.id not in seen and (m.raw, m.item_index) not in decided]
        profiles = [query.profile for query in queries if query.profile is not None]
        asked = [profile.asked_under for profile in profiles]
        alike = alike_references(self._connection, asked)
        report_keys = {self._keys.report(key): key for query in queries for key in query.report_keys}
        return Known(
            decided=decided,
            seen=seen,
            fingerprints=self._fingerprints(items),
            threads=self._threads("conversation", "threads", conversations),
            same_words=self._threads("key", "same_words", report_keys),
            by_number=self._by_number(items, senders),
            by_external_id=self._by_external_id(items, senders),
            by_message=self._by_message(items, senders),
            deletions=self._deletions(new),
            new_numbers=self._new_numbers(new),
            alike=alike,
            reports=reports_of(
                self._connection, likeliest(profiles, asked, alike), senders,
                self._keys.senders_apart(new),
            ),
        )  # fmt: skip

    def _decided(self, items: Sequence[Item]) -> dict[tuple[str, int], Decision]:
        ids = {(item.raw, 0): "" for item in items if isinstance(item, Action) and item.beside_report}
        ids |= {(item.raw, item.item_index): item.id for item in items}
        rows = query_in(self._connection, f"{_DECISION} raw IN (*)", {raw for raw, _ in ids})
        found = (((row.raw, row.item_index), row) for row in rows)
        return {item: decision_about(row, ids[item]) for item, row in found if item in ids}

    def _by_message_id(self, ids: Iterable[str]) -> dict[str, Decision]:
        """The first decision about each message id."""
        plain = {self._keys.message(id): id for id in ids}
        rows = query_in(self._connection, f"{_DECISION} first IN (*)", plain)
        found = ((plain[bytes(row.first)], row) for row in rows)
        return {id: decision_with_id(row, id) for id, row in found}

    def _deletions(self, new: Sequence[Message]) -> dict[str, Decision]:
        """A channel may bring that a message was taken back before the message itself."""
        plain = {self._rows.deletion_key(m.id): m.id for m in new if m.native_id and m.kind not in REFERRING_KINDS}
        rows = query_in(self._connection, f"{_DECISION} found_by IN (*) ORDER BY at DESC", plain)
        return {plain[bytes(row.found_by)]: decision_with_id(row, "") for row in rows}

    def _fingerprints(self, items: Sequence[Item]) -> dict[str, Decision]:
        alike: dict[bytes, list[Message]] = defaultdict(list)
        for item in items:
            key = self._rows.fingerprint_key(item)
            if key is not None and isinstance(item, Message):
                alike[key].append(item)
        if not alike:
            return {}
        oldest = min(m.received_at for messages in alike.values() for m in messages) - FINGERPRINT_LASTS
        sql = f"{_DECISION} found_by IN (*) AND at >= ? ORDER BY at"
        latest: dict[str, Decision] = {}
        for row in query_in(self._connection, sql, alike, instant_encoder(self._connection)(oldest)):
            messages = alike[bytes(row.found_by)]
            times = [m.received_at for m in messages]
            if min(times) - FINGERPRINT_LASTS <= parse_instant(row.at) <= max(times) + FINGERPRINT_LASTS:
                latest[str(messages[0].fingerprint)] = decision_with_id(row, self._id_without_native(messages[0], row))
        return latest

    def _id_without_native(self, alike: Message, row: Any) -> str:
        """The id of a message that has a fingerprint was derived; one that its channel gave is not stored."""
        id = message_id(alike.channel, alike.account, without_native(row.raw, row.item_index))
        return id if row.first is not None and self._keys.message(id) == bytes(row.first) else ""

    def _threads(self, column: str, table: str, plain: Mapping[bytes, str]) -> dict[str, Thread]:
        sql = f"SELECT t.{column}, {_THREAD} FROM {table} t {_JOIN} WHERE t.{column} IN (*)"  # noqa: S608 - ours
        return {plain[bytes(key)]: _thread(*rest) for key, *rest in query_in(self._connection, sql, plain)}

    def _by_number(self, items: Iterable[Item], senders: Mapping[bytes, str]) -> dict[str, Referred]:
        """By the number as it was written, and by its digits."""
        digits = {i.number: "".join(c for c in i.number if c in "0123456789") for i in items if i.number}
        known = self._referred(digits.values(), senders)
        return known | {written: known[number] for written, number in digits.items() if number in known}

    def _by_external_id(self, items: Iterable[Item], senders: Mapping[bytes, str]) -> dict[tuple[str, str], Referred]:
        pairs = {pair for item in items for pair in _foreign_ids(item)}
        plain = {self._keys.foreign(pair): pair for pair in pairs}
        numbers = {plain[bytes(key)]: number for key, number in query_in(self._connection, _FOREIGN, plain)}
        known = self._referred(numbers.values(), senders)
        return {pair: known[number] for pair, number in numbers.items() if number in known}

    def _by_message(self, items: Iterable[Item], senders: Mapping[bytes, str]) -> dict[str, Referred]:
        """Messages referred to: a citizen's, whose decision names the complaint, or one of our own replies."""
        ids = {message_id(m.channel, m.account, m.refers_to) for m in items if isinstance(m, Message) and m.refers_to}
        if not ids:
            return {}
        decisions = self._by_message_id(ids)
        numbers = {id: d.number for id, d in decisions.items() if d.number and not d.stranger}
        plain = {self._keys.message(id): id for id in ids}
        numbers |= {plain[bytes(key)]: number for key, number in query_in(self._connection, _REPLIES, plain)}
        known = self._referred(numbers.values(), senders)
        return {id: known[number] for id, number in numbers.items() if number in known}

    def _referred(self, numbers: Iterable[str], senders: Mapping[bytes, str]) -> dict[str, Referred]:
        """By number."""
        rows = query_in(self._connection, _REFERRED, set(numbers))
        return {row[1]: _referred(row, senders) for row in rows}

    def _new_numbers(self, messages: Iterable[Message]) -> dict[str, str]:
        """A free number for each complaint that may be opened; a complaint that has one keeps it."""
        left, found, attempt = list(dict.fromkeys(complaint_id(m.id) for m in messages)), dict[str, str](), 0
        while left:
            drawn = {self._vault.number(c, attempt): c for c in left}
            taken = {number: c for c, number in found.items()}
            taken |= map(tuple, query_in(self._connection, _NUMBERS, drawn))
            found |= {c: number for number, c in drawn.items() if taken.get(number, c) == c}
            left, attempt = [c for c in left if c not in found], attempt + 1
        return found


def _foreign_ids(item: Item) -> Iterable[tuple[str, str]]:
    return (item.of if isinstance(item, Action) else item.external_ids).items()


def _thread(complaint: str, number: str, last_at: Any, status: str | None, region: str | None, *profile: Any) -> Thread:
    return Thread(
        complaint=complaint, number=number, last_at=parse_instant(last_at), closed=status in CLOSED_STATUSES,
        region=region, profile=profile_of_row(*profile), wordless=profile[0] is None,
    )  # fmt: skip


def _referred(row: Any, senders: Mapping[bytes, str]) -> Referred:
    reporter = known_identities(bytes(row[-1]), senders)
    thread = {**asdict(_thread(*row[:-2])), "reopen_until": row[-2] and parse_instant(row[-2])}
    return Referred(**thread, reporter=reporter)

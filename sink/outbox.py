"""The replies that are owed: written with the record, published by the relay, claimed by whoever sends them.

    owed -> published -> claimed -> sent | unknown | failed -> delivered -> read        withheld: over the day's budget

Only who claimed a reply sends it. The outbox is read by state, never by "ids above the last".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, case, or_, select, text, update

from schemas import REFERRING, Message, Reply, Routed, encode, reply_id
from sink.bulk import ask, hold, lock, put, run, stamper
from sink.record import Record
from sink.replies import Template, words
from sink.tables import outbox
from sink.vault import Vault

BUDGET = 20
"""Automatic answers to one person on one local day."""
RECIPIENT = 2
"""Purpose of the locks on recipients."""
RELAY = 17081709
"""The advisory lock of whoever relays."""
MEDIA = frozenset({"image", "audio", "video", "document"})
_TEMPLATES: dict[str, Template] = {"recorded": "number_given", "added": "added"}


class Address(msgspec.Struct, frozen=True):
    """Where a reply goes; sealed as JSON in the outbox."""

    conversation: str
    to: str


_address = msgspec.json.Decoder(Address).decode


def owe(connection: Connection, vault: Vault, kept: Sequence[Routed], now: datetime, zone: tzinfo) -> int:
    """Write the replies that these messages are owed; returns how many may be sent."""
    answered = [(event, template) for event in kept if (template := _template(event)) is not None]
    if not answered:
        return 0
    day = now.astimezone(zone).date().isoformat()
    rows = [_row(vault, event, template) for event, template in answered]
    _tell(connection, answered, rows)
    _spare(connection, rows, day)
    common = {"created_at": stamper(connection)(now), "day": day, "attempts": 0}
    put(connection, outbox, [row | common for row in rows], "ON CONFLICT DO NOTHING")
    return sum(row["state"] == "owed" for row in rows)


def _template(event: Routed) -> Template | None:
    message, outcome = event.complaint.message, event.complaint.outcome
    if message.kind in REFERRING:
        return None
    if message.command is not None and outcome == "refused" and message.refusal is None:
        return "unknown_number"
    if message.command == "CEK" and outcome == "added":
        return "status"
    if message.kind in MEDIA and outcome == "added" and not message.read:
        return None  # an album is one thing said, and its channel shows that it arrived
    return _TEMPLATES.get(outcome)


def _row(vault: Vault, event: Routed, template: Template) -> dict[str, Any]:
    complaint, message = event.complaint, event.complaint.message
    address = Address(message.conversation, _to(message))
    return {
        "id": reply_id(message.raw, message.index, template), "owner": message.owner, "account": message.account,
        "channel": message.channel, "raw": message.raw, "idx": message.index,
        "complaint": None if _strange(event) else complaint.id, "number": complaint.number,
        "template": template, "in_reply_to": message.native_id or None,
        "address": vault.seal(encode(address).decode()), "recipient": vault.digest("recipient", _person(message)),
    }  # fmt: skip


def _strange(event: Routed) -> bool:
    """A stranger's answer is none of the complaint's own."""
    return event.complaint.stranger and event.complaint.outcome == "added"


def _to(message: Message) -> str:
    """A mail's conversation is its thread; elsewhere the conversation is with the address itself."""
    return (message.sender.email if message.channel == "email" else None) or message.conversation


def _person(message: Message) -> str:
    sender = message.sender
    return sender.phone or sender.email or sender.user or message.key


def _tell(connection: Connection, answered: Sequence[tuple[Routed, Template]], rows: Sequence[dict[str, Any]]) -> None:
    asked = {event.complaint.id for event, template in answered if template == "status"}
    statuses = dict(tuple(r) for r in ask(connection, "SELECT id, status FROM complaints WHERE id IN (*)", asked))
    for (event, template), row in zip(answered, rows, strict=True):
        status = statuses.get(event.complaint.id, "unverified")
        missing = event.complaint.missing if template == "number_given" else ()
        row["text"] = words(template, number=row["number"] or "", status=status, missing=missing)


def _spare(connection: Connection, rows: Sequence[dict[str, Any]], day: str) -> None:
    """A person who was told enough today is told no more: two machines may be talking to each other."""
    hold(connection, RECIPIENT, {row["recipient"] for row in rows})  # whoever else answers the same person waits
    sql = "SELECT recipient, count(id) FROM outbox WHERE recipient IN (*) AND day = ? AND state <> ? GROUP BY recipient"
    told = ask(connection, sql, {row["recipient"] for row in rows}, day, "withheld")
    spent = Counter({bytes(recipient): count for recipient, count in told})
    for row in rows:
        spent[row["recipient"]] += 1
        row["state"] = "owed" if spent[row["recipient"]] <= BUDGET else "withheld"


@contextmanager
def relaying(record: Record) -> Iterator[bool]:
    """Whether this relay is the only one at work until the context ends, in all processes: two would publish the same
    replies. On SQLite nobody is asked. Raises Retry."""
    if record.engine.dialect.name == "sqlite":
        yield True
        return
    with record.write() as connection:
        yield bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": RELAY}).scalar_one())


def owed(record: Record, *, now: datetime, limit: int = 500, paused: Collection[str] = ()) -> list[Reply]:
    """Replies to publish, oldest first; those of `paused` accounts wait."""
    due = or_(outbox.c.not_before.is_(None), outbox.c.not_before <= now)
    query = (
        select(outbox)
        .where(text("state = 'owed'"), due, outbox.c.account.not_in(paused))
        .order_by(outbox.c.created_at, outbox.c.raw, outbox.c.idx)
        .limit(limit)
    )
    with record.read() as connection:
        return [_reply(record.vault, row) for row in connection.execute(query)]


def _reply(vault: Vault, row: Any) -> Reply:
    address = _address(vault.open(row.address))
    return Reply(
        id=row.id, account=row.account, channel=row.channel, conversation=address.conversation, to=address.to,
        text=row.text, template=row.template, complaint=row.complaint, number=row.number, in_reply_to=row.in_reply_to,
        created_at=row.created_at,
    )  # fmt: skip


def published(record: Record, ids: Collection[str], *, now: datetime | None = None) -> None:
    """These stand on the bus. One that was claimed and put back meanwhile is left: it has to be published again."""
    due = "state = 'owed' AND (not_before IS NULL OR not_before <= :not_before)"
    sql = f"UPDATE outbox SET state = 'published', published_at = :published_at WHERE id = :id AND {due}"  # noqa: S608 - our own words
    with record.write() as connection:
        at = stamper(connection)(now or datetime.now(UTC))
        lock(connection, outbox, "id", ids)
        run(connection, outbox, sql, [{"id": reply, "not_before": at, "published_at": at} for reply in ids])


def claim(record: Record, ids: Collection[str], *, by: str, now: datetime) -> set[str]:
    """Those of the replies that the claim `by` has now, and nobody else. A claim whose answer was lost is made again by
    that name, and has what it took; once it was answered, its name is used up. What is published was due by the clock
    of the relay; ours may be behind it, and is not asked again."""
    free = (
        "(state = 'published' OR state = 'claimed' AND claimed_by = ? "
        "OR state = 'owed' AND (not_before IS NULL OR not_before <= ?))"
    )
    sql = "UPDATE outbox SET state = 'claimed', claimed_by = :claimed_by, claimed_at = :claimed_at WHERE id = :id"
    with record.write() as connection:
        at = stamper(connection)(now)
        lock(connection, outbox, "id", ids)
        found = {id for (id,) in ask(connection, f"SELECT id FROM outbox WHERE id IN (*) AND {free}", ids, by, at)}  # noqa: S608 - our own words
        run(connection, outbox, sql, [{"id": id, "claimed_by": by, "claimed_at": at} for id in found])
    return found


def unclaim_stale(record: Record, *, before: datetime, reasons: Mapping[str, str] | None = None) -> int:
    """Claims from before then have nobody who finishes them, and may have been sent: they become `unknown`, not sent
    again. A receipt that carries our reference still settles them. `reasons` says by account what is stated. Returns
    how many."""
    stale = and_(text("state = 'claimed'"), outbox.c.claimed_at < before)
    told, said = reasons or {}, "claimed, and not heard of again"
    why = case(told, value=outbox.c.account, else_=said) if told else said
    return _changed(record, stale, state="unknown", reason=why)


def unpublish_stale(record: Record, *, before: datetime) -> int:
    """Replies published before then that nobody has claimed: what carried them is gone (a memory bus, a buried event).
    They are owed again; a claim still lets only one be sent. Returns how many."""
    return _changed(record, and_(text("state = 'published'"), outbox.c.published_at < before), state="owed")


def _changed(record: Record, which: ColumnElement[bool], **values: Any) -> int:
    with record.write() as connection:
        lock(connection, outbox, "id", connection.execute(select(outbox.c.id).where(which)).scalars())
        return connection.execute(update(outbox).where(which).values(values)).rowcount

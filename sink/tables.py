"""What the record holds. `owner` (the account's region or office) stands on every row that belongs to somebody.

Personal values are sealed (`vault.seal`), and found by keyed hashes of 16 bytes beside them. A message is known by its
Raw's id and its position there (`raw`, `idx`): that is what comes twice when something is delivered twice.

Text has no length, and a foreign word of any length must be kept: what is indexed is either our own, or hashed, for
PostgreSQL's trees take 2,704 bytes a row at most.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from sink.instant import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _column(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    more.setdefault("nullable", False)
    return Column(name, kind, **more)


def _maybe(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=True, **more)


def _key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _table(name: str, *parts: Any, **more: Any) -> Table:
    return Table(name, metadata, *parts, **more)


def _keyed(name: str, *parts: Any) -> Table:
    """Rows that lie in the order of their key: one tree less to write on SQLite."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


def _index(table: Table, *columns: str, only: str, using: str = "btree") -> Index:
    """An index of the rows that are looked for; `only` has to stand in the query as it stands here."""
    name = f"ix_{table.name}_{'_'.join(columns)}"
    return Index(
        name, *(table.c[c] for c in columns),
        sqlite_where=text(only), postgresql_where=text(only), postgresql_using=using,
    )  # fmt: skip


def _item() -> tuple[Column[Any], Column[Any]]:
    return _key("raw"), _key("idx", Integer)


def _owner() -> Column[Any]:
    return _column("owner")


HASH = LargeBinary(16)

complaints = _table(
    "complaints",
    _key("id"),
    _column("number", unique=True),
    _owner(), _column("channel"), _column("account"),
    _column("raw"), _column("idx", Integer), _column("message"),
    _column("received_at", Instant), _column("updated_at", Instant), _maybe("sent_at", Instant),
    _column("report_class"), _maybe("needs_investigation", Boolean), _maybe("incident_date"),
    _column("title"), _column("text"), _column("read"),
    _column("status"), _maybe("status_said"),
    _maybe("place_code"), _maybe("place_level"), _maybe("place_name"), _maybe("place_words"), _maybe("place_source"),
    _maybe("lat", Float), _maybe("lon", Float),
    _maybe("category_id"), _maybe("category_name"),
    _maybe("office_id"), _maybe("office_name"), _maybe("named_office_id"), _maybe("named_office_name"),
    _maybe("rule"), _maybe("why"),
    _column("anonymous", Boolean), _column("secret", Boolean),
    _maybe("external_ids"), _maybe("tags"), _maybe("missing"), _maybe("extra", LargeBinary),
    _column("reader"), _column("matcher"), _column("rules"),
    _maybe("likeness", LargeBinary), _maybe("incident_id"),
    Index(None, "received_at", "id"),
)  # fmt: skip
"""`extra` is sealed; `external_ids`, `tags` and `missing` are JSON. Nothing fills `likeness` and `incident_id` yet."""

messages = _table(
    "messages",
    *_item(),
    _column("id"), _column("complaint"), _column("stranger", Boolean),
    _owner(), _column("channel"), _column("account"), _column("direction"),
    _column("native_id"), _column("kind"), _maybe("kind_said"), _maybe("refers_to"), _column("text"),
    _maybe("sent_at", Instant), _column("received_at", Instant), _column("conversation", HASH),
    _column("reader"), _column("matcher"),
    Index(None, "complaint"),
)  # fmt: skip
"""Those that opened or joined a complaint. A `stranger` only asked for its status, and adds no words to it.

What else belongs to a complaint is found by the keys of its messages: raw ids grow with time, and a tree that grows at
its end is cheap to write; complaint ids lie scattered."""

readings = _keyed(
    "readings",
    *_item(), _key("reader"),
    _owner(), _column("message"), _column("made"),
)  # fmt: skip
"""What a version of the reader made of a message (JSON), so that a replay has something to be compared with."""

parties = _keyed(
    "parties",
    *_item(),
    _owner(), _column("sealed", LargeBinary),
    _maybe("phone", HASH), _maybe("email", HASH), _maybe("nik", HASH), _maybe("user_id", HASH),
)  # fmt: skip
"""Who sent the message of that key."""

attachments = _table(
    "attachments",
    _key("id"),
    _column("raw"), _column("idx", Integer), _column("n", Integer),
    _owner(), _column("account"), _maybe("native_id"), _maybe("media_type"), _maybe("name", LargeBinary),
    _maybe("url"), _maybe("size", BigInteger), _maybe("sha256"), _column("state"),
    _maybe("expires_at", Instant), _maybe("next_try", Instant), _column("attempts", Integer),
    Index(None, "raw", "idx"),
)  # fmt: skip
"""`name` is sealed: files are named after people."""
_index(attachments, "next_try", only="state = 'referenced'")

timeline = _keyed(
    "timeline",
    *_item(), _key("step", Integer),
    _owner(), _column("at", Instant), _column("what"), _column("who"), _maybe("why"),
)  # fmt: skip

matches = _table(
    "matches",
    *_item(), _key("n", Integer),
    _maybe("complaint"), _owner(), _column("message"), _column("kind"), _column("of"),
    _column("score", Float), _column("evidence"), _column("matcher"),
    _maybe("undone_at", Instant), _maybe("undone_by"),
    Index(None, "complaint"),
)  # fmt: skip

decisions = _table(
    "decisions",
    *_item(),
    _owner(), _maybe("first", HASH, unique=True), _maybe("fingerprint", HASH),
    _column("at", Instant), _column("decided_at", Instant), _column("decision"),
)  # fmt: skip
"""The matcher's memory. `first` is a hash of the message id, on the one row that was first with it."""
_index(decisions, "fingerprint", "at", only="fingerprint IS NOT NULL")

threads = _keyed("threads", _key("conversation", HASH), _owner(), _column("complaint"))

said = _keyed("said", _key("said", HASH), _owner(), _column("complaint"))

numbers = _table(
    "numbers",
    _key("complaint"),
    _column("number", unique=True), _owner(), _column("last_at", Instant), _column("reporter", LargeBinary),
)  # fmt: skip
"""A complaint as the matcher knows it, from before it is recorded. `reporter`: hashes of who opened it, end to end."""

outbox = _table(
    "outbox",
    _key("id"),
    _owner(), _column("account"), _column("channel"), _column("raw"), _column("idx", Integer),
    _maybe("complaint"), _maybe("number"), _column("template"), _column("text"),
    _maybe("in_reply_to"), _column("address", LargeBinary), _column("recipient", HASH), _column("day"),
    _column("created_at", Instant), _column("state"), _column("attempts", Integer),
    _maybe("not_before", Instant), _maybe("published_at", Instant), _maybe("claimed_by"), _maybe("claimed_at", Instant),
    _maybe("native_id"), _maybe("sent_at", Instant), _maybe("reason"),
    Index(None, "recipient", "day"), Index(None, "raw", "idx"),
)  # fmt: skip
"""owed -> published -> claimed -> sent | unknown | failed -> delivered -> read; or withheld.

`address` seals the conversation and `to`."""
_index(outbox, "created_at", only="state = 'owed'")
_index(outbox, "published_at", only="state = 'published'")
_index(outbox, "claimed_at", only="state = 'claimed'")
_index(outbox, "native_id", only="native_id IS NOT NULL", using="hash")

receipts = _table(
    "receipts",
    _key("id"),
    _owner(), _column("account"), _column("channel"), _maybe("reply"), _maybe("native_id"),
    _column("state"), _column("at", Instant), _maybe("reason"),
    _maybe("raw"), _column("idx", Integer),
)  # fmt: skip
_index(receipts, "native_id", only="native_id IS NOT NULL", using="hash")

outcomes = _keyed(
    "outcomes",
    *_item(),
    _column("of", Integer), _owner(), _column("account"), _column("outcome"),
    _maybe("complaint"), _maybe("message"), _maybe("reason"), _column("at", Instant),
)  # fmt: skip
"""The one end of every item. This primary key is the truth about "kept already"."""
_index(outcomes, "of", only="of > 1")

received = _table(
    "received",
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    _column("raw"), _owner(), _column("account"), _column("at", Instant),
    UniqueConstraint("raw"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""What came in, as the ledger's own group reads it from the log; the other side of the books."""

dead = _table(
    "dead",
    _key("id"),
    _owner(), _maybe("account"), _maybe("channel"), _column("stage"), _column("of_topic"), _column("reason"),
    _column("at", Instant), _column("attempts", Integer), _maybe("raw"), _column("idx", Integer),
    _maybe("message"), _column("sealed", LargeBinary),
    Index(None, "at"), Index(None, "raw", "idx"),
)  # fmt: skip

requests = _keyed("requests", _key("caller", HASH), _key("key", HASH), _column("body", HASH), _column("raw"))
"""First Raw of an Idempotency-Key."""

meta = _keyed("meta", _key("name"), _column("value", LargeBinary))
"""The key check."""

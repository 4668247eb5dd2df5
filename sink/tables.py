"""What the record holds. `owner` (the account's region or office) stands on every row that belongs to somebody.

* Personal values are sealed (`Vault.seal`) and found by keyed hashes of 16 bytes (`Vault.digest`) beside them.
* A channel's id in which a phone number may be encoded stands nowhere in plain: `key` is the hash of the whole message
  id (`Record.message_key`), `public_id` and the like are what may leave the program (`Record.public_id`).
* An item (a message, an action, a receipt) is identified by its Raw's id and its position there: `raw`, `item_index`.
* Each text stands once: a complaint's words are those of the message that opened it.

Text has no length, and a foreign word of any length is stored: what is indexed is either our own or hashed, for
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
HASH = LargeBinary(16)


def _column(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    more.setdefault("nullable", False)
    return Column(name, kind, **more)


def _maybe(name: str, kind: Any = Text, **more: Any) -> Column[Any]:
    return Column(name, kind, nullable=True, **more)


def _key(name: str, kind: Any = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True, autoincrement=False)


def _seq() -> Column[Any]:
    """A growing integer of the table's own: a tree that grows at its end is cheap to write."""
    return Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _table(name: str, *parts: Any, **more: Any) -> Table:
    return Table(name, metadata, *parts, **more)


def _growing(name: str, *parts: Any) -> Table:
    """A table keyed by `seq`; a number is never used again."""
    return Table(name, metadata, _seq(), *parts, sqlite_autoincrement=True)


def _clustered(name: str, *parts: Any) -> Table:
    """Rows that lie in the order of their key: one tree less to write on SQLite."""
    return Table(name, metadata, *parts, sqlite_with_rowid=False)


def _index(table: Table, *columns: str, only: str) -> Index:
    """An index of some rows; `only` has to stand in the query as it stands here."""
    name = f"ix_{table.name}_{'_'.join(columns)}"
    return Index(name, *(table.c[c] for c in columns), sqlite_where=text(only), postgresql_where=text(only))


def _item() -> tuple[Column[Any], Column[Any]]:
    return _key("raw"), _key("item_index", Integer)


def _owner() -> Column[Any]:
    return _column("owner")


# -- complaints, and what hangs on them

complaints = _table(
    "complaints",
    _key("id"),
    _column("number", unique=True),
    _owner(), _column("channel"), _column("account"),
    _column("raw"), _column("item_index", Integer),
    _column("received_at", Instant), _column("updated_at", Instant), _maybe("sent_at", Instant),
    _column("report_class"), _maybe("needs_investigation", Boolean), _maybe("incident_date"), _maybe("title"),
    _column("status"), _maybe("status_said"), _maybe("status_at", Instant),
    _maybe("place_code"), _maybe("place_level"), _maybe("place_name"), _maybe("place_words"), _maybe("place_source"),
    _maybe("lat", Float), _maybe("lon", Float),
    _maybe("category_id"), _maybe("category_name"),
    _maybe("named_office_id"), _maybe("named_office_name"),
    _column("anonymous", Boolean), _column("secret", Boolean),
    _maybe("external_ids"), _maybe("tags"), _maybe("missing"), _maybe("extra", LargeBinary),
    _column("reader"), _column("matcher"), _column("rules"),
    _maybe("incident_id"), _maybe("touched_at", Instant),
    Index(None, "received_at", "id"),
)  # fmt: skip
"""`raw` and `item_index` are those of the message that opened it. `status_at` is the time of the last status by its
source's own clock. `touched_at` is when an officer or an office first acted: a rereading changes nothing after that.
`extra` is sealed; `external_ids`, `tags` and `missing` are JSON. Nothing fills `incident_id` yet."""

messages = _table(
    "messages",
    *_item(),
    _column("key", HASH), _column("complaint"), _column("stranger", Boolean), _column("proven", Boolean),
    _owner(), _column("channel"), _column("account"), _column("direction"),
    _column("public_id"), _column("kind"), _maybe("kind_word"), _maybe("refers_to", HASH),
    _column("text"), _maybe("cleaned"),
    _maybe("sent_at", Instant), _column("received_at", Instant), _column("conversation", HASH),
    _column("reader"), _column("matcher"),
    Index(None, "complaint"),
)  # fmt: skip
"""Those that opened or joined a complaint, or asked for its status. A `stranger` adds no words to it. `proven`: the
channel vouches for the sender. `refers_to` is the key of another message; `cleaned` is null where it equals `text`."""

readings = _clustered(
    "readings",
    *_item(), _key("version"),
    _owner(), _column("made_at", Instant), _column("reading", LargeBinary), _column("applied", Boolean),
)  # fmt: skip
"""Later readings of a message that differ from what the record holds (sealed JSON); not `applied` where an officer had
acted before."""

parties = _clustered(
    "parties",
    *_item(),
    _owner(), _column("sealed", LargeBinary),
    _maybe("phone", HASH), _maybe("email", HASH), _maybe("nik", HASH), _maybe("user_id", HASH),
)  # fmt: skip
"""Who sent the message of that key, and where answers to it go (`contacts.Contact`)."""

attachments = _table(
    "attachments",
    _key("id"),
    _column("complaint"), _maybe("raw"), _maybe("item_index", Integer), _column("n", Integer),
    _owner(), _column("channel"), _column("account"), _maybe("source", LargeBinary), _maybe("name", LargeBinary),
    _maybe("media_type"), _maybe("size", BigInteger), _maybe("sha256"), _column("state"), _maybe("expires_at", Instant),
    Index(None, "complaint"),
)  # fmt: skip
"""Files. `source` seals the channel's id and the address from which a job fetches it, `name` its name: both may be
personal."""

timeline = _growing(
    "timeline",
    _column("complaint"), _owner(),
    _column("at", Instant), _column("what"), _column("actor_kind"), _maybe("actor"), _maybe("why"),
    _maybe("raw"), _maybe("item_index", Integer),
    Index(None, "complaint"),
)  # fmt: skip
"""What happened to a complaint; assignments stand in their own table and are shown among these."""

assignments = _growing(
    "assignments",
    _column("complaint"), _owner(),
    _column("office_id"), _maybe("office_name"), _column("state"), _maybe("rule"), _maybe("why"),
    _column("since", Instant), _maybe("until", Instant), _column("by_kind"), _maybe("by"),
    UniqueConstraint("complaint", "office_id"), Index(None, "office_id", "state"),
)  # fmt: skip
"""The offices that have a complaint, each with its own state: assigned, in_progress, done, passed_on or returned."""

actions = _table(
    "actions",
    *_item(),
    _column("key", HASH), _maybe("complaint"), _owner(), _column("channel"), _column("account"),
    _column("what"), _maybe("what_word"),
    _column("actor_kind"), _maybe("actor_id"), _maybe("actor_name"),
    _maybe("text"), _maybe("status"), _maybe("status_said"), _maybe("office_id"), _maybe("to_complaint"),
    _maybe("observed_at", Instant), _column("received_at", Instant),
    _column("applied", Boolean), _maybe("reason"), _maybe("owed"),
    Index(None, "complaint"),
)  # fmt: skip
"""What somebody responsible did. `reason`: why it, or its status, was not applied. `owed` (JSON) is an answer that
waits until the complaint is recorded."""

matches = _growing(
    "matches",
    _maybe("complaint"), _owner(), _column("raw"), _column("item_index", Integer),
    _column("kind"), _column("of"), _column("score", Float), _column("evidence"), _column("matcher"),
    _maybe("undone_at", Instant), _maybe("undone_by"),
    Index(None, "complaint"),
)  # fmt: skip
"""Evidence for joins and links. `of` is a complaint id, or a message id as it may leave."""

# -- the matcher's memory

decisions = _table(
    "decisions",
    *_item(),
    _owner(), _maybe("first", HASH, unique=True), _maybe("fingerprint", HASH),
    _column("at", Instant), _column("decided_at", Instant), _column("decision"),
)  # fmt: skip
"""`first` is the key of the message id, on the one row that was first with it. `decision` is JSON without what the row
says already, and without a channel's id."""
_index(decisions, "fingerprint", "at", only="fingerprint IS NOT NULL")

threads = _clustered("threads", _key("conversation", HASH), _owner(), _column("complaint"))

same_words = _clustered("same_words", _key("key", HASH), _owner(), _column("complaint"))
"""`key` hashes an identity and the digest of the words with which it opened the complaint."""

foreign_ids = _clustered("foreign_ids", _key("key", HASH), _owner(), _column("complaint"))
"""`key` hashes another system's name and its id of the complaint."""

numbers = _clustered(
    "numbers",
    _key("complaint"),
    _column("number", unique=True), _owner(), _column("last_at", Instant), _column("reporter", LargeBinary),
)  # fmt: skip
"""A complaint as the matcher knows it, from before it is recorded. `reporter`: hashes of those who opened it, end to
end."""

# -- the way out

outbox = _table(
    "outbox",
    _key("id"),
    _maybe("complaint"), _maybe("number"), _owner(), _column("account"), _column("channel"),
    _column("template"), _maybe("params"), _column("automatic", Boolean),
    _column("address", LargeBinary), _column("conversation", HASH), _column("recipient", HASH), _column("day"),
    _column("created_at", Instant), _column("state"), _column("due_at", Instant), _column("attempts", Integer),
    _maybe("epoch", BigInteger), _maybe("claimed_at", Instant),
    _maybe("sent_at", Instant), _maybe("text"), _maybe("public_ids"), _maybe("code"), _maybe("reason"),
    Index(None, "recipient", "day"), Index(None, "complaint"),
)  # fmt: skip
"""owed -> claimed -> sent | unknown | failed -> delivered -> read; or suppressed. `address` seals the conversation, the
channel's address of the person and the message that is answered. `text` is what was sent, `public_ids` (JSON) the
channel's ids of it as they may leave."""
_index(outbox, "account", "due_at", "created_at", only="state = 'owed'")
_index(outbox, "account", "epoch", only="state = 'claimed'")
_index(outbox, "conversation", "created_at", only="state IN ('owed', 'claimed')")
_index(outbox, "state", "account", only="state IN ('failed', 'unknown')")

reply_ids = _clustered("reply_ids", _key("key", HASH), _column("reply"))
"""Which reply a channel's id stands for; `key` as that of a message."""

early_receipts = _growing(
    "early_receipts",
    _column("key", HASH), _owner(), _column("account"), _column("state"), _column("at", Instant), _maybe("reason"),
    Index(None, "key"),
)  # fmt: skip
"""Receipts that came before it was known which reply the channel's id stands for."""

jobs = _table(
    "jobs",
    _key("id"),
    _column("kind"), _column("account"), _maybe("complaint"), _owner(),
    _column("args", LargeBinary), _column("state"), _maybe("step"), _maybe("results"),
    _column("attempts", Integer), _column("due_at", Instant),
    _maybe("epoch", BigInteger), _maybe("claimed_at", Instant),
    _maybe("code"), _maybe("reason"), _column("created_at", Instant), _maybe("finished_at", Instant),
)  # fmt: skip
"""Work owed to the outside: waiting -> claimed -> done | failed | unknown. `args` are sealed; `results` (JSON) are
those of the finished steps by name, `step` is one that was begun and not finished."""
_index(jobs, "account", "state", "kind", "due_at", only="state IN ('waiting', 'unknown', 'failed')")
_index(jobs, "account", "epoch", only="state = 'claimed'")

# -- accounts and processes

leases = _clustered(
    "leases", _key("account"), _column("holder"), _column("epoch", BigInteger), _column("until", Instant)
)

lease_holders = _clustered("lease_holders", _key("holder"), _column("until", Instant))
"""The processes among which the accounts are shared; one that holds no lease yet counts too."""

account_states = _clustered(
    "account_states",
    _key("account"),
    _column("epoch", BigInteger), _maybe("cursor"), _maybe("cursor_at", Instant),
    _maybe("fault_code"), _maybe("fault_detail"), _maybe("fault_since", Instant), _maybe("retry_at", Instant),
    _maybe("last_in_at", Instant), _maybe("last_out_at", Instant),
)  # fmt: skip

processes = _clustered(
    "processes",
    _key("id"),
    _column("host"), _column("stages"), _column("started_at", Instant), _column("seen_at", Instant), _maybe("report"),
)  # fmt: skip

aside = _clustered(
    "aside",
    _key("stage"), _key("account"),
    _column("since", Instant), _column("code"), _maybe("detail"), _maybe("released_at", Instant),
)  # fmt: skip
"""Accounts that a stage put aside: their events wait. A row stays after its release until the lane is empty."""

editions = _clustered(
    "editions",
    _key("name"), _key("version", Integer),
    _column("body", LargeBinary), _column("digest", HASH), _column("by"), _column("published_at", Instant),
)  # fmt: skip
"""`body` is sealed."""

# -- the ledger and the dead letters

outcomes = _clustered(
    "outcomes",
    *_item(),
    _column("item_count", Integer), _owner(), _column("account"), _column("outcome"),
    _maybe("complaint"), _maybe("message"), _maybe("reason"), _column("at", Instant),
)  # fmt: skip
"""The one outcome of every item. This primary key is the truth about "recorded already". `message` is the message id as
it may leave, where the item stands in no other table."""
_index(outcomes, "item_count", only="item_count > 1")

received = _growing(
    "received",
    _column("raw"), _owner(), _column("account"), _column("at", Instant),
    UniqueConstraint("raw"),
)  # fmt: skip
"""What came in, as the ledger's own group reads it from the log; the other side of the ledger."""

dead = _table(
    "dead",
    _key("id"),
    _owner(), _maybe("account"), _maybe("channel"), _column("stage"), _column("of_topic"),
    _column("code"), _maybe("detail"),
    _column("at", Instant), _column("attempts", Integer), _maybe("raw"), _column("item_index", Integer),
    _maybe("message"), _column("sealed", LargeBinary),
    _maybe("dismissed_at", Instant), _maybe("dismissed_by"),
    Index(None, "at"), Index(None, "raw", "item_index"),
)  # fmt: skip

requests = _clustered("requests", _key("caller", HASH), _key("key", HASH), _column("body", HASH), _column("raw"))
"""First Raw of an Idempotency-Key."""

proof_attempts = _clustered("proof_attempts", _key("number", HASH), _column("turns", Float), _column("at", Instant))
"""How many wrong proofs a complaint's number may still be given, as of `at`."""

meta = _clustered("meta", _key("name"), _column("value", LargeBinary))
"""The key check."""

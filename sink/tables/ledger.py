"""The ledger, the dead letters, and what the API and the pages remember."""

from __future__ import annotations

from sqlalchemy import Float, Index, Integer, LargeBinary, UniqueConstraint

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, growing, index, item, key, maybe, owner, table

outcomes = clustered(
    "outcomes",
    *item(),
    column("item_count", Integer), owner(), column("account"), column("outcome"),
    maybe("complaint"), maybe("message"), maybe("reason"), column("at", Instant),
)  # fmt: skip
"""The one outcome of every item. This primary key is the truth about "recorded already". `message` is the message id as
it may leave, where the item stands in no other table."""
index(outcomes, "item_count", only="item_count > 1")

received = growing(
    "received",
    column("raw"), owner(), column("account"), column("at", Instant),
    UniqueConstraint("raw"),
)  # fmt: skip
"""What came in, as the ledger's own group reads it from the log; the other side of the ledger."""

activity = clustered("activity", key("account"), key("day", Integer), column("hours", Integer))
"""In which hours an account took something in: `day` counts UTC days since 1970, each bit of `hours` is an hour of it.
Rows of 57 days stay."""

dead = table(
    "dead",
    key("id"),
    owner(), maybe("account"), maybe("channel"), column("stage"), column("of_topic"),
    column("code"), maybe("detail"),
    column("at", Instant), column("attempts", Integer), maybe("raw"), column("item_index", Integer),
    maybe("message"), column("sealed", LargeBinary),
    maybe("dismissed_at", Instant), maybe("dismissed_by"),
    Index(None, "at"), Index(None, "raw", "item_index"),
)  # fmt: skip

requests = clustered("requests", key("caller", HASH), key("key", HASH), column("body", HASH), column("raw"))
"""First Raw of an Idempotency-Key."""

proof_attempts = clustered("proof_attempts", key("number", HASH), column("turns", Float), column("at", Instant))
"""How many wrong proofs a complaint's number may still be given, as of `at`."""

meta = clustered("meta", key("name"), column("value", LargeBinary))
"""The key check."""

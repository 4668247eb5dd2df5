"""The matcher's memory."""

from __future__ import annotations

from sqlalchemy import BigInteger, LargeBinary

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, index, item, key, maybe, owner, table

decisions = table(
    "decisions",
    *item(),
    owner(), maybe("first", HASH, unique=True), maybe("found_by", HASH),
    column("at", Instant), column("decided_at", Instant), column("decision"),
)  # fmt: skip
"""`first` is the key of the message id, on the one row that was first with it. `found_by` hashes what a later item
finds it by: the fingerprint of a message without an id, or the id of the message that it deletes. `decision` is JSON
without what the row says already, and without a channel's id."""
index(decisions, "found_by", "at", only="found_by IS NOT NULL")

threads = clustered("threads", key("conversation", HASH), owner(), column("number"))

same_words = clustered("same_words", key("key", HASH), owner(), column("number"))
"""`key` hashes the words with which it opened the complaint, then an identity and these words: what a report is found
again under lies together."""

foreign_ids = clustered("foreign_ids", key("key", HASH), owner(), column("complaint"), maybe("number"))
"""`key` hashes another system's name and its id of the complaint. `number` is null where the complaint was recorded
before."""

numbers = clustered(
    "numbers",
    key("number"),
    column("complaint"), owner(), column("last_at", Instant), column("reporter", LargeBinary),
    maybe("reported_at", BigInteger),
)  # fmt: skip
"""A complaint as the matcher knows it, from before it is recorded: found by its number alone, for a second random key
would cost a second tree. `reporter`: hashes of those who opened it, end to end. `reported_at`, in seconds since 1970,
leads to its row in `match_reports` where it is compared; null while it has no words."""

"""What left for other systems, and where our complaints stand there."""

from __future__ import annotations

from sqlalchemy import Index

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, growing, index, key, maybe, owner

forwarded = clustered(
    "forwarded",
    key("complaint"), key("account"),
    owner(), column("system"), column("native"), column("at", Instant),
    maybe("poll_at", Instant), maybe("cursor"),
    Index(None, "account", "native"),
)  # fmt: skip
"""A complaint that stands in the system of that account, with its id there. `poll_at`: when to ask what is new about
it; null: it is followed no more. `cursor` is that of the last poll."""
index(forwarded, "account", "poll_at", only="poll_at IS NOT NULL")

disclosures = growing(
    "disclosures",
    column("job"), column("complaint"), owner(), column("account"), column("at", Instant),
    column("basis"), column("projection"), column("fields"), column("withheld"), column("digest", HASH),
    Index(None, "complaint"),
)  # fmt: skip
"""Which fields went to whom, when and why; never a value. `fields` and `withheld` (JSON) are names of fields,
`projection` the list and the version of it that decided, `digest` a keyed hash of all that left."""

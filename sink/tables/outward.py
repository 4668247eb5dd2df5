"""The way out: what is owed to people, and to the outside."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, growing, index, key, maybe, owner, table

outbox = table(
    "outbox",
    key("id"),
    maybe("complaint"), maybe("number"), owner(), column("account"), column("channel"),
    column("template"), maybe("params"), column("automatic", Boolean),
    column("address", LargeBinary), column("conversation", HASH), column("recipient", HASH), column("day"),
    column("created_at", Instant), column("state"), column("due_at", Instant), column("attempts", Integer),
    maybe("epoch", BigInteger), maybe("started", Boolean),
    maybe("sent_at", Instant), maybe("text"), maybe("public_ids"), maybe("code"), maybe("reason"),
    maybe("instead_of"),
    Index(None, "recipient", "day"), Index(None, "complaint"),
)  # fmt: skip
"""owed -> claimed -> sent | unknown | failed -> delivered -> read; or suppressed. A failed one is moved where another
reply stands for it (its `instead_of`), or dismissed by a person. `address` seals the conversation, the channel's
address of the person and the message that is answered. `started`: the reply, once claimed, may have left. `text` is
what was sent, `public_ids` (JSON) the channel's ids of it as they may leave."""
index(outbox, "account", "due_at", "created_at", only="state = 'owed'")
index(outbox, "account", "created_at", "id", only="state = 'owed'")
index(outbox, "account", "epoch", only="state = 'claimed'")
index(outbox, "conversation", "created_at", only="state IN ('owed', 'claimed')")
index(outbox, "state", "account", only="state IN ('failed', 'unknown')")

reply_ids = clustered("reply_ids", key("key", HASH), column("reply"))
"""Which reply a channel's id stands for; `key` as that of a message."""

early_receipts = growing(
    "early_receipts",
    column("key", HASH), owner(), column("account"), column("state"), column("at", Instant), maybe("reason"),
    Index(None, "key"),
)  # fmt: skip
"""Receipts that came before it was known which reply the channel's id stands for."""

jobs = table(
    "jobs",
    key("id"),
    column("kind"), column("account"), maybe("complaint"), owner(),
    column("args", LargeBinary), column("state"), maybe("step"), maybe("results"),
    column("attempts", Integer), column("due_at", Instant),
    maybe("epoch", BigInteger),
    maybe("code"), maybe("reason"), maybe("answer", LargeBinary),
    column("created_at", Instant), maybe("finished_at", Instant),
)  # fmt: skip
"""Work owed to the outside: waiting -> claimed -> done | failed | unknown. `args` are sealed; `results` (JSON) are
those of the finished steps by name, `step` is one that was begun and not finished. `answer` seals the other system's
own words at the last fault."""
index(jobs, "account", "state", "kind", "due_at", only="state IN ('waiting', 'unknown', 'failed')")
index(jobs, "account", "epoch", only="state = 'claimed'")
index(jobs, "complaint", only="kind = 'followup' AND state <> 'done'")
index(jobs, "kind", only="step IS NOT NULL AND state IN ('waiting', 'claimed', 'unknown')")

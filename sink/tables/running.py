"""Accounts and processes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, key, maybe

leases = clustered("leases", key("account"), column("holder"), column("epoch", BigInteger), column("until", Instant))

lease_holders = clustered("lease_holders", key("holder"), column("pool"), column("until", Instant))
"""The processes among which the accounts are shared; one that holds no lease yet counts too. `pool` is their work: ""
polls and sends, "forward" forwards; each shares the accounts by itself."""

account_states = clustered(
    "account_states",
    key("account"),
    column("epoch", BigInteger), maybe("cursor"), maybe("cursor_at", Instant),
    maybe("last_in_at", Instant), maybe("last_out_at", Instant), maybe("spent_at", Instant),
    maybe("token_ends_at", Instant), maybe("renewed_secret", LargeBinary),
    maybe("gap_code"), maybe("gap_detail"), maybe("gap_at", Instant),
)  # fmt: skip

account_faults = clustered(
    "account_faults",
    key("account"), key("ability"),
    column("code"), column("detail"), column("since", Instant), maybe("retry_at", Instant),
)  # fmt: skip

processes = clustered(
    "processes",
    key("id"),
    column("host"), column("stages"), column("started_at", Instant), column("seen_at", Instant), maybe("report"),
)  # fmt: skip

aside = clustered(
    "aside",
    key("stage"), key("account"),
    column("since", Instant), column("code"), maybe("detail"), maybe("released_at", Instant),
)  # fmt: skip
"""Accounts that a stage put aside: their events wait. A row stays after its release until the lane is empty."""

editions = clustered(
    "editions",
    key("name"), key("version", Integer),
    column("body", LargeBinary), column("digest", HASH), column("by"), column("from_file", Boolean),
    column("published_at", Instant),
)  # fmt: skip
"""`body` is sealed. `from_file`: a process found it in its file; else somebody imported it, or it was learned."""

"""Complaints, and what hangs on them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Float, Index, Integer, LargeBinary, UniqueConstraint

from sink.instant import Instant
from sink.tables.columns import HASH, clustered, column, growing, index, item, key, maybe, owner, table

complaints = table(
    "complaints",
    key("id"),
    column("number", unique=True),
    owner(), column("channel"), column("account"),
    column("raw"), column("item_index", Integer),
    column("received_at", Instant), column("updated_at", Instant), maybe("sent_at", Instant),
    column("report_class"), maybe("needs_investigation", Boolean), maybe("incident_date"), maybe("title"),
    column("status"), maybe("status_said"), maybe("status_at", Instant),
    maybe("place_code"), maybe("place_level"), maybe("place_name"), maybe("place_words"), maybe("place_source"),
    maybe("lat", Float), maybe("lon", Float),
    maybe("category_id"), maybe("category_name"),
    maybe("named_office_id"), maybe("named_office_name"),
    column("anonymous", Boolean), column("secret", Boolean),
    maybe("external_ids"), maybe("tags"), maybe("missing"), maybe("completed"), maybe("extra", LargeBinary),
    column("reader"), column("matcher"), column("rules"),
    maybe("incident_id"), maybe("touched_at", Instant), maybe("photo_lat", Float), maybe("photo_lon", Float),
    Index(None, "received_at", "id"),
)  # fmt: skip
"""`raw` and `item_index` are those of the message that opened it. `status_at` is the time of the last status by its
source's own clock. `touched_at` is when an officer or an office first acted: a rereading changes nothing after that.
`extra` is sealed; `external_ids`, `tags`, `missing` and `completed` are JSON: what the citizen was asked for, and the
fields that an addition gave to it. `incident_id` is the complaint that is the first of its incident; null for that one,
and where it is linked to none. `photo_lat` and `photo_lon` stand in the first of its pictures that holds a position:
they serve where the reading has none."""
index(complaints, "account", "received_at", only="channel = 'open311'")
index(complaints, "account", "raw", only="channel = 'counter'")

messages = table(
    "messages",
    *item(),
    column("key", HASH), column("complaint"), column("stranger", Boolean),
    column("courtesy", Boolean), column("proven", Boolean),
    owner(), column("channel"), column("account"), column("direction"),
    column("public_id"), column("kind"), maybe("kind_word"), maybe("refers_to", HASH),
    column("text"), maybe("cleaned"),
    maybe("sent_at", Instant), column("received_at", Instant), column("conversation", HASH),
    column("reader"), column("matcher"),
    Index(None, "complaint"),
)  # fmt: skip
"""Those that opened or joined a complaint, or asked for its status. A `stranger` adds no words to it, nor does a
`courtesy`: thanks or a greeting without a file. `proven`: the channel vouches for the sender. `refers_to` is the key of
another message; `cleaned` is null where it equals `text`."""

index(messages, "conversation", "raw", only="channel = 'app'")

readings = clustered(
    "readings",
    *item(), key("version"),
    owner(), column("made_at", Instant), column("reading", LargeBinary), column("applied", Boolean),
)  # fmt: skip
"""Later readings of a message that differ from what the record holds (sealed JSON); not `applied` where an officer had
acted before. Also the readings of additions that were recorded before their report."""

parties = clustered(
    "parties",
    *item(),
    owner(), column("sealed", LargeBinary),
    maybe("phone", HASH), maybe("email", HASH), maybe("nik", HASH), maybe("user_id", HASH),
)  # fmt: skip
"""Who sent the message of that key, and where answers to it go (`contacts.Contact`)."""

attachments = table(
    "attachments",
    key("id"),
    column("complaint"), maybe("raw"), maybe("item_index", Integer), column("n", Integer),
    owner(), column("channel"), column("account"), maybe("source", LargeBinary), maybe("name", LargeBinary),
    maybe("media_type"), maybe("size", BigInteger), maybe("sha256"), column("state"), maybe("expires_at", Instant),
    maybe("check_at", Instant), maybe("checks", Integer), maybe("verdict"), maybe("why"),
    maybe("shown"), maybe("shown_type"), maybe("preview"),
    Index(None, "complaint"),
)  # fmt: skip
"""Files. `source` seals the channel's id and the address from which a job fetches it, `name` its name: both may be
personal. `check_at`: when the bytes are checked next; null: they are, or are not here. `verdict` is clean, infected,
no_verdict or unscanned, `why` the reason for which the file is not shown. `shown` is the SHA-256 of the bytes that may
be shown and may leave, `preview` that of a small JPEG; the original stays as it came."""
index(attachments, "check_at", only="check_at IS NOT NULL")
index(attachments, "verdict", "why", only="shown IS NULL AND verdict IS NOT NULL")
index(attachments, "id", only="verdict = 'unscanned' AND shown IS NOT NULL")

timeline = growing(
    "timeline",
    column("complaint"), owner(),
    column("at", Instant), column("what"), column("actor_kind"), maybe("actor"), maybe("by"), maybe("why"),
    maybe("raw"), maybe("item_index", Integer),
    Index(None, "complaint"),
)  # fmt: skip
"""What happened to a complaint; assignments stand in their own table and are shown among these. `by` is the person who
acted for the office `actor`."""

assignments = growing(
    "assignments",
    column("complaint"), owner(),
    column("office_id"), maybe("office_name"), column("state"), maybe("rule"), maybe("why"),
    column("since", Instant), maybe("until", Instant), column("by_kind"), maybe("by"),
    UniqueConstraint("complaint", "office_id"), Index(None, "office_id", "state"),
)  # fmt: skip
"""The offices that have a complaint, each with its own state: assigned, in_progress, done, archived,
passed_on or returned."""

actions = table(
    "actions",
    *item(),
    column("key", HASH), maybe("complaint"), owner(), column("channel"), column("account"),
    column("what"), maybe("what_word"),
    column("actor_kind"), maybe("actor_id"), maybe("actor_name"),
    maybe("text"), maybe("status"), maybe("status_said"), maybe("office_id"), maybe("to_complaint"),
    maybe("observed_at", Instant), column("received_at", Instant),
    column("applied", Boolean), maybe("reason"), maybe("owed"),
    Index(None, "complaint"), Index(None, "received_at"),
)  # fmt: skip
"""What somebody responsible did. `reason`: why it, or its status, was not applied. `owed` (JSON) is an answer that
waits until the complaint is recorded."""

matches = growing(
    "matches",
    maybe("complaint"), owner(), column("raw"), column("item_index", Integer),
    column("kind"), column("of"), column("score", Float), column("evidence"), column("matcher"),
    maybe("undone_at", Instant), maybe("undone_by"),
    Index(None, "complaint"),
)  # fmt: skip
index(matches, "of", only="kind = 'same_incident'")
"""Evidence for joins and links. `of` is a complaint id, or a message id as it may leave."""

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

from sink.tables.columns import metadata
from sink.tables.complaints import (
    actions,
    assignments,
    attachments,
    complaints,
    matches,
    messages,
    parties,
    readings,
    timeline,
)
from sink.tables.due import counted, counters, due_dates, notices, office_activity, stale_due
from sink.tables.forwards import disclosures, forwarded
from sink.tables.ledger import activity, dead, meta, outcomes, proof_attempts, received, requests
from sink.tables.match_keys import match_keys, match_reports
from sink.tables.memory import decisions, foreign_ids, numbers, same_words, threads
from sink.tables.outward import early_receipts, jobs, outbox, reply_ids
from sink.tables.running import account_faults, account_states, aside, editions, lease_holders, leases, processes

__all__ = [
    "account_faults",
    "account_states",
    "actions",
    "activity",
    "aside",
    "assignments",
    "attachments",
    "complaints",
    "counted",
    "counters",
    "dead",
    "decisions",
    "disclosures",
    "due_dates",
    "early_receipts",
    "editions",
    "foreign_ids",
    "forwarded",
    "jobs",
    "lease_holders",
    "leases",
    "match_keys",
    "match_reports",
    "matches",
    "messages",
    "meta",
    "metadata",
    "notices",
    "numbers",
    "office_activity",
    "outbox",
    "outcomes",
    "parties",
    "processes",
    "proof_attempts",
    "readings",
    "received",
    "reply_ids",
    "requests",
    "same_words",
    "stale_due",
    "threads",
    "timeline",
]

"""The record and its keys: complaints, the matcher's memory, the outbox, jobs and leases, the ledger, the blobs."""

from sink.aside import AsideRow, accounts_aside, delete_aside, put_account_aside, release_account
from sink.blobs import Blobs
from sink.dead import dead_counts, dead_event, dead_list, dead_show, dismiss_dead, store_dead_letters
from sink.export import export
from sink.find import Found, find
from sink.ledger import balance, book_received, last_booked
from sink.memory import RecordMemory
from sink.migrate import downgrade, upgrade
from sink.outcomes import ItemOutcome, outcomes_of
from sink.persist import Persisted, persist_batch
from sink.postgres_status import PostgresStatus, postgres_status
from sink.proof_attempts import give_back_proof_attempt, take_proof_attempt
from sink.receipts import apply_receipts
from sink.record import Record, is_new
from sink.requests import remember_request
from sink.rereading import Rereading, apply_rereading
from sink.tracking import Tracked, track
from sink.vault import Vault, WrongKeys

__all__ = [
    "AsideRow",
    "Blobs",
    "Found",
    "ItemOutcome",
    "Persisted",
    "PostgresStatus",
    "Record",
    "RecordMemory",
    "Rereading",
    "Tracked",
    "Vault",
    "WrongKeys",
    "accounts_aside",
    "apply_receipts",
    "apply_rereading",
    "balance",
    "book_received",
    "dead_counts",
    "dead_event",
    "dead_list",
    "dead_show",
    "delete_aside",
    "dismiss_dead",
    "downgrade",
    "export",
    "find",
    "give_back_proof_attempt",
    "is_new",
    "last_booked",
    "outcomes_of",
    "persist_batch",
    "postgres_status",
    "put_account_aside",
    "release_account",
    "remember_request",
    "store_dead_letters",
    "take_proof_attempt",
    "track",
    "upgrade",
]  # fmt: skip

"""The record and its keys: complaints, the matcher's memory, the outbox, jobs and leases, the ledger, the blobs."""

from sink.aside import AsideRow, delete_aside, list_asides, put_account_aside, release_account
from sink.batch_items import PersistOptions
from sink.blobs import Blobs
from sink.dead import (
    count_dead_letters,
    dismiss_dead_letters,
    list_dead_letters,
    load_dead_event,
    show_dead_letter,
    store_dead_letters,
)
from sink.export import export
from sink.find import SearchResult, search_record
from sink.ledger import book_received, last_booked, read_balance
from sink.memory import RecordMemory
from sink.migrate import downgrade, upgrade
from sink.outcomes import ItemOutcome, outcomes_of
from sink.persist import Persisted, persist_batch
from sink.postgres_status import PostgresStatus, read_postgres_status
from sink.proof_attempts import give_back_proof_attempt, take_proof_attempt
from sink.receipts import apply_receipts
from sink.record import Record, is_new
from sink.requests import remember_request
from sink.rereading import Rereading, apply_rereading
from sink.tracking import TrackedReport, track_report
from sink.vault import Vault, WrongKeys

__all__ = [
    "AsideRow",
    "Blobs",
    "ItemOutcome",
    "PersistOptions",
    "Persisted",
    "PostgresStatus",
    "Record",
    "RecordMemory",
    "Rereading",
    "SearchResult",
    "TrackedReport",
    "Vault",
    "WrongKeys",
    "apply_receipts",
    "apply_rereading",
    "book_received",
    "count_dead_letters",
    "delete_aside",
    "dismiss_dead_letters",
    "downgrade",
    "export",
    "give_back_proof_attempt",
    "is_new",
    "last_booked",
    "list_asides",
    "list_dead_letters",
    "load_dead_event",
    "outcomes_of",
    "persist_batch",
    "put_account_aside",
    "read_balance",
    "read_postgres_status",
    "release_account",
    "remember_request",
    "search_record",
    "show_dead_letter",
    "store_dead_letters",
    "take_proof_attempt",
    "track_report",
    "upgrade",
]  # fmt: skip

"""The record and its keys: complaints, the matcher's memory, the outbox, jobs and leases, the ledger, the blobs."""

from sink.blobs import Blobs
from sink.migrate import downgrade, upgrade
from sink.record import Record, is_new
from sink.vault import Vault, WrongKeys

__all__ = ["Blobs", "Record", "Vault", "WrongKeys", "downgrade", "is_new", "upgrade"]

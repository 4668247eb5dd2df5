"""The archive: the record and its keys, the keeping stage, the matcher's memory, the outbox, the ledger, the blobs."""

from sink.attachments import fetched, unfetched, wanted
from sink.blobs import Blobs
from sink.dead import bury, dead_event, dead_list, dead_show
from sink.export import export
from sink.outcomes import Fate, fates, readings
from sink.persist import keep
from sink.ledger import balance, booked, count
from sink.memory import RecordMemory
from sink.migrate import downgrade, upgrade
from sink.outbox import claim, owed, published, relaying, unclaim_stale, unpublish_stale
from sink.receipts import note
from sink.record import Record, fresh
from sink.requests import remember_request
from sink.postgres_status import Standing, standing
from sink.tracking import Tracked, track
from sink.vault import Vault, WrongKeys

__all__ = [
    "Blobs",
    "Fate",
    "Record",
    "RecordMemory",
    "Standing",
    "Tracked",
    "Vault",
    "WrongKeys",
    "balance",
    "booked",
    "bury",
    "claim",
    "count",
    "dead_event",
    "dead_list",
    "dead_show",
    "downgrade",
    "export",
    "fates",
    "fetched",
    "fresh",
    "keep",
    "note",
    "owed",
    "published",
    "readings",
    "relaying",
    "remember_request",
    "standing",
    "track",
    "unclaim_stale",
    "unfetched",
    "unpublish_stale",
    "upgrade",
    "wanted",
]  # fmt: skip

"""The ground floor: the events of the road, the values inside them, the two errors, the identifiers."""

from schemas.errors import Reject, Retry, RoadError
from schemas.events import EVENTS, Complaint, Dead, Event, Message, Raw, Receipt, Reply, Routed, Slow
from schemas.ids import complaint_id, message_id, reply_id, without_native
from schemas.values import (
    CLOSED,
    REFERRING,
    Attachment,
    AttachmentState,
    Category,
    Command,
    Match,
    MatchKind,
    MessageKind,
    Office,
    Outcome,
    Party,
    Place,
    ReceiptState,
    ReportClass,
    Status,
)
from schemas.wire import decode, encode, json_schemas

__all__ = [
    "CLOSED", "EVENTS", "REFERRING", "Attachment", "AttachmentState", "Category", "Command", "Complaint", "Dead",
    "Event", "Match", "MatchKind", "Message", "MessageKind", "Office", "Outcome", "Party", "Place", "Raw", "Receipt",
    "ReceiptState", "Reject", "Reply", "ReportClass", "Retry", "RoadError", "Routed", "Slow", "Status", "complaint_id",
    "decode", "encode", "json_schemas", "message_id", "reply_id", "without_native",
]  # fmt: skip

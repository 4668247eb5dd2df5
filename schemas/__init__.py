"""Events of the pipeline, the values inside them, the errors, the identifiers. Every room stands on this one."""

from schemas.addresses import UndeliveredReply, VerifiedAddress
from schemas.body import Body
from schemas.digits import plain_digits
from schemas.errors import AccountFault, Held, PipelineError, Reject, Retry, Unanswered
from schemas.events import EVENTS, Action, Aside, Dead, Event, Matched, Message, Raw, Receipt, Routed, Slow
from schemas.forward import Forward, ForwardKind
from schemas.ids import bounded_id, complaint_id, message_id, native_of, reply_id, without_native
from schemas.values import (
    CLOSED_STATUSES,
    COURTESIES,
    NATION,
    REFERRING_KINDS,
    ActionKind,
    Actor,
    Assignment,
    Attachment,
    AttachmentState,
    Category,
    Command,
    Language,
    Match,
    MatchKind,
    MessageKind,
    Office,
    Outcome,
    Owed,
    Party,
    PersonalKind,
    PersonalSpan,
    Place,
    ReceiptState,
    Reply,
    ReplyState,
    ReportClass,
    Sort,
    Status,
)
from schemas.wire import decode, encode, json_schemas

__all__ = [
    "CLOSED_STATUSES", "COURTESIES", "EVENTS", "NATION", "REFERRING_KINDS", "AccountFault", "Action", "ActionKind",
    "Actor", "Aside", "Assignment", "Attachment", "AttachmentState", "Body", "Category", "Command", "Dead", "Event",
    "Forward", "ForwardKind", "Held", "Language", "Match", "MatchKind", "Matched", "Message", "MessageKind",
    "Office", "Outcome", "Owed", "Party", "PersonalKind", "PersonalSpan", "PipelineError", "Place", "Raw",
    "Receipt", "ReceiptState", "Reject", "Reply", "ReplyState", "ReportClass", "Retry", "Routed", "Slow", "Sort",
    "Status", "Unanswered", "UndeliveredReply", "VerifiedAddress", "bounded_id", "complaint_id", "decode", "encode",
    "json_schemas", "message_id", "native_of", "plain_digits", "reply_id", "without_native",
]  # fmt: skip

"""An event of a batch, with everything that can be made of it before the record's lock is taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from zoneinfo import ZoneInfo

from schemas import Message, Routed
from sink.actions import HandOver
from sink.completing import ChooseOffices
from sink.contacts import ReplyAddressOf
from sink.forward_queue import Destination, queue_complaint
from sink.jobs import NewJob
from sink.outbox import NewReply
from sink.owed import reply_to_sender
from sink.rows import Row, RowMaker, RowsByTable
from sink.tables import attachments, disclosures, forwarded

JAKARTA = ZoneInfo("Asia/Jakarta")


def _in_its_conversation(message: Message) -> str:
    return message.conversation


@dataclass(frozen=True, slots=True)
class PersistOptions:
    """What accounts and offices can do for a batch."""

    speaks: Collection[str] = ()
    """Accounts that can send."""
    destinations: Sequence[Destination] = ()
    """Accounts that forward, in order."""
    reply_address: ReplyAddressOf = _in_its_conversation
    hand_over: HandOver | None = None
    choose_offices: ChooseOffices | None = None
    zone: tzinfo = JAKARTA
    """Where a citizen's day begins."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """Rows, reply and jobs of an event."""

    routed: Routed
    rows: RowsByTable
    reply: NewReply | None
    jobs: Sequence[NewJob]

    @property
    def key(self) -> tuple[str, int]:
        return self.routed.matched.item.raw, self.routed.matched.item.item_index


def batch_item(make: RowMaker, routed: Routed, options: PersistOptions) -> BatchItem:
    contact = make.contact(routed.matched.message)
    forwards = queue_complaint(make, routed, options.destinations)
    rows = dict(make.rows_of(routed, contact)) | {disclosures: forwards.disclosures, forwarded: forwards.locations}
    reply = reply_to_sender(make, routed, contact, options.speaks)
    fetches = [_fetch(row) for row in rows.get(attachments, ()) if _is_remote(row)]
    return BatchItem(routed, rows, reply, [*fetches, *forwards.jobs])


def _is_remote(row: Row) -> bool:
    return row["state"] == "referenced" and row["source"] is not None


def _fetch(row: Row) -> NewJob:
    return NewJob(
        id=f"fetch/{row['id']}", kind="fetch", account=row["account"], owner=row["owner"],
        complaint=row["complaint"], args={"attachment": row["id"]}, due_at=None,
    )  # fmt: skip

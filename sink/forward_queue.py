"""Forwards that a batch owes: jobs, and the lines of the disclosure log, in the transaction that records the batch.

A complaint is queued once for each system that wants it. What came from a system, or stands there already, is never
sent there as new; what is said about it later is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from schemas import Forward, ForwardKind, Message, Office, Routed, encode
from sink.disclosure import Projected, canonical, project, projection_of
from sink.jobs import NewJob
from sink.rows import Row, RowMaker

FORWARD, FOLLOWUP, NOTICE = "forward", "followup", "notice"
"""Kinds of jobs: a complaint that shall stand elsewhere; what was said about it later; what an office is told of a due
date, though the complaint need not stand with it."""
FORWARDS = (FORWARD, FOLLOWUP, NOTICE)
BASIS = {
    "complaint": "penerusan laporan kepada instansi yang berwenang (PermenPANRB 5/2025)",
    "disposition": "penerusan laporan kepada instansi yang berwenang (PermenPANRB 5/2025)",
}
FOLLOWUP_BASIS = "tindak lanjut atas laporan yang sudah diteruskan (PermenPANRB 5/2025)"


class Destination(Protocol):
    """What the queue asks of an account that forwards (`connectors.Forwards`)."""

    @property
    def account(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def takes(self) -> frozenset[ForwardKind]: ...
    @property
    def national(self) -> bool: ...
    @property
    def system(self) -> str: ...
    @property
    def projection(self) -> str: ...
    @property
    def withholds(self) -> frozenset[str]: ...
    @property
    def follow_every(self) -> float | None: ...
    @property
    def replayable(self) -> bool: ...
    def wants(self, forward: Forward) -> bool: ...
    def steps(self, forward: Forward, results: Mapping[str, Any]) -> Sequence[str]: ...


class Leaving(NamedTuple):
    """What leaves: for whom, about which complaint of whose, in which job."""

    destination: Destination
    forward: Forward
    """With all its fields; the projection comes after."""
    complaint: str
    owner: str
    job: str
    kind: str


@dataclass(slots=True)
class QueuedForwards:
    """Rows and jobs to be written together."""

    jobs: list[NewJob] = field(default_factory=list)
    disclosures: list[Row] = field(default_factory=list)
    locations: list[Row] = field(default_factory=list)
    """Complaints that stand there already."""

    def add(self, make: RowMaker, leaving: Leaving) -> None:
        """One forward, cut down to what may leave."""
        to = leaving.destination
        by = projection_of(to.projection, leaving.forward, to.withholds)
        projected = project(leaving.forward, by)
        args: dict[str, Any] = {"forward": encode(projected.forward).decode()}
        if to.replayable:
            args["replayable"] = True
        self.jobs.append(NewJob(leaving.job, leaving.kind, to.account, leaving.owner, args, leaving.complaint))
        self.disclosures.append(_log_row(make, leaving, projected, by.name))


def job_id(account: str, complaint: str) -> str:
    """Of the job that brings a complaint to an account's system: there is one, ever."""
    return f"{FORWARD}/{account}/{complaint}"


def queue_complaint(make: RowMaker, routed: Routed, destinations: Sequence[Destination]) -> QueuedForwards:
    """What a complaint that was opened owes to other systems. Pure but for the hash of the log."""
    queued, matched = QueuedForwards(), routed.matched
    message = matched.message
    if matched.outcome != "recorded" or message is None or matched.id is None:
        return queued
    forward = forward_of(routed, message)
    systems: set[str] = set()
    for to in destinations:
        if "complaint" not in to.takes or to.system in systems:
            continue
        if native := message.external_ids.get(to.system):
            systems.add(to.system)
            queued.locations.append(location_row(to, matched.id, message.owner, native, make.now))
        elif not came_from(to, message.account, message.channel) and to.wants(forward):
            systems.add(to.system)
            id = job_id(to.account, matched.id)
            queued.add(make, Leaving(to, forward, matched.id, message.owner, id, FORWARD))
    return queued


def came_from(to: Destination, account: str, channel: str) -> bool:
    """Did the complaint come from that system itself?"""
    return account == to.account or (to.national and channel == to.kind)


def forward_of(routed: Routed, message: Message) -> Forward:
    """The complaint that a message opened, with all its fields."""
    return Forward(
        what="complaint", number=routed.matched.number or "", reference=routed.matched.number or "",
        at=message.received_at, sent_at=message.sent_at, owner=message.owner, channel=message.channel,
        report_class=message.report_class,
        title=message.title, text=message.clean_text or message.text, category=message.category, place=message.place,
        incident_date=message.incident_date, offices=tuple(a.office for a in routed.assignments),
        reporter=message.sender, anonymous=message.anonymous, secret=message.secret,
        attachments=attachment_ids(message.raw, message.item_index, len(message.attachments)),
    )  # fmt: skip


def attachment_ids(raw: str, item_index: int, count: int) -> tuple[str, ...]:
    """Ids of the files of an item, as the table has them."""
    return tuple(f"{raw}.{item_index}.{n}" for n in range(count))


def location_row(to: Destination, complaint: str, owner: str, native: str, now: Any) -> Row:
    """A complaint that stands there; `now` is encoded."""
    return {
        "complaint": complaint, "account": to.account, "owner": owner, "system": to.system, "native": native,
        "at": now, "poll_at": None if to.follow_every is None else now, "cursor": None,
    }  # fmt: skip


def reference_of(number: str, job: str) -> str:
    """A later forward's own reference: our number, and eight digits that are the same whenever it is made."""
    return f"{number}-{sha256(job.encode()).hexdigest()[:8]}"


def later_forward(
    what: ForwardKind, number: str, job: str, at: datetime, *, offices: Iterable[Office] = (), **fields: Any
) -> Forward:
    """What was said about a complaint later."""
    return Forward(
        what=what, number=number, reference=reference_of(number, job), at=at, offices=tuple(offices), **fields
    )


def _log_row(make: RowMaker, leaving: Leaving, projected: Projected, projection: str) -> Row:
    return {
        "job": leaving.job, "complaint": leaving.complaint, "owner": leaving.owner,
        "account": leaving.destination.account, "at": make.now,
        "basis": BASIS.get(leaving.forward.what, FOLLOWUP_BASIS), "projection": projection,
        "fields": _names(projected.fields), "withheld": _names(projected.withheld),
        "digest": make.vault.digest("disclosure", sha256(canonical(projected.forward).encode()).hexdigest()),
    }  # fmt: skip


def _names(names: Collection[str]) -> str:
    return encode(list(names)).decode()

"""What happened to complaints, as the clocks and the counters see it.

| step of the timeline | by | for the clocks |
|---|---|---|
| the complaint's receipt | | received |
| disposition; status verified, in progress | office, officer, system | verified; after a closed status: reopened |
| answer | office, officer, system | answered |
| question | office, officer, system | asked |
| added, edit, disagreed | the reporter | replied |
| status done, archived, rejected | any | finished, archived, rejected |
| note, link, join, undo, rating, a question about the status, a stranger's message | any | nothing |

A status that the complaint did not take (an older one, or one of several offices) is none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection

from schemas.due import CaseHistory, CaseStep, StepKind
from sink.action_rules import OPEN_ASSIGNMENTS
from sink.bulk import query_in
from sink.instant import parse_instant

_REPLIES = frozenset({"added", "edit", "disagreed"})
_KINDS: Mapping[str, StepKind] = {
    "answer": "answered", "question": "asked", "disposition": "verified", "status_verified": "verified",
    "status_in_progress": "verified", "status_done": "finished", "status_archived": "archived",
    "status_rejected": "rejected",
}  # fmt: skip
_ENDS = frozenset({"finished", "archived", "rejected"})
_COMPLAINTS = (
    "SELECT id, owner, channel, received_at, report_class, needs_investigation, status, place_code, category_id "
    "FROM complaints WHERE id IN (*)"
)
_STEPS = (
    "SELECT t.complaint, t.at, t.seq, t.what, t.actor_kind, t.why, a.reason FROM timeline t LEFT JOIN actions a "
    "ON a.raw = t.raw AND a.item_index = t.item_index WHERE t.complaint IN (*)"
)
_OFFICES = "SELECT complaint, office_id, office_name, state, since, seq FROM assignments WHERE complaint IN (*)"


class HistoryLine(Protocol):
    """What tells of a line of the timeline whether the reporter is asked."""

    @property
    def what(self) -> str: ...
    @property
    def actor_kind(self) -> str: ...


def is_asked(lines: Iterable[HistoryLine]) -> bool:
    """Does an office wait for what the reporter answers? `lines`: the timeline, in order."""
    asked = False
    for line in lines:
        if line.what == "question":
            asked = True
        elif (line.actor_kind == "citizen" and line.what in _REPLIES) or _KINDS.get(line.what) in _ENDS:
            asked = False
    return asked


class CountedCase(NamedTuple):
    """A complaint as the counters see it, with its history."""

    history: CaseHistory
    office_name: str | None
    channel: str
    category: str | None
    status: str
    rating: int | None
    """The reporter's latest, 1 to 5."""
    answered_at: datetime | None
    """The latest answer."""


def cases_of(connection: Connection, complaints: Sequence[str]) -> list[CountedCase]:
    """Those of these complaints that are in the record."""
    steps: dict[str, list[Any]] = defaultdict(list)
    for row in query_in(connection, _STEPS, complaints):
        steps[row.complaint].append(row)
    offices: dict[str, list[Any]] = defaultdict(list)
    for row in query_in(connection, _OFFICES, complaints):
        offices[row.complaint].append(row)
    return [_case(row, steps[row.id], offices[row.id]) for row in query_in(connection, _COMPLAINTS, complaints)]


def _case(row: Any, lines: list[Any], offices: list[Any]) -> CountedCase:
    lines.sort(key=lambda line: (parse_instant(line.at), line.seq))
    current = max(offices, key=lambda o: (o.state in OPEN_ASSIGNMENTS, parse_instant(o.since), o.seq), default=None)
    received = parse_instant(row.received_at)
    steps = (CaseStep(received, "received"), *_steps(lines, received))
    history = CaseHistory(
        row.id, row.owner, row.place_code, current and current.office_id, row.report_class,
        bool(row.needs_investigation), steps,
    )  # fmt: skip
    ratings = [line.why for line in lines if line.what == "rated" and line.actor_kind == "citizen"]
    answers = [step.at for step in steps if step.kind == "answered"]
    return CountedCase(
        history, current and current.office_name, row.channel, row.category_id, row.status,
        int(ratings[-1]) if ratings else None, answers[-1] if answers else None,
    )  # fmt: skip


def _steps(lines: Iterable[Any], received: datetime) -> Iterable[CaseStep]:
    """A source's clock may be behind ours, and a report may come long after its answer: none is before the receipt."""
    closed = False
    for line in lines:
        kind = _kind(line)
        if kind is None:
            continue
        if kind == "verified" and closed:
            kind = "reopened"
        closed = kind in _ENDS or (closed and kind != "reopened")
        yield CaseStep(max(parse_instant(line.at), received), kind)


def _kind(line: Any) -> StepKind | None:
    if line.actor_kind == "citizen" and line.what in _REPLIES:
        return "replied"
    if line.what.startswith("status_") and line.reason is not None:
        return None
    return _KINDS.get(line.what)

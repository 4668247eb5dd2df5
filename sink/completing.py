"""What a citizen adds to a report that lacked its words or its place completes it: what the report does not have yet
(words, place, category, class, office) is taken from the addition, and the offices are chosen anew with all that is
known. Only until an officer or an office has acted on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from schemas import Assignment, Message, Office, Place, Routed
from schemas.regions import overlap
from sink.action_rules import OPEN_ASSIGNMENTS, PASSED_ON
from sink.additions import Addition, additions_of, earlier_additions, said_so_far, store_early
from sink.bulk import execute_each, insert, lock_rows, query_in, update_by_id
from sink.offices_routed import opening_messages, with_words
from sink.rows import Row, RowMaker
from sink.tables import assignments, complaints
from sink.text import json_or_none

ChooseOffices = Callable[[Sequence[Message]], Sequence[Sequence[Assignment]]]
"""The offices of each of these reports (`router/decide.py`)."""

WORDS = "text"
"""In `missing` and in `completed`: the report had no words, and has some now."""
COMPLETED = ("place", "category", "report_class", "office")
"""Fields of a message that an addition may give to the report."""
ENOUGH_WORDS = 8
"""Fewer may not say yet what a report is about ("ini fotonya pak"): the next ones count too."""
_RECORDED = (
    "SELECT id, CASE WHEN touched_at IS NULL AND (missing IS NOT NULL OR place_code IS NULL AND lat IS NULL) "
    "THEN 1 ELSE 0 END AS lacking FROM complaints WHERE id IN (*)"
)
_AGAIN = "ON CONFLICT (complaint, office_id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in ("state", "rule", "why", "since", "until")
)
_LEAVE = "UPDATE assignments SET state = :state, until = :until WHERE complaint = :complaint AND office_id = :office_id"


class CompletedReport(NamedTuple):
    """A report whose offices were chosen anew."""

    report: Message
    """As it is now, with the words of the additions."""
    by: Addition
    """The last that it was completed by."""
    office: Office
    """That has it now; of several the last, to which the others are added."""


def complete_reports(
    connection: Connection, make: RowMaker, events: Iterable[Routed], opened: Collection[str], choose: ChooseOffices
) -> dict[str, CompletedReport]:
    """Complete the reports that these recorded events add to, and those that they open to which something was added
    before (`opened`). Returns those whose offices were chosen anew, by complaint."""
    now, earlier = additions_of(events), earlier_additions(connection, make, opened)
    added = {id: (*earlier.get(id, ()), *now.get(id, ())) for id in {**earlier, **now}}
    recorded = {row.id: bool(row.lacking) for row in query_in(connection, _RECORDED, added)}
    store_early(connection, make, [one for id, some in now.items() if id not in recorded for one in some])
    ids = sorted(id for id, lacking in recorded.items() if lacking)
    if not ids:
        return {}
    lock_rows(connection, complaints, "id", ids)
    found = opening_messages(connection, complaints.c.id.in_(ids) & complaints.c.touched_at.is_(None))
    filled = [(row, message, _with_fields(message, added[row.id])) for row, message in found]
    changed = [(row, after, new) for row, before, after in filled if (new := _new(row, before, after, added[row.id]))]
    reports = _with_words(connection, {row.id: after for row, after, _ in changed})
    update_by_id(connection, complaints, [_columns(make, row, reports[row.id], new) for row, _, new in changed])
    moved = _assign(connection, make, reports, choose)
    return {id: CompletedReport(reports[id], added[id][-1], offices[-1].office) for id, offices in moved.items()}


def _with_fields(message: Message, added: Iterable[Addition]) -> Message:
    """The report with the fields that its reporter added."""
    for one in added:
        said = one.reading
        message = replace(
            message,
            place=_better_place(message.place, said.place),
            category=message.category or said.category,
            report_class=said.report_class if message.report_class == "unknown" else message.report_class,
            office=message.office or said.office,
        )
    return message


def _better_place(known: Place | None, added: Place | None) -> Place | None:
    """The first that says most: a region or a point, the region of the account, words that name neither. An addition
    may give what that has not yet: a region inside it, or the point."""
    if known is None or added is None:
        return known or added
    better = added if _says_more(added, known) else known
    point = known if known.lat is not None or not _may_be_one(known, added) else added
    if better is known and point is known:
        return known
    words = _words_of_both(known, added) if better is added else known.words
    return replace(better, words=words, lat=point.lat, lon=point.lon)


def _says_more(added: Place, known: Place) -> bool:
    if added.source == "owner" or added.code is None:
        return _exactness(added) > _exactness(known)
    return known.code is None or known.source == "owner" or added.code.startswith(f"{known.code}.")


def _may_be_one(one: Place, other: Place) -> bool:
    """May they be one place, as far as their regions tell?"""
    here, there = (place.code if place.source != "owner" else None for place in (one, other))
    return not here or not there or overlap(here, there)


def _words_of_both(known: Place, added: Place) -> str | None:
    """A street stands before the city that came for it."""
    if _exactness(known) or not known.words or known.words.lower() in (added.words or "").lower():
        return added.words or known.words
    return f"{known.words}, {added.words}" if added.words else known.words


def _exactness(place: Place) -> int:
    if place.source == "owner":
        return 1
    return 2 if place.code is not None or place.lat is not None else 0


def _new(row: Any, before: Message, after: Message, added: Iterable[Addition]) -> set[str]:
    """What the additions give to the report: names of its fields, and its words where it had none."""
    fields = {name for name in COMPLETED if getattr(before, name) != getattr(after, name)}
    lacks_words = WORDS in _names(row.missing) and WORDS not in _names(row.completed)
    says = lacks_words and any(one.words for one in added)
    return fields | ({WORDS} if says else set())


def _with_words(connection: Connection, reports: Mapping[str, Message]) -> dict[str, Message]:
    """The reports with all that their reporters have said so far."""
    said = said_so_far(connection, reports) if reports else {}
    return {id: with_words(one, said[id]) for id, one in reports.items()}


def _columns(make: RowMaker, row: Any, report: Message, new: set[str]) -> Row:
    few = len(f"{report.title} {report.clean_text}".split()) < ENOUGH_WORDS
    names = {*_names(row.completed), *new} - ({WORDS} if few else set())
    return {"id": row.id, **make.completed_columns(report), "completed": json_or_none(sorted(names))}


def _names(column: str | None) -> list[str]:
    return msgspec.json.decode(column, type=list[str]) if column else []


def _assign(
    connection: Connection, make: RowMaker, reports: Mapping[str, Message], choose: ChooseOffices
) -> Mapping[str, Sequence[Assignment]]:
    """Give the reports to the offices that they belong to now; returns these of each that had others."""
    chosen = dict(zip(reports, choose(list(reports.values())), strict=True))
    held: dict[str, set[str]] = defaultdict(set)
    columns = (assignments.c.complaint, assignments.c.office_id)
    open_ = assignments.c.complaint.in_(reports), assignments.c.state.in_(OPEN_ASSIGNMENTS)
    for complaint, office in connection.execute(select(*columns).where(*open_)):
        held[complaint].add(office)
    moved = {id: given for id, given in chosen.items() if {a.office.id for a in given} != held[id]}
    left = [
        {"complaint": id, "office_id": office, "state": PASSED_ON, "until": make.now}
        for id, given in moved.items() for office in sorted(held[id] - {a.office.id for a in given})
    ]  # fmt: skip
    execute_each(connection, assignments, _LEAVE, left)
    new = [
        {**make.assignment(one, id, reports[id].owner), "until": None}
        for id, given in moved.items() for one in given if one.office.id not in held[id]
    ]  # fmt: skip
    insert(connection, assignments, sorted(new, key=lambda row: (row["complaint"], row["office_id"])), _AGAIN)
    return moved

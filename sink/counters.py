"""Counters by month, owner, regency, office, channel and category: what each complaint adds to them is stored beside
them, and a change takes that away and adds the new. So the counters are always the sum over the complaints.

received; valid (verified, in progress or done); answered, of these answered_in_time; overdue (a clock ran out and is
not met); finished, and days:N for the working days that took; reopened; rating:N.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from schemas.due import ComputedClock
from schemas.regions import CODE
from sink.bulk import InstantEncoder, insert, instant_encoder, query_in
from sink.case_histories import CountedCase
from sink.tables import counted, counters, office_activity

KEY = ("month", "owner", "region", "office_id", "channel", "category_id")
VALID = frozenset({"verified", "in_progress", "done"})
MOST_DAYS = 250
"""Working days; the histogram's last step."""
_LAW = frozenset({"verification", "first_answer", "completion"})
_ADD = f"ON CONFLICT ({', '.join(KEY)}, measure) DO UPDATE SET value = counters.value + excluded.value"
_CONTRIBUTION = "ON CONFLICT (complaint) DO UPDATE SET contribution = excluded.contribution"
_ACTIVITY = """ON CONFLICT (office_id) DO UPDATE SET
    office_name = coalesce(excluded.office_name, office_activity.office_name),
    since = CASE WHEN excluded.since < office_activity.since THEN excluded.since ELSE office_activity.since END,
    answered_at = CASE WHEN office_activity.answered_at IS NULL OR excluded.answered_at > office_activity.answered_at
        THEN coalesce(excluded.answered_at, office_activity.answered_at) ELSE office_activity.answered_at END,
    waiting = office_activity.waiting + excluded.waiting"""


class Contribution(msgspec.Struct, frozen=True):
    """What one complaint adds."""

    key: tuple[str, ...]
    measures: dict[str, int]
    waiting: str = ""
    """The office that owes it a first answer."""


_decode = msgspec.json.Decoder(Contribution).decode
CaseClocks = tuple[CountedCase, Sequence[ComputedClock]]


def count_cases(connection: Connection, cases: Sequence[CaseClocks]) -> None:
    """Bring the counters up to date with these complaints, inside the caller's transaction."""
    if not cases:
        return
    new = {case.history.complaint: contribution_of(case, clocks) for case, clocks in cases}
    old = _stored(connection, new)
    changed = {complaint: one for complaint, one in new.items() if old.get(complaint) != one}
    values: Counter[tuple[str, ...]] = Counter()
    for complaint, one in changed.items():
        values.update(_counts(one))
        if complaint in old:
            values.subtract(_counts(old[complaint]))
    insert(connection, counters, _rows(values), _ADD)
    rows = [{"complaint": id, "contribution": msgspec.json.encode(changed[id]).decode()} for id in sorted(changed)]
    insert(connection, counted, rows, _CONTRIBUTION)
    insert(connection, office_activity, _activity(cases, old, new, instant_encoder(connection)), _ACTIVITY)


def contribution_of(case: CountedCase, clocks: Sequence[ComputedClock]) -> Contribution:
    """What a complaint adds to the counters."""
    by_name = {clock.clock: clock for clock in clocks}
    first, completion = by_name["first_answer"], by_name["completion"]
    history = case.history
    key = (
        first.start_day.isoformat()[:7], history.owner, _regency(history.place, history.owner),
        history.office or "", case.channel, case.category or "",
    )  # fmt: skip
    finished = completion.ended_at is not None and case.status == "done"
    measures = {
        "received": 1,
        "valid": case.status in VALID,
        "answered": first.ended_at is not None,
        "answered_in_time": first.state == "met",
        "overdue": any(c.state == "late" and c.ended_at is None for c in clocks if c.clock in _LAW),
        "finished": finished,
        "reopened": any(step.kind == "reopened" for step in history.steps),
    }
    found = {name: int(value) for name, value in measures.items() if value}
    if finished:
        found[f"days:{min(max(completion.days - completion.days_left, 0), MOST_DAYS)}"] = 1
    if case.rating is not None:
        found[f"rating:{case.rating}"] = 1
    waiting = history.office or "" if first.ended_at is None else ""
    return Contribution(key, found, waiting)


def _regency(place: str | None, owner: str) -> str:
    return next((code[:5] for code in (place, owner) if code and CODE.fullmatch(code)), "")


def _stored(connection: Connection, complaints: Iterable[str]) -> dict[str, Contribution]:
    rows = query_in(connection, "SELECT complaint, contribution FROM counted WHERE complaint IN (*)", list(complaints))
    return {complaint: _decode(text) for complaint, text in rows}


def _counts(one: Contribution) -> Mapping[tuple[str, ...], int]:
    return {(*one.key, measure): value for measure, value in one.measures.items()}


def _rows(values: Mapping[tuple[str, ...], int]) -> list[dict[str, Any]]:
    names = (*KEY, "measure")
    return [dict(zip(names, key, strict=True)) | {"value": n} for key, n in sorted(values.items()) if n]


class _Office(NamedTuple):
    owner: str
    name: str | None
    since: datetime
    answered_at: datetime | None


def _activity(
    cases: Sequence[CaseClocks],
    old: Mapping[str, Contribution],
    new: Mapping[str, Contribution],
    at: InstantEncoder,
) -> list[dict[str, Any]]:
    waiting: Counter[str] = Counter()
    for complaint, one in new.items():
        waiting[one.waiting] += 1
        if complaint in old:
            waiting[old[complaint].waiting] -= 1
    seen: dict[str, list[_Office]] = defaultdict(list)
    for office, found in _seen(cases):
        seen[office].append(found)
    owners = {one.history.owner for one, _ in cases}
    fallback = _Office(min(owners, default=""), None, min((c.history.steps[0].at for c, _ in cases)), None)
    return [
        _office_row(office, seen.get(office) or [fallback], waiting[office], at)
        for office in sorted({*seen, *(office for office, n in waiting.items() if n)} - {""})
    ]


def _seen(cases: Sequence[CaseClocks]) -> Iterator[tuple[str, _Office]]:
    for case, _ in cases:
        history = case.history
        if history.office:
            yield history.office, _Office(history.owner, case.office_name, history.steps[0].at, case.answered_at)


def _office_row(office: str, seen: Sequence[_Office], waiting: int, at: InstantEncoder) -> dict[str, Any]:
    answered = [one.answered_at for one in seen if one.answered_at is not None]
    return {
        "office_id": office, "owner": seen[0].owner, "office_name": seen[0].name,
        "since": at(min(one.since for one in seen)), "answered_at": at(max(answered)) if answered else None,
        "waiting": waiting,
    }  # fmt: skip

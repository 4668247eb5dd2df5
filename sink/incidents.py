"""Complaints about the same incident: each keeps its own number and status, and an answer to one is an answer to all.

Links are matches of kind `same_incident` that nobody undid, in either direction; the matcher's count where it was sure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from sink.action_rules import TimelineEntry
from sink.applied import AppliedAction
from sink.bulk import Row, execute_each, query_in
from sink.tables import complaints

SURE = 0.9
"""Score from which on a link counts without an officer."""
MOST = 1000
"""Complaints of one incident that share an answer."""
_HOPS = 8
_SURE = "kind = 'same_incident' AND undone_at IS NULL AND score >= ? AND complaint IS NOT NULL"
_FROM = f"SELECT complaint, of FROM matches WHERE complaint IN (*) AND {_SURE}"  # noqa: S608 - ours
_TO = f"SELECT complaint, of FROM matches WHERE of IN (*) AND {_SURE}"  # noqa: S608 - ours


def share_answers(connection: Connection, applied: Sequence[AppliedAction]) -> None:
    """Note with each applied answer the other complaints of its incident, and write it in their timelines."""
    answers = [one for one in applied if one.effect.applied and one.action.what == "answer" and one.case is not None]
    incidents = incidents_of(connection, {one.case.complaint for one in answers if one.case is not None})
    elsewhere = _systems_of(connection, {other for others in incidents.values() for other in others})
    for one in answers:
        others = incidents.get(one.case.complaint, ()) if one.case is not None else ()
        system = {*one.action.of, one.action.account}  # what stands there too is answered from there itself
        one.effect.shared = tuple(other for other in others if system.isdisjoint(elsewhere.get(other, ())))
        one.effect.steps += [TimelineEntry(other, "answer") for other in one.effect.shared]


def _systems_of(connection: Connection, complaints: Iterable[str]) -> dict[str, Collection[str]]:
    """The other systems in which each stands."""
    sql = "SELECT id, external_ids FROM complaints WHERE id IN (*) AND external_ids IS NOT NULL"
    return {id: msgspec.json.decode(ids, type=dict[str, str]) for id, ids in query_in(connection, sql, complaints)}


def incidents_of(connection: Connection, complaints: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The other complaints of each one's incident, sorted; at most `MOST`."""
    links: dict[str, set[str]] = defaultdict(set)
    asked: set[str] = set()
    edge = set(complaints)
    for _ in range(_HOPS):
        edge -= asked
        if not edge:
            break
        asked |= edge
        found = _links(connection, edge)
        for a, b in found:
            links[a].add(b)
            links[b].add(a)
        edge = {id for pair in found for id in pair}
    return {id: tuple(sorted(_reached(links, id))[:MOST]) for id in complaints if id in links}


def _links(connection: Connection, ids: set[str]) -> list[tuple[str, str]]:
    found = [tuple(row) for sql in (_FROM, _TO) for row in query_in(connection, sql, ids, SURE)]
    real = {id for (id,) in query_in(connection, "SELECT id FROM complaints WHERE id IN (*)", {b for _, b in found})}
    return [(a, b) for a, b in found if b in real]


def _reached(links: dict[str, set[str]], start: str) -> set[str]:
    seen, edge = {start}, {start}
    while edge and len(seen) <= MOST:
        edge = {other for id in edge for other in links[id]} - seen
        seen |= edge
    return seen - {start}


def keep_incident_ids(connection: Connection, applied: Sequence[AppliedAction]) -> None:
    """Write in which incident each linked complaint is, and of an undone link that it is in none: the matcher leads new
    reports by it. An incident is known by its first complaint, which itself has none."""
    for one in applied:  # in order: a link may build on the one before
        if one.case is None or not (one.effect.link or one.effect.unlink):
            continue
        kind, other = one.effect.link or ("undo", one.effect.unlink or "")
        change = _linked if kind == "same_incident" else _undone if kind == "undo" else None
        if change is not None:
            this = one.case.complaint
            known = dict(tuple(row) for row in query_in(connection, _INCIDENTS, {this, other}))
            execute_each(connection, complaints, _SET_INCIDENT, change(known, this, other))


_INCIDENTS = "SELECT id, incident_id FROM complaints WHERE id IN (*)"
_SET_INCIDENT = "UPDATE complaints SET incident_id = :incident_id WHERE id = :id"


def _linked(known: Mapping[str, str | None], this: str, other: str) -> list[Row]:
    root = known.get(other) or other
    free = known.get(this, "") is None and root != this
    return [{"id": this, "incident_id": root}] if free else []


def _undone(known: Mapping[str, str | None], this: str, other: str) -> list[Row]:
    pairs = ((this, other), (other, this))
    held = [a for a, b in pairs if known.get(a) is not None and known[a] in {b, known.get(b)}]
    return [{"id": held[0], "incident_id": None}] if held else []

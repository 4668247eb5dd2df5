"""Where complaints stand, as other systems' own rows say: learnt in the transaction that records the rows.

* A row joined a complaint by another system's number, or came again with a number that it did not have before: from now
  on the complaint stands there too, so that what is said here is told there.
* A row of a portal holds our own mark: the complaint that we brought there stands under that row's id, also while it is
  in doubt whether the call that brought it arrived. Offices may answer it there before we know more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from schemas import Message, Routed
from sink.bulk import query_in
from sink.forward_progress import ForeignReport, store_foreign_reports
from sink.forward_queue import Destination, job_id
from sink.memory_keys import MemoryKeys
from sink.record import Record


class _ForeignId(NamedTuple):
    complaint: str
    owner: str
    system: str
    native: str


def learn_foreign_reports(
    connection: Connection, record: Record, batch: Iterable[Routed], destinations: Sequence[Destination], now: datetime
) -> dict[str, set[str]]:
    """Store where the complaints of a batch stand beside what was known; returns the accounts by complaint."""
    events = [(one, one.matched.message) for one in batch if one.matched.message is not None]
    ids = [*_joined(events), *_brought(connection, events, destinations)]
    if not ids:
        return {}
    keys = MemoryKeys(record.vault)
    known = {keys.foreign((one.system, one.native)): one.complaint for one in ids}
    rows = query_in(connection, "SELECT key, complaint FROM foreign_ids WHERE key IN (*)", list(known))
    of_others = {bytes(row.key) for row in rows if row.complaint != known[bytes(row.key)]}
    mine = [one for one in ids if keys.foreign((one.system, one.native)) not in of_others]
    reports = list(_foreign_reports(mine, destinations))
    new = _without_known(connection, reports)
    store_foreign_reports(connection, record, reports, now)
    return new


def _joined(events: Iterable[tuple[Routed, Message]]) -> Iterator[_ForeignId]:
    """Of rows that joined a complaint, and of those that came again and name more systems than their own."""
    for routed, message in events:
        matched = routed.matched
        if matched.id is None or not message.ids_proven or matched.outcome not in {"added", "redelivered"}:
            continue
        if matched.outcome == "redelivered" and message.external_ids.keys() <= {message.account}:
            continue
        for system, native in message.external_ids.items():
            yield _ForeignId(matched.id, message.owner, system, native)


def _brought(
    connection: Connection, events: Iterable[tuple[Routed, Message]], destinations: Sequence[Destination]
) -> list[_ForeignId]:
    """Of rows with our mark, where the job that brings the complaint there has a step in doubt."""
    systems = {to.account: to.system for to in destinations}
    echoes = {
        message.number: message
        for routed, message in events
        if routed.matched.outcome == "refused" and message.ids_proven and message.number
        and systems.get(message.account) in message.external_ids
    }  # fmt: skip
    if not echoes:
        return []
    found = list(query_in(connection, "SELECT id, number, owner FROM complaints WHERE number IN (*)", echoes))
    jobs = {job_id(echoes[row.number].account, row.id): row for row in found}
    in_doubt = _in_doubt(connection, jobs)
    return [_foreign_id(echoes[row.number], row, systems) for id, row in jobs.items() if id in in_doubt]


def _foreign_id(echo: Message, row: Any, systems: Mapping[str, str]) -> _ForeignId:
    system = systems[echo.account]
    return _ForeignId(row.id, row.owner, system, echo.external_ids[system])


def _in_doubt(connection: Connection, jobs: Collection[str]) -> set[str]:
    sql = "SELECT id FROM jobs WHERE id IN (*) AND step IS NOT NULL AND state <> 'done'"
    return {row.id for row in query_in(connection, sql, jobs)}


def _without_known(connection: Connection, reports: Sequence[ForeignReport]) -> dict[str, set[str]]:
    """By complaint, the accounts of those that are not stored yet."""
    new: dict[str, set[str]] = defaultdict(set)
    for one in reports:
        if one.account:
            new[one.complaint].add(one.account)
    for row in query_in(connection, "SELECT complaint, account FROM forwarded WHERE complaint IN (*)", list(new)):
        new[row.complaint].discard(row.account)
    return {complaint: accounts for complaint, accounts in new.items() if accounts}


def _foreign_reports(ids: Iterable[_ForeignId], destinations: Sequence[Destination]) -> Iterator[ForeignReport]:
    for one in ids:
        to = next((to for to in destinations if to.system == one.system), None)
        account, follow = (to.account, to.follow_every is not None) if to else ("", False)
        yield ForeignReport(one.complaint, account, one.owner, one.system, one.native, follow)

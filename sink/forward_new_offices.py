"""A complaint that another office has now is queued for the systems that want it therefore: somebody gave it to that
office, or an addition completed it and its offices were chosen anew. When it was opened they were not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import Connection

from schemas import Forward, Office
from sink.action_rules import OPEN_ASSIGNMENTS
from sink.applied import AppliedAction
from sink.bulk import insert, query_in
from sink.forward_followups import accounts_by_complaint
from sink.forward_progress import known_ids
from sink.forward_queue import FORWARD, Destination, Leaving, QueuedForwards, came_from, job_id
from sink.forward_repair import recorded_forwards
from sink.jobs import NewJob
from sink.record import Record
from sink.rows import RowMaker
from sink.tables import disclosures

_GIVEN = "SELECT complaint, office_id, office_name, state, by_kind FROM assignments WHERE complaint IN (*) ORDER BY seq"


def given_complaints(applied: Iterable[AppliedAction]) -> set[str]:
    """The recorded complaints of a batch that may be with another office now."""
    return {
        one.case.complaint for one in applied
        if one.case is not None and one.case.recorded and one.case.changed and one.effect.applied
    }  # fmt: skip


def queue_for_new_offices(
    connection: Connection,
    record: Record,
    make: RowMaker,
    complaints: Mapping[str, bool],
    destinations: Sequence[Destination],
) -> list[NewJob]:
    """Queue these complaints for destinations that want them for an office that somebody chose, and for no other
    reason, and log what leaves; returns the jobs. True: it was completed, and its offices were chosen anew; it goes to
    all that want it now."""
    told = [to for to in destinations if "complaint" in to.takes]
    if not told or not complaints:
        return []
    given: dict[str, list[Office]] = defaultdict(list)
    for row in query_in(connection, _GIVEN, complaints):
        if row.state in OPEN_ASSIGNMENTS and (row.by_kind != "router" or complaints[row.complaint]):
            given[row.complaint].append(Office(id=row.office_id, name=row.office_name))
    accounts = accounts_by_complaint(connection, given, [to.account for to in told])
    queued = QueuedForwards()
    for row, forward in recorded_forwards(connection, record, given):
        new = {office.id for office in given[row.id]}
        before = replace(forward, offices=tuple(office for office in forward.offices if office.id not in new))
        now = replace(forward, offices=tuple(given[row.id]))
        systems = {to.system for to in told if to.account in accounts[row.id]} | known_ids(row.external_ids).keys()
        for to in told:
            known = to.system in systems or came_from(to, row.account, row.channel)
            if not known and to.wants(now) and (complaints[row.id] or _wants_for_office(to, before)):
                systems.add(to.system)
                queued.add(make, Leaving(to, now, row.id, row.owner, job_id(to.account, row.id), FORWARD))
    insert(connection, disclosures, queued.disclosures)
    return queued.jobs


def _wants_for_office(to: Destination, before: Forward) -> bool:
    """Not as it was before the office had it."""
    return not to.national and "disposition" in to.takes and not to.wants(before)

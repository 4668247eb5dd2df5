"""What the record holds, in figures: replies, jobs, dead letters, account faults, accounts put aside, leases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import func, select

from hub.running.silence import GAP_SHOWN, gap_metric
from hub.running.token_ends import token_metric
from sink import tables
from sink.account_faults import StoredAccountFault, account_faults
from sink.account_states import StoredGap, recent_gaps, token_ends
from sink.aside import AsideRow, list_asides
from sink.attachments_checks import MOST_COUNTED, count_unscanned, count_withheld
from sink.database import allow_long_statements
from sink.dead import count_dead_letters
from sink.leases import live_leases
from sink.outbox_queries import ReplyCount, count_unsent
from sink.record import Record


class RecordFigures(NamedTuple):
    """One scan."""

    replies: Mapping[str, int]
    """By state."""
    unsent: Sequence[ReplyCount]
    jobs: Mapping[tuple[str, str], int]
    """By kind and state."""
    dead: Mapping[tuple[str, str], int]
    """By account and code."""
    faults: Mapping[str, Sequence[StoredAccountFault]]
    aside: Sequence[AsideRow]
    leases: Mapping[str, str]
    """Holders by account."""
    gaps: Mapping[str, StoredGap]
    token_ends: Mapping[str, datetime]
    withheld: Mapping[tuple[str, str], int]
    """Files that are not shown, by verdict and reason."""
    unscanned: int
    at: datetime


def scan_record(record: Record, now: Callable[[], datetime]) -> RecordFigures:
    """All of them. Raises Retry."""
    with record.read() as connection:
        allow_long_statements(connection)
        by_state = select(tables.outbox.c.state, func.count()).group_by(tables.outbox.c.state)
        replies = {str(state): int(n) for state, n in connection.execute(by_state)}
        by_kind = select(tables.jobs.c.kind, tables.jobs.c.state, func.count())
        rows = connection.execute(by_kind.group_by(tables.jobs.c.kind, tables.jobs.c.state))
        jobs = {(str(kind), str(state)): int(n) for kind, state, n in rows}
    return RecordFigures(
        replies, count_unsent(record), jobs, count_dead_letters(record), account_faults(record), list_asides(record),
        live_leases(record, now()), recent_gaps(record, now() - GAP_SHOWN), token_ends(record), count_withheld(record),
        count_unscanned(record), now(),
    )  # fmt: skip


def record_metrics(
    figures: RecordFigures, leased: Collection[str], forwarding: Collection[str] = ()
) -> Iterator[Metric]:
    """For Prometheus; `leased` are the accounts that some process should work for, `forwarding` those that lead out. No
    label is personal."""
    yield _gauge("outbox", "Replies by state.", ["state"], {(state,): n for state, n in figures.replies.items()})
    unsent = {(row.account, str(row.state)): row.replies for row in figures.unsent}
    yield _gauge("replies_unsent", "Replies owed, claimed, failed or unknown.", ["account", "state"], unsent)
    waiting = {(r.account,): (figures.at - r.oldest).total_seconds() for r in figures.unsent if r.state == "owed"}
    yield _gauge("replies_oldest_seconds", "Age of the oldest reply that is owed.", ["account"], waiting)
    yield _gauge("jobs", "Jobs by kind and state.", ["kind", "state"], figures.jobs)
    yield GaugeMetricFamily("satupintu_dead", "Dead letters that wait to be seen to.", sum(figures.dead.values()))
    yield _gauge("dead_letters", "The same by account and code.", ["account", "code"], figures.dead)
    working = {*leased, *forwarding}  # the fault of an account that was closed since is nobody's
    holding = ((name, one) for name, found in figures.faults.items() if name in working for one in found)
    faults = {(name, one.ability, one.code): 1 for name, one in holding}
    unable = "1: until it is mended the account cannot do this: send, session, connection, poll, fetch or forward."
    yield _gauge("account_fault", unable, ["account", "ability", "code"], faults)
    yield from gap_metric(figures.gaps)
    yield from token_metric(figures.token_ends, leased)
    held = {(row.stage, row.account): 1 for row in figures.aside if row.released_at is None}
    yield _gauge("aside", "1: the stage has put the account aside; its events wait.", ["stage", "account"], held)
    why = "Files that nobody is shown, by verdict and reason."
    yield _gauge("files_withheld", why, ["verdict", "why"], _by_code(figures.withheld))
    words = f"Files that were checked while no clamd was set, counted to {MOST_COUNTED:,}."
    yield GaugeMetricFamily("satupintu_files_unscanned", words, figures.unscanned)
    held_by = Counter(zip(figures.leases.values()))
    yield _gauge("leases", "Accounts that a process polls and sends for.", ["holder"], held_by)
    free = len(set(leased) - figures.leases.keys())
    yield GaugeMetricFamily("satupintu_leases_free", "Accounts that no process works for.", free)


def _by_code(withheld: Mapping[tuple[str, str], int]) -> Mapping[tuple[str, str], int]:
    """The scanner's names of what it found, of which there are many, are left out."""
    counted: Counter[tuple[str, str]] = Counter()
    for (verdict, why), files in withheld.items():
        counted[verdict, "" if verdict == "infected" else why] += files
    return counted


def _gauge(name: str, words: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    metric = GaugeMetricFamily(f"satupintu_{name}", words, labels=labels)
    for key, value in sorted(values.items()):
        metric.add_metric(list(key), value)
    return metric

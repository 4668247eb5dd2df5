"""What `doctor` says of the pipeline: stages of all machines, lag, replies and jobs that wait."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hub.commands._finding import Finding
from hub.settings import Settings, sqlite_path
from schemas import Retry

if TYPE_CHECKING:
    from bus import PartitionLag

LATE = timedelta(minutes=5)
"""An event or a reply that has waited for so long has to be looked into."""
RECENT = timedelta(days=30)
"""A word for a status that has not come for so long is no longer named."""


def check_stages(own: Settings) -> Iterator[Finding]:
    """Which processes are at work, and which of their stages stopped."""
    from hub.clock import utc_now
    from sink.processes import live_processes

    if not is_started(own):
        return
    found = _ask(own, lambda record: live_processes(record, utc_now()))
    if not found:
        yield Finding("stages", "no process is at work: satupintu up")
    for process in found:
        stopped = {n: why for n, s in _stages(process.report).items() if (why := s.get("stopped"))}
        for name, why in stopped.items():
            words = f"{name} stopped on {process.host} ({why}): mend the cause, then start that process again"
            yield Finding("stages", words, wrong=True)
        if not stopped:
            yield Finding("stages", f"{', '.join(process.stages)} at work on {process.host}")


def check_lag(own: Settings) -> Iterator[Finding]:
    """Which groups are behind, and for how long. Where no process is at work nothing moves, and opening the log would
    change it."""
    from hub.clock import utc_now
    from sink.processes import live_processes

    if not is_started(own) or not own.shared or not _ask(own, lambda record: live_processes(record, utc_now())):
        return
    lags = _lags(own)
    late = [lag for lag in lags if lag.behind and lag.oldest and datetime.now(UTC) - lag.oldest > LATE]
    behind: dict[str, int] = defaultdict(int)
    for lag in late:
        behind[lag.group] += lag.behind
    for group, events in sorted(behind.items()):
        words = f"{group} is behind: {events:,} events wait, some for over {LATE.seconds // 60} minutes: "
        yield Finding("lag", f"{words}see its stage above, and the log; satupintu forget GROUP if it is no longer used",
                      wrong=True)  # fmt: skip
    if not behind:
        yield Finding("lag", f"{sum(lag.behind for lag in lags):,} events are in flight, none of them late")


def check_dead_letters(own: Settings) -> Iterator[Finding]:
    """Whose messages could not be read and wait for somebody."""
    from sink.dead import count_dead_letters

    if not is_started(own):
        return
    waiting: Counter[str] = Counter()
    for (account, _), letters in _ask(own, count_dead_letters).items():
        waiting[account] += letters
    for account, letters in sorted(waiting.items()):
        named = f" --account {account}" if account else ""
        words = f"{account or 'no account'}: {letters:,} could not be read: satupintu dead list{named}"
        yield Finding("dead letters", words, warning=True)


def check_replies(own: Settings) -> Iterator[Finding]:
    """Which replies and jobs wait for long, and which may not have arrived."""
    from sink.jobs import count_jobs
    from sink.outbox_queries import count_unsent

    if not is_started(own):
        return
    now = datetime.now(UTC)
    for row in _ask(own, count_unsent):
        words = (
            f"{row.account}: {row.replies:,} {row.state}, the oldest of {row.oldest.astimezone(own.zone):%d.%m. %H:%M}"
        )
        late = row.state in ("owed", "claimed") and now - row.oldest > LATE
        if row.state == "failed":
            words += ", no other address of these citizens is known: reach them another way, then replies dismiss"
        warning = row.state == "failed"
        listed = f"satupintu replies list --account {row.account}"
        yield Finding("replies", f"{words}; {listed}", wrong=late, warning=warning)
    for job in _ask(own, count_jobs):
        leads_out = job.kind in ("forward", "followup")  # these may wait for their complaint, a night or a person
        late = job.state == "failed" if leads_out else job.state != "claimed" and now - job.oldest > LATE
        words = f"{job.account}: {job.jobs:,} of kind {job.kind} {job.state}"
        if leads_out and late:
            listed = f"satupintu forwards list --state failed --account {job.account}"
            words += f"; {listed} says why; mend it, then satupintu forwards again ID"
        yield Finding("jobs", words, wrong=late)


def check_statuses(own: Settings) -> Iterator[Finding]:
    """Which words for a status changed nothing, since no table of their account has them."""
    from hub.clock import utc_now
    from sink.unknown_statuses import unknown_statuses

    if not is_started(own):
        return
    for found in _ask(own, lambda record: unknown_statuses(record, utc_now() - RECENT)):
        words = (
            f'{found.account}: "{found.word[:60]}" changed nothing, {found.times:,} times in {RECENT.days} days: '
            "add it to [tables.status] of the account's manifest; of reports that it came for, satupintu act sets it "
            f"(the newest: {', '.join(found.numbers)})"
        )
        yield Finding("statuses", words, warning=True)


def is_started(own: Settings) -> bool:
    """Is there a record that these settings open?"""
    if not own.keys.exists():
        return False
    if own.embedded_record:
        return sqlite_path(own.record).exists()
    from sink.record import is_new

    try:
        return not is_new(own.record)
    except Retry:
        return False


def _ask(own: Settings, question: Any) -> Any:
    from hub.opening import open_record

    with open_record(own) as record:
        return question(record)


def _lags(own: Settings) -> list[PartitionLag]:
    import asyncio

    from hub.opening import open_bus
    from sink.blobs import Blobs

    async def ask() -> list[PartitionLag]:
        async with open_bus(own, Blobs(own.data / "blobs")) as bus:
            return list(await bus.lag())

    return asyncio.run(ask())


def _stages(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = report.get("stages")
    return found if isinstance(found, dict) else {}

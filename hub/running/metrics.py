"""Figures for Prometheus. No label is personal; what costs a look into the record is kept for a while."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from bus import Counts
from hub.ledger import look
from hub.running.spooled import of_spool, spooled
from schemas import Retry
from sink import tables
from sink.database import patient

if TYPE_CHECKING:
    from bus import Lag, Spooled
    from hub.running.status import AtWork
    from hub.wiring import Hub
    from sink import Record

FRESH = 10.0
LEDGER_FRESH = 60.0
"""Seconds that figures are shown again before they are taken anew."""
REST = 5.0
"""So many times as long as it took does a look rest: a large record is not looked through all the time."""
WITHIN = 8.0
"""Seconds that bus and record have for it; Prometheus waits for ten."""
T = TypeVar("T")
_log = logging.getLogger(__name__)


class Metrics(Collector):
    """Takes the figures, and shows them as the exposition format wants them."""

    def __init__(
        self, hub: Hub, answered: Mapping[tuple[str, int], int], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hub = hub
        self._answered = answered
        self._clock = clock
        self._lags: Sequence[Lag] = ()
        self._counts = Look(lambda: hub.running.pools.disk(_counts, hub.record), 0.0, clock)
        self._ledger = Look(lambda: look(hub), LEDGER_FRESH, clock)
        self._spooled: Spooled | None = None
        self._taken = self._tried = float("-inf")
        self._busy = asyncio.Lock()
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """All figures, taken anew where they are too old."""
        async with self._busy:
            if self._clock() - self._tried > FRESH:
                try:
                    async with asyncio.timeout(WITHIN):
                        await self._take()
                except (Retry, TimeoutError):  # bus or record is away: the last figures stand, and their age is told
                    _log.warning("bus or record does not answer: old figures are shown")
                self._tried = self._clock()
            self._spooled = await spooled(self._hub.intake)
        return generate_latest(self._registry)

    async def _take(self) -> None:
        self._lags = await self._hub.bus.lag()
        self._taken = self._clock()
        await self._counts.renew()
        await self._ledger.renew()

    def describe(self) -> list[Metric]:
        """Nothing is told ahead: figures are taken only when asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures as they were taken last."""
        answered = CounterMetricFamily(
            "satupintu_requests",
            "Requests at /in/, and reports by form and API, by answer.",
            labels=["account", "status"],
        )
        for (account, status), times in sorted(self._answered.items()):
            answered.add_metric([account, str(status)], times)
        yield answered
        yield from self._road()
        outbox = GaugeMetricFamily("satupintu_outbox", "Replies by state.", labels=["state"])
        replies, dead = self._counts.seen or ({}, 0)
        for state, number in sorted(replies.items()):
            outbox.add_metric([state], number)
        yield outbox
        yield GaugeMetricFamily("satupintu_dead", "Dead letters that wait to be looked at.", dead)
        free = shutil.disk_usage(self._hub.settings.data).free
        yield GaugeMetricFamily("satupintu_disk_free_bytes", "Free on the disk of the data folder.", free)
        yield from self._books()
        if told := [at for at in (self._taken, self._counts.at, self._ledger.at) if at > float("-inf")]:
            age = self._clock() - min(told)
            yield GaugeMetricFamily("satupintu_figures_age_seconds", "Age of the oldest of these figures.", age)
        if self._spooled is not None:
            yield from of_spool(self._spooled)
        yield from of_stages(self._hub.at_work)
        yield from of_workers(self._hub.at_work)

    def _road(self) -> Iterator[Metric]:
        labels = ["topic", "group"]
        behind = GaugeMetricFamily("satupintu_lag", "Events that a group has still to commit.", labels=labels)
        passed = CounterMetricFamily("satupintu_place", "Places of the log that a group has passed.", labels=labels)
        oldest = GaugeMetricFamily("satupintu_lag_seconds", "Age of the oldest of them.", labels=labels)
        for topic, group in sorted({(lag.topic, lag.group) for lag in self._lags}):
            lags = [lag for lag in self._lags if (lag.topic, lag.group) == (topic, group)]
            behind.add_metric([topic, group], sum(lag.behind for lag in lags))
            passed.add_metric([topic, group], sum(max(lag.place, 0) for lag in lags))
            since = [lag.oldest.timestamp() for lag in lags if lag.oldest]
            oldest.add_metric([topic, group], max(0.0, time.time() - min(since)) if since else 0.0)
        yield from (behind, passed, oldest)

    def _books(self) -> Iterator[Metric]:
        books = GaugeMetricFamily("satupintu_ledger", "What became of what came in.", labels=["account", "column"])
        ledger = self._ledger.seen
        for account, row in (ledger or {"accounts": {}})["accounts"].items():
            for column, number in row.items():
                books.add_metric([account, column], number)
        yield books
        if ledger is not None:
            lost = ledger["all"]["lost"]
            yield GaugeMetricFamily("satupintu_ledger_lost", "Must be 0; an alarm when it stays.", lost)


class Look(Generic[T]):
    """Figures from a look through whole tables."""

    def __init__(self, take: Callable[[], Coroutine[Any, Any, T]], fresh: float, clock: Callable[[], float]) -> None:
        self.seen: T | None = None
        self.at = float("-inf")
        """When it was."""
        self._take = take
        self._fresh = fresh
        self._clock = clock
        self._next = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    async def renew(self) -> None:
        """Look again, if it is time. A look that takes longer than a scrape goes on, and the next scrape waits for the
        same one. Raises Retry."""
        if self._looking is None and self._clock() >= self._next:
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(self._done)
        if self._looking is not None:
            await asyncio.shield(self._looking)

    async def _look(self) -> None:
        began = self._clock()
        self.seen = await self._take()
        self.at = self._clock()
        self._next = self.at + max(self._fresh, REST * (self.at - began))

    def _done(self, looking: asyncio.Task[None]) -> None:
        self._looking = None
        if not looking.cancelled():
            looking.exception()  # whoever waited may have gone; asyncio would log what went wrong


def of_stages(at_work: AtWork) -> Iterator[Metric]:
    """Every pump and loop of this process and its workers (those of this process have no worker): does it run, and what
    has it done since it began?"""
    labels = ["stage", "worker"]
    told = sorted(at_work.stages(), key=lambda stage: stage[:2])
    running = GaugeMetricFamily("satupintu_stage_running", "0: it stopped, somebody has to look.", labels=labels)
    for name, worker, doing in told:
        running.add_metric([name, worker], int(doing.stopped is None))
    yield running
    for what in (field.name for field in fields(Counts)):
        done = CounterMetricFamily(f"satupintu_stage_{what}", f"Events or batches of a stage: {what}.", labels=labels)
        for name, worker, doing in told:
            if doing.counts is not None:
                done.add_metric([name, worker], getattr(doing.counts, what))
        yield done


def of_workers(at_work: AtWork) -> Iterator[Metric]:
    """What the processes beside this one cost."""
    cpu = CounterMetricFamily("satupintu_worker_cpu_seconds", "Processor time of a worker.", labels=["worker"])
    memory = GaugeMetricFamily("satupintu_worker_resident_bytes", "Memory of a worker.", labels=["worker"])
    for worker, report in sorted(at_work.workers.items()):
        cpu.add_metric([worker], report.cpu)
        memory.add_metric([worker], report.memory)
    yield from (cpu, memory)


def _counts(record: Record) -> tuple[dict[str, int], int]:
    state = tables.outbox.c.state
    with record.read() as connection:
        patient(connection)
        outbox = {str(name): int(n) for name, n in connection.execute(select(state, func.count()).group_by(state))}
        dead = connection.execute(select(func.count()).select_from(tables.dead)).scalar_one()
    return outbox, int(dead)

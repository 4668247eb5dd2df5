"""Figures for Prometheus. No label is personal; figures that cost a scan of the record are shown again for a while."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bus import PartitionLag, SpoolState
from hub.clock import utc_now
from hub.ledger import Ledger, read_ledger
from hub.opening import OpenHub
from hub.running.cached_scan import CachedScan
from hub.running.forwarding_figures import national_metrics, scan_national
from hub.running.record_figures import record_metrics, scan_record
from hub.running.silence import find_silences, silence_metric
from hub.running.spool_figures import spool_metrics, spool_state
from hub.running.stage_figures import stage_metrics, worker_metrics
from hub.running.status import ProcessStatus
from schemas import Retry

FRESH = 10.0
LEDGER_FRESH = 60.0
"""Seconds that figures are shown again before they are taken anew."""
WITHIN = 8.0
"""Seconds that bus and record have for it; Prometheus waits for ten."""
log = logging.getLogger(__name__)


class Metrics(Collector):
    """Takes the figures, and shows them as the exposition format wants them."""

    def __init__(
        self, opened: OpenHub, status: ProcessStatus, answered: Mapping[tuple[str, int], int],
        *, data: Path, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._bus, self._intake = opened.transport.bus, opened.transport.intake
        self._accounts = opened.current.accounts
        self._status, self._answered, self._data, self._clock = status, answered, data, clock
        record, pools = opened.storage.record, opened.outside.pools
        self._record = CachedScan(partial(pools.io, scan_record, record, utc_now), 0.0, clock)
        self._ledger = CachedScan(partial(read_ledger, record, self._bus, pools), LEDGER_FRESH, clock)
        national = partial(pools.io, scan_national, record, self._accounts, utc_now)
        self._national = CachedScan(national, LEDGER_FRESH, clock)
        self._silence = CachedScan(
            lambda: pools.io(find_silences, record, self._taking_in(), utc_now()), LEDGER_FRESH, clock
        )
        self._lags: Sequence[PartitionLag] = ()
        self._spooled: SpoolState | None = None
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
                except (Retry, TimeoutError):  # bus or record is unavailable: the last figures stand, with their age
                    log.warning("bus or record does not answer: old figures are shown")
                self._tried = self._clock()
            self._spooled = await spool_state(self._intake)
        return generate_latest(self._registry)

    async def _take(self) -> None:
        self._lags = await self._bus.lag()
        self._taken = self._clock()
        await self._record.renew()
        await self._ledger.renew()
        await self._national.renew()
        await self._silence.renew()

    def _taking_in(self) -> list[str]:
        return [name for name, account in self._accounts.snapshot.accounts.items() if account.state != "closed"]

    def describe(self) -> list[Metric]:
        """Nothing ahead: figures are taken only when asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures as they were taken last."""
        yield _answers(self._answered)
        yield from _lag(self._lags)
        snapshot = self._accounts.snapshot
        if self._record.figures is not None:
            forwarding = [channel.account for channel in snapshot.forwarding]
            yield from record_metrics(self._record.figures, snapshot.leased, forwarding)
        free = shutil.disk_usage(self._data).free
        yield GaugeMetricFamily("satupintu_disk_free_bytes", "Free on the disk of the data folder.", free)
        yield from _ledger(self._ledger.figures)
        yield from national_metrics(self._national.figures)
        yield from silence_metric(self._taking_in(), self._silence.figures or ())
        if taken := [at for at in (self._taken, self._record.at, self._ledger.at) if at > float("-inf")]:
            age = self._clock() - min(taken)
            yield GaugeMetricFamily("satupintu_figures_age_seconds", "Age of the oldest of these figures.", age)
        if self._spooled is not None:
            yield from spool_metrics(self._spooled)
        yield from stage_metrics(self._status)
        yield from worker_metrics(self._status)


def _answers(answered: Mapping[tuple[str, int], int]) -> Metric:
    words = "Requests at /in/, and reports by form and API, by answer."
    metric = CounterMetricFamily("satupintu_requests", words, labels=["account", "status"])
    for (account, status), times in sorted(answered.items()):
        metric.add_metric([account, str(status)], times)
    return metric


def _lag(lags: Sequence[PartitionLag]) -> Iterator[Metric]:
    labels = ["topic", "group"]
    behind = GaugeMetricFamily("satupintu_lag", "Events that a group has still to commit.", labels=labels)
    passed = CounterMetricFamily("satupintu_offset", "Offsets of the log that a group has committed.", labels=labels)
    oldest = GaugeMetricFamily("satupintu_lag_seconds", "Age of the oldest of them.", labels=labels)
    for topic, group in sorted({(lag.topic, lag.group) for lag in lags}):
        own = [lag for lag in lags if (lag.topic, lag.group) == (topic, group)]
        behind.add_metric([topic, group], sum(lag.behind for lag in own))
        passed.add_metric([topic, group], sum(max(lag.offset, 0) for lag in own))
        since = [lag.oldest.timestamp() for lag in own if lag.oldest]
        oldest.add_metric([topic, group], max(0.0, time.time() - min(since)) if since else 0.0)
    yield from (behind, passed, oldest)


def _ledger(ledger: Ledger | None) -> Iterator[Metric]:
    metric = GaugeMetricFamily("satupintu_ledger", "What became of what came in.", labels=["account", "column"])
    for account, row in (ledger or {"accounts": {}})["accounts"].items():
        for column, number in row.items():
            metric.add_metric([account, column], number)
    yield metric
    if ledger is not None:
        lost = ledger["all"]["lost"]
        yield GaugeMetricFamily("satupintu_ledger_lost", "Must be 0; an alarm when it stays.", lost)

"""The second conservation law in figures: where the complaints stand that must stand in the national record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from hub.accounts import Accounts
from sink.forward_law import NationalBalance, national_balances
from sink.record import Record

IN_FLIGHT = timedelta(minutes=2)
"""A complaint that was received later may be recorded by a process that has not seen the newest accounts yet."""


def scan_national(record: Record, accounts: Accounts, now: Callable[[], datetime]) -> list[NationalBalance]:
    """Of every account into the national record. Raises Retry."""
    return national_balances(record, accounts.snapshot.forwarding, now() - IN_FLIGHT)


def national_metrics(balances: Sequence[NationalBalance] | None) -> Iterator[Metric]:
    """For Prometheus. None: not counted yet."""
    words = "Complaints that must stand in the national record, by where they are."
    metric = GaugeMetricFamily("satupintu_national", words, labels=["account", "state"])
    for balance in balances or ():
        for state in ("stands", "waiting", "in_doubt", "failed", "missing", "twice"):
            metric.add_metric([balance.account, state], getattr(balance, state))
    yield metric
    if balances is not None:
        wrong = sum(balance.missing + balance.twice for balance in balances)
        yield GaugeMetricFamily("satupintu_national_unbalanced", "Must be 0; an alarm when it stays.", wrong)

"""Accounts that usually take something in, and are silent against their own history.

An hour of the week in which something came in most weeks says more by its silence than one that is mostly empty. The
silence of an hour counts `-ln(1 - p)`, where p is the share of weeks in which something came in it, and the silence of
an account is the sum over its whole hours since the last that was active.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from sink.account_states import StoredGap
from sink.activity import active_hours, hour_of
from sink.record import Record

WEEK = 7 * 24
LEAST_HISTORY = 14 * 24
"""Hours since the first that is remembered: two of each hour of the week."""
LEAST_ACTIVE = 20
"""Active hours among them."""
SURPRISE = 9.2
"""So silent by chance once in 10,000 times, were hours independent."""
BEYOND_USUAL = 1.5
"""Citizens are silent together (holidays, nights of rain): so many times the second longest of its own silences."""
GAP_SHOWN, GAP_NAMED = timedelta(days=1), timedelta(days=7)
"""So long a gap in a provider's ids is an alarm, and so long `doctor` names it."""


class Silence(NamedTuple):
    """An account that is silent."""

    account: str
    since: datetime
    """The end of the last hour in which it took something in."""


def find_silences(record: Record, accounts: Collection[str], now: datetime) -> list[Silence]:
    """Those of these accounts that are silent. Raises Retry."""
    found = active_hours(record, now)
    silent = (name for name in sorted(accounts) if name in found and is_silent(found[name], hour_of(now)))
    return [Silence(name, datetime.fromtimestamp((found[name][-1] + 1) * 3600, UTC)) for name in silent]


def is_silent(active: Sequence[int], now: int) -> bool:
    """`active` are the hours (since 1970) in which something came in, in order; `now` is the running hour."""
    if len(active) < LEAST_ACTIVE or now - active[0] < LEAST_HISTORY:
        return False
    weights = _weights(active)
    past = sorted(_surprise(weights, before, after) for before, after in pairwise(active))
    return _surprise(weights, active[-1], now) > max(SURPRISE, BEYOND_USUAL * past[-2])


def gap_metric(gaps: Mapping[str, StoredGap]) -> Iterator[Metric]:
    """For Prometheus: the gaps of `GAP_SHOWN`; then the alarm ends, and `doctor` alone names them for a week."""
    words = "1: the provider's ids or cursors say that something is missing."
    metric = GaugeMetricFamily("satupintu_account_gap", words, labels=["account", "code"])
    for account, gap in sorted(gaps.items()):
        metric.add_metric([account, gap.code], 1.0)
    yield metric


def silence_metric(accounts: Collection[str], silent: Collection[Silence]) -> Iterator[Metric]:
    """For Prometheus: every account, so that an alarm ends."""
    metric = GaugeMetricFamily("satupintu_account_silent", "1: it usually takes something in.", labels=["account"])
    names = {silence.account for silence in silent}
    for account in sorted(accounts):
        metric.add_metric([account], float(account in names))
    yield metric


def _weights(active: Sequence[int]) -> list[float]:
    """What the silence of each hour of the week counts, from the first active hour to the last."""
    first, length = active[0], active[-1] - active[0] + 1
    usual = len(active) / length
    heard = Counter(hour % WEEK for hour in active)
    weights = []
    for slot in range(WEEK):
        weeks = (length - 1 - (slot - first) % WEEK) // WEEK + 1
        p = (heard[slot] + usual) / (weeks + 1)  # one more week as it is on average
        weights.append(-math.log1p(-min(p, 0.999)))
    return weights


def _surprise(weights: Sequence[float], before: int, after: int) -> float:
    """Of the hours between two."""
    weeks, rest = divmod(after - before - 1, WEEK)
    return weeks * sum(weights) + sum(weights[(before + 1 + n) % WEEK] for n in range(rest))

"""The spool of this machine in figures."""

from __future__ import annotations

import time
from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from bus import Bus, Spool, SpoolState
from schemas import Retry


async def spool_state(intake: Bus) -> SpoolState | None:
    """What the spool holds; None: there is none, or its disk does not answer."""
    if not isinstance(intake, Spool):
        return None
    try:
        return await intake.spooled()
    except Retry:
        return None


def spool_metrics(found: SpoolState) -> Iterator[Metric]:
    """Events that wait on this machine's disk for the broker. Processes of one data folder share a spool: do not add
    their figures up."""
    age = max(0.0, time.time() - found.oldest.timestamp()) if found.oldest else 0.0
    for name, words, value in (
        ("spooling", "1: what comes in now goes to the spool.", int(found.spooling)),
        ("spool_events", "Events that wait in the spool.", found.events),
        ("spool_bytes", "Bytes that they take.", found.bytes),
        ("spool_oldest_seconds", "Age of the oldest of them.", age),
        ("spool_limit_bytes", "Beyond so many bytes the ingress answers 503.", found.limit),
    ):
        yield GaugeMetricFamily(f"satupintu_{name}", words, value)

"""Stages, loops and workers in figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from bus import StageCounts
from hub.running.status import ProcessStatus


def stage_metrics(status: ProcessStatus) -> Iterator[Metric]:
    """Every stage and loop of this process (worker "") and of its workers: does it run, and what has it done since it
    began?"""
    labels = ["stage", "worker"]
    stages = sorted(status.stages(), key=lambda stage: stage[:2])
    running = GaugeMetricFamily("satupintu_stage_running", "0: it stopped, somebody has to look.", labels=labels)
    for name, worker, stage in stages:
        running.add_metric([name, worker], int(stage.stopped is None))
    yield running
    for what in (field.name for field in fields(StageCounts)):
        done = CounterMetricFamily(f"satupintu_stage_{what}", f"Events or batches of a stage: {what}.", labels=labels)
        for name, worker, stage in stages:
            if stage.counts is not None:
                done.add_metric([name, worker], getattr(stage.counts, what))
        yield done


def worker_metrics(status: ProcessStatus) -> Iterator[Metric]:
    """What the worker processes cost."""
    cpu = CounterMetricFamily("satupintu_worker_cpu_seconds", "Processor time of a worker.", labels=["worker"])
    memory = GaugeMetricFamily("satupintu_worker_resident_bytes", "Memory of a worker.", labels=["worker"])
    for worker, report in sorted(status.workers.items()):
        cpu.add_metric([worker], report.cpu)
        memory.add_metric([worker], report.memory)
    yield from (cpu, memory)

"""Kafka and PostgreSQL on this machine, for the time of a measurement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench._cpu import cpu_of
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres


@dataclass
class Servers:
    """Both servers."""

    kafka: Kafka
    postgres: Postgres
    used: int = 0

    def fresh(self) -> tuple[str, str]:
        """The URLs of a bus and a record that are empty."""
        self.used += 1
        return self.kafka.url(f"run{self.used}"), self.postgres.new_database()

    def cpu(self) -> tuple[float, float]:
        """Seconds of processor that Kafka and PostgreSQL have used so far."""
        return sum(cpu_of(self.kafka.pid(node)) for node in self.kafka.nodes), cpu_of(self.postgres.pid)


@contextmanager
def servers(folder: Path, nodes: int = 1) -> Iterator[Servers]:
    """Both while the context lasts."""
    with Kafka(folder / "kafka", nodes, {"KAFKA_HEAP": "1g", "KAFKA_JVM": ""}) as kafka, Postgres() as postgres:
        yield Servers(kafka, postgres)


def flags(bus: str, record: str) -> list[str]:
    """Of a command of ours."""
    return ["--bus", bus, "--record", record]

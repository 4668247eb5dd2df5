"""A real Apache Kafka by `deploy/kafka/start.sh`: one node or three, each to be killed, paused, started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.services.pausing import pause_process
from tests.services.ports import free_ports, wait_until_open

START = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "start.sh"
HEAP = "512m"
JVM = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""A start takes half the processor time; what runs for long is slower."""


class Kafka:
    """`with Kafka(folder) as kafka:`; nodes are counted from 1. `env` may hold `KAFKA_PROPERTIES` and the like."""

    def __init__(self, folder: Path, nodes: int = 1, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.ports = free_ports(nodes)
        self._env = {**os.environ, "KAFKA_HEAP": HEAP, "KAFKA_JVM": JVM, **(env or {})}
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def servers(self) -> str:
        """`host:port,…` of all nodes."""
        return ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def url(self, prefix: str = "", **options: object) -> str:
        """The bus on it, whose topics are created once all nodes are up."""
        query = "&".join(f"{name}={value}" for name, value in {"brokers": len(self.ports), **options}.items())
        return f"kafka://{self.servers}{prefix and '/' + prefix}?{query}"

    @property
    def nodes(self) -> range:
        return range(1, len(self.ports) + 1)

    def __enter__(self) -> Self:
        if not (shutil.which("java") and shutil.which("mvn")) and not os.environ.get("CI"):
            pytest.skip("Kafka needs Java and Maven (Debian: default-jre-headless, maven)")
        try:
            self.start(*self.nodes)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for node in list(self._running):
            self.resume(node)
        self.kill(*self._running)  # its data is thrown away

    def start(self, *nodes: int) -> None:
        """Start these, and wait until they take connections."""
        begun = [self._start(node) for node in nodes or self.nodes]
        for node in begun:
            wait_until_open(self.ports[node - 1], self._running[node], self.log(node))

    def pid(self, node: int = 1) -> int:
        return self._running[node].pid

    def kill(self, *nodes: int) -> None:
        """SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL, nodes)

    def stop(self, *nodes: int) -> None:
        """SIGTERM, in order."""
        self._end(signal.SIGTERM, nodes)

    def pause(self, node: int = 1) -> None:
        pause_process(self._running[node].pid)

    def resume(self, node: int = 1) -> None:
        self._running[node].send_signal(signal.SIGCONT)

    def log(self, node: int = 1) -> str:
        return (self.folder / f"node-{node}.log").read_text(errors="replace")[-3000:]

    def _start(self, node: int) -> int:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [str(START), str(self.folder), *map(str, self.ports)]
        with (self.folder / f"node-{node}.log").open("ab") as log:
            env = {**self._env, "NODE": str(node)}
            self._running[node] = subprocess.Popen(words, env=env, stdout=log, stderr=log, start_new_session=True)
        return node

    def _end(self, how: signal.Signals, nodes: tuple[int, ...]) -> None:
        ended = [self._running.pop(node) for node in nodes or tuple(self._running)]
        for process in ended:
            process.send_signal(how)
        for process in ended:
            process.wait(60)


@contextmanager
def a_kafka(folder: Path) -> Iterator[str]:
    """`host:port,…` of the broker that `SATUPINTU_TEST_KAFKA` names, else of one started for this."""
    if servers := os.environ.get("SATUPINTU_TEST_KAFKA"):
        yield servers.removeprefix("kafka://")
        return
    with Kafka(folder) as kafka:
        yield kafka.servers

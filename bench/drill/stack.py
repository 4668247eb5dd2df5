"""The hub as an operator runs it: an ingress, each stage in a process of its own, one worker with all stages; a broker
of one or three nodes and a database. Everything is started here and ended by process id."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL
from typing import Self

import requests

from bench.drill.member import Member
from tests.programs import wait_for
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres

STAGES = ("reader", "matcher", "router", "sink", "accounts")
SESSION = 6
"""Seconds without a heartbeat after which the broker gives a member's partitions to others."""


class Stack:
    """`with Stack(folder, channels, port, nodes) as stack:`; with 0 nodes SQLite is the bus."""

    def __init__(self, folder: Path, channels: str, port: int, nodes: int) -> None:
        self.folder, self.nodes, self.port = folder, nodes, port
        self._channels = channels
        self.surprises: list[str] = []
        """Members that ended though nobody stopped them; they were started again."""
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self.folder / "data"
        data.mkdir()
        (data / "channels.toml").write_text(self._channels)
        with ExitStack() as stack:
            self.postgres = stack.enter_context(Postgres())
            self.record = self.postgres.new_database()
            self.kafka = stack.enter_context(Kafka(self.folder / "kafka", self.nodes)) if self.nodes else None
            self.env = {
                "SATUPINTU_DATA": str(data),
                "SATUPINTU_BUS": self.kafka.url(session=SESSION) if self.kafka else f"sqlite:///{data / 'bus.db'}",
                "SATUPINTU_RECORD": self.record,
            }
            # only the door gets a port: a stage that has one answers there too
            self.members = {"door": self._member("door", "door", "--listen", f"127.0.0.1:{self.port}")}
            self.members |= {name: self._member(name, name) for name in STAGES}
            self.members["worker"] = self._member("worker", *STAGES)
            stack.callback(self._end_all)
            for member in self.members.values():
                member.start()
            self.wait_for_door()
            stack.enter_context(self._watched())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def hub(self, *words: str, code: int = 0) -> str:
        """A command beside it; its standard output."""
        env, call = {**Member.environment(), **self.env}, [sys.executable, "-m", "hub", *words]
        done = subprocess.run(call, check=False, env=env, capture_output=True, text=True, timeout=600)
        if done.returncode not in (0, code):
            raise RuntimeError(f"satupintu {words[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
        return done.stdout

    def wait_for_door(self) -> None:
        wait_for(self._door_answers, 180, "the door to answer")

    def behind(self) -> str:
        """What each group still has to commit, by the metrics of the door; at most ten seconds old."""
        try:
            metrics = requests.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10).text
        except requests.RequestException as error:
            return f"no metrics ({type(error).__name__})"
        lags = [line for line in metrics.splitlines() if line.startswith("satupintu_lag{")]
        behind = [line.removeprefix("satupintu_lag") for line in lags if not line.endswith(" 0.0")]
        return "; ".join(behind) or "no group is behind"

    def restart(self, more: dict[str, str]) -> None:
        """All members anew, with this in their environment."""
        for member in self.members.values():
            member.end()
            member.env = {**Member.environment(), **self.env, **more}
            member.start()
        self.wait_for_door()

    def _member(self, name: str, *stages: str) -> Member:
        return Member(name, stages, self.env, self.folder / f"{name}.log")

    def _door_answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=10).ok
        except requests.RequestException:
            return False

    @contextmanager
    def _watched(self) -> Iterator[None]:
        watcher = threading.Thread(target=self._watch, name="watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._over.set()
            watcher.join(10)

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for member in self.members.values():
                if surprise := member.ended_by_itself():
                    self.surprises.append(f"{time.strftime('%X')} {surprise}")
                    time.sleep(0.5)
                    member.start()

    def _end_all(self) -> None:
        for member in self.members.values():
            member.resume()
            member.end(SIGKILL)

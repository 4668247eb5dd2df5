"""The registry is followed by every process, whether it was imported or a file of the data folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.edited_files import offices_file
from hub.editions import Editions, LiveEdition
from router import OfficeRegistry
from sink.editions import edition_history, publish_edition
from sink.record import Record
from sink.vault import Vault

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as record:
        yield record


def process(path: Path) -> tuple[LiveEdition[OfficeRegistry], Editions]:
    live = LiveEdition(OfficeRegistry())
    return live, Editions([offices_file(path, live)], publisher="here:1", now=lambda: NOW)


def test_an_import_is_followed_at_the_next_look(record: Record, tmp_path: Path) -> None:
    live, editions = process(tmp_path / "offices.csv")
    editions.begin(record)
    assert (live.version, len(live.value)) == (0, 553)
    publish_edition(record, "offices", "id,name\ndpu,Dinas PU\n", by="sri@kota", now=NOW)
    editions.step(record)
    assert (live.version, live.value["dpu"].name) == (1, "Dinas PU")
    later, others = process(tmp_path / "offices.csv")
    others.begin(record)
    assert later.value.version == live.value.version
    assert [(change.version, change.by) for change in edition_history(record, "offices")] == [(1, "sri@kota")]


def test_an_import_outlives_the_file_that_stood_for_it(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "offices.csv"
    live, editions = process(path)
    editions.begin(record)
    publish_edition(record, "offices", "id,name\ndpu,Dinas PU\n", by="sri@kota", now=NOW)
    path.write_text("id,name\ndlh,Dinas Lingkungan Hidup\n")
    editions.step(record)
    assert ("dlh" in live.value, "dpu" in live.value) == (True, False)
    path.unlink()
    editions.step(record)
    assert ("dlh" in live.value, "dpu" in live.value) == (False, True)
    path.write_text("id,name\ndlh,Dinas Lingkungan Hidup\n")
    editions.step(record)
    publish_edition(record, "offices", "id,name\ndlh,DLH\nbpbd,BPBD\n", by="sri@kota", now=NOW)
    path.unlink()
    editions.step(record)
    assert (live.value["dlh"].name, "bpbd" in live.value) == ("DLH", True)


def test_an_import_of_what_the_file_holds_outlives_the_file(record: Record, tmp_path: Path) -> None:
    path, same = tmp_path / "offices.csv", "id,name\ndpu,Dinas PU\n"
    live, editions = process(path)
    editions.begin(record)
    path.write_text(same)
    editions.step(record)
    assert [publish_edition(record, "offices", same, by="sri@kota", now=NOW) for _ in range(2)] == [2, 2]
    path.unlink()
    editions.step(record)
    assert "dpu" in live.value


def test_a_file_with_a_fault_is_refused_and_the_old_registry_stays(
    record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    live, editions = process(tmp_path / "offices.csv")
    editions.begin(record)
    (tmp_path / "offices.csv").write_text("id,name\ndpu,Dinas PU\n")
    editions.step(record)
    (tmp_path / "offices.csv").write_text("id,name\ndpu,Dinas PU\nx,\n")
    with caplog.at_level(logging.ERROR):
        editions.step(record)
    assert "dpu" in live.value
    [line] = caplog.messages
    assert "line 3: name is missing" in line

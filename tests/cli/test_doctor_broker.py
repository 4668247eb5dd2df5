"""The findings of `doctor` about a broker."""

from __future__ import annotations

from pathlib import Path

from hub.commands._doctor_host import check_bus
from hub.commands._finding import Finding
from hub.settings import load_settings
from tests.services.ports import free_ports


def _found(folder: Path, bus: str) -> Finding:
    [found] = check_bus(load_settings({"data": str(folder), "bus": bus}, {}))
    return found


def test_an_unavailable_broker_is_wrong_and_shows_no_secret(tmp_path: Path) -> None:
    [port] = free_ports(1)
    found = _found(tmp_path, f"kafka://hub:geheim@127.0.0.1:{port}")
    assert found.wrong
    assert "does not answer" in found.words
    assert "geheim" not in str(found)


def test_a_url_that_is_none_says_how_to_write_it(tmp_path: Path) -> None:
    assert "write kafka://HOST:PORT" in _found(tmp_path, "kafka://nowhere").words


def test_a_broker_that_answers_is_counted_and_left_as_it_was(kafka: str, tmp_path: Path) -> None:
    assert _found(tmp_path, f"kafka://{kafka}?brokers=1") == Finding("bus", "Kafka answers; its brokers: 1")

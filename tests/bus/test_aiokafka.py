"""aiokafka's private names: the adapter uses some, so the version is pinned and each name is looked for."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import aiokafka
import pytest

BUS = Path(__file__).resolve().parents[2] / "bus"


def private_names() -> set[str]:
    """Attributes with an underscore that the adapter reads or sets on objects that are not its own."""
    code = (line for file in BUS.glob("_kafka_*.py") for line in file.read_text().splitlines() if "import" not in line)
    return set(re.findall(r"(?<!self)\.(_[a-z]\w*)", "\n".join(code)))


SOURCES = "\n".join(file.read_text() for file in Path(aiokafka.__file__).parent.rglob("*.py"))


def test_the_version_is_pinned_to_the_one_that_is_tested() -> None:
    project = tomllib.loads((BUS.parent / "pyproject.toml").read_text())["project"]
    assert f"aiokafka[lz4]=={version('aiokafka')}" in project["dependencies"]


def test_there_are_private_names_to_look_for() -> None:
    assert {"_coordinator", "_fetcher", "_message_accumulator", "_conns"} <= private_names()


@pytest.mark.parametrize("name", sorted(private_names()))
def test_each_private_name_still_exists(name: str) -> None:
    assert re.search(rf"self\.{name}\b|def {name}\b", SOURCES)

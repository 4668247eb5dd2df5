"""What README and operations.md tell an operator to use is there: settings, commands, files, headings."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from hub.cli import COMMANDS
from hub.commands.dead import dead
from hub.running.serve import STAGES
from hub.settings import DEFAULTS, PREFIX

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "docs" / "operations.md"]
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@pages
def test_settings_are_settings(page: Path) -> None:
    named = {name.lower() for name in re.findall(rf"{PREFIX}([A-Z]\w+)", page.read_text())}
    assert named
    assert named <= {*DEFAULTS, "config"}


def test_the_readme_names_every_setting() -> None:
    text = PAGES[0].read_text()
    assert [name for name in DEFAULTS if f"`{PREFIX}{name.upper()}`" not in text] == []


@pages
def test_commands_are_commands(page: Path) -> None:
    calls = re.findall(r"(?:^|[`/ ])satupintu (?:--\w+ \S+ )?([a-z]+)(?: ([a-zA-Z]+))?", page.read_text(), re.MULTILINE)
    assert len(calls) > 5
    for command, word in calls:
        assert command in COMMANDS, command
        assert command != "dead" or word in dead.commands, word
        assert command != "run" or word in (*STAGES, "STAGE"), word


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """As GitHub names them in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pages
def test_scripts_are_there_and_can_be_started(page: Path) -> None:
    scripts = set(re.findall(r"deploy/\w+/\w+\.sh", page.read_text()))
    assert len(scripts) == 3
    for script in scripts:
        assert os.access(ROOT / script, os.X_OK), script

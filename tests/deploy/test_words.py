"""README and docs name only what exists: settings, commands, files, functions, headings, scripts."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from hub.cli import COMMANDS, satupintu
from hub.settings import DEFAULTS, PREFIX
from hub.stages import STAGES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "decisions").glob("*.md"))]
FOLDERS = ("schemas", "bus", "connectors", "normalizer", "router", "sink", "hub", "tests", "docs", "bench", "deploy")
pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
PLACEHOLDERS = re.compile(r"KIND|NAME|foo|suara|^deploy/compose/secrets/")
"""Words of paths that stand for another, or are made later."""
calls = re.compile(r"(?:^|[`/ ])satupintu (?:--\w+ \S+ )*([a-z]+)(?: ([a-zA-Z-]+))?", re.MULTILINE)


@pages
def test_settings_exist(page: Path) -> None:
    named = {name.lower() for name in re.findall(rf"{PREFIX}([A-Z]\w+)", page.read_text())} - {"limit_"}
    assert named <= {*DEFAULTS, "config"}


def test_the_interface_names_every_setting() -> None:
    text = (ROOT / "docs" / "interface.md").read_text()
    names = [name for name in DEFAULTS if not name.startswith("limit_")]
    assert [name for name in names if f"`{PREFIX}{name.upper()}`" not in text] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "operations.md"], ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    found = calls.findall(page.read_text())
    assert len(found) > 5
    for name, word in found:
        assert name in COMMANDS, name
        command = satupintu.get_command(click.Context(satupintu), name)
        subcommands = set(command.commands) if isinstance(command, click.Group) else set()
        if subcommands and word and not word.isupper():
            assert word in subcommands, f"{name} {word}"
        if name == "run" and word:
            assert word in {*STAGES, "STAGE"}, word


@pages
def test_options_exist(page: Path) -> None:
    """Those of `satupintu COMMAND … --option`, and of the first cells of the table of commands."""
    text = page.read_text()
    found = re.findall(r"satupintu (?:--\w+ \S+ )*([a-z]+)([^`\n|;]*)", text)
    found += [
        call for row in re.findall(r"^\| (`.+?`) \| ", text, re.MULTILINE)
        for call in re.findall(r"`([a-z]+)([^`]*)`", row) if page.name == "interface.md"
    ]  # fmt: skip
    named = {
        (name, option) for name, rest in found if name in COMMANDS for option in re.findall(r" \[?(--[a-z-]+)", rest)
    }
    assert {(name, option) for name, option in named if option not in options(name)} == set()


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


@pages
def test_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(rf"(?<![\w/.{{}}-])(?:{'|'.join(FOLDERS)})/[\w/.-]*\w", page.read_text())
    assert [path for path in named if not PLACEHOLDERS.search(path) and not list(ROOT.glob(f"{path}*"))] == []


@pages
def test_functions_that_are_named_exist(page: Path) -> None:
    """Written as `name` in `path.py`, or as a row of a table: | `path.py` | `name` |."""
    text = page.read_text()
    named = re.findall(r"`([\w.]+)` in\s`([\w/]+\.py)`", text)
    named += [(name, path) for path, name in re.findall(r"^\| `([\w/]+\.py)` \| `([\w.]+)` \|", text, re.MULTILINE)]
    assert [f"{name} in {path}" for name, path in named if name not in set(definitions(ROOT / path))] == []


def test_the_walk_of_a_message_visits_no_file_twice_but_the_channel() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    walked = re.findall(r"^\| `([\w/]+\.py)` \|", text, re.MULTILINE)
    assert len(walked) > 40
    twice = {path for path in walked if walked.count(path) > 1}
    assert twice == {"connectors/whatsapp.py"}


def test_the_figure_names_files_that_exist() -> None:
    figure = (ROOT / "docs" / "pipeline.svg").read_text()
    named = set(re.findall(r"\w+/[\w/]+\.py", figure)) - {"connectors/KIND.py"}
    assert len(named) > 5
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_scripts_can_be_started() -> None:
    scripts = {script for page in PAGES for script in re.findall(r"deploy/\w+/[\w-]+\.sh", page.read_text())}
    assert scripts == {str(path.relative_to(ROOT)) for path in (ROOT / "deploy").glob("*/*.sh")}
    assert [script for script in scripts if not os.access(ROOT / script, os.X_OK)] == []


def options(name: str) -> set[str]:
    """Of a command and of those under it, settings among them."""
    command = satupintu.get_command(click.Context(satupintu), name)
    below = list(command.commands.values()) if isinstance(command, click.Group) else []
    return {option for one in (command, *below) if one is not None for p in one.params for option in p.opts}


def headings(page: Path) -> set[str]:
    """As GitHub names them in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def definitions(module: Path) -> Iterator[str]:
    """Functions, classes with their methods, and constants."""
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield node.name
            yield from (
                f"{node.name}.{x.name}" for x in node.body if isinstance(x, ast.FunctionDef | ast.AsyncFunctionDef)
            )
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id

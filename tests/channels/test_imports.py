"""A channel is one file: nothing in `connectors/` imports it, and nothing outside lists kinds. What begins with an
underscore is no channel."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import grimp

from connectors import kinds

ROOT = Path(__file__).parents[2]
ROOMS = ("schemas", "bus", "normalizer", "router", "sink", "hub")


def test_no_channel_is_imported_by_another_file() -> None:
    graph = grimp.build_graph("connectors")
    channels = {name for name in graph.find_children("connectors") if not name.rpartition(".")[2].startswith("_")}
    assert len(channels) > 15
    assert {name: graph.find_modules_that_directly_import(name) - {"connectors"} for name in channels} == {
        name: set() for name in channels
    }


def test_no_other_room_lists_kinds() -> None:
    """No tuple, list, set or table of two kinds and more; the headings of a file may hold a few of those words."""
    known = set(kinds())
    listed = [
        f"{path.relative_to(ROOT)}:{line}: {sorted(words)}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for line, words in _lists(path.read_text(), known)
        if len(words & known) > max(1, len(words) // 2)
    ]
    assert listed == []


def _lists(source: str, known: set[str]) -> Iterator[tuple[int, set[str]]]:
    if len(known.intersection(re.findall(r"[\"']([\w-]+)[\"']", source))) < 2:
        return  # most files: parsing them all takes seconds
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts) | ast.Dict(keys=parts):
                yield node.lineno, {p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, str)}

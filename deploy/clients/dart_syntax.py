"""Parse Dart: `python dart_syntax.py PARSER FOLDER` prints a line for each place that is no Dart."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def main(parser_folder: str, folder: str) -> None:
    """The parser is installed in a folder of its own."""
    sys.path.insert(0, parser_folder)
    tree_sitter, grammar = import_module("tree_sitter"), import_module("tree_sitter_dart")
    parser = tree_sitter.Parser(tree_sitter.Language(grammar.language()))
    files = sorted(Path(folder).rglob("*.dart"))
    if not files:
        sys.stdout.write(f"no Dart in {folder}\n")
    for file in files:
        for node in _mistakes(parser.parse(file.read_bytes()).root_node):
            sys.stdout.write(f"{file}:{node.start_point[0] + 1}:{node.start_point[1] + 1}\n")


def _mistakes(node: Any) -> Iterator[Any]:
    if node.type == "ERROR" or node.is_missing:
        yield node
    elif node.has_error:
        for child in node.children:
            yield from _mistakes(child)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""The table of findings in README.md names a test for each, and only tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "tests" / "cases" / "README.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| ([BHML]\d+|5\.\d+) \|(.*)$", TABLE, re.MULTILINE))
LAST = {"B": 9, "H": 20, "M": 9, "L": 16, "5.": 18}
FINDINGS = [f"{group}{n}" for group, last in LAST.items() for n in range(1, last + 1)]
FINDINGS = sorted({*FINDINGS} - {"H8", "H9"})  # there are none of these numbers
NAMED = sorted(set(re.findall(r"`(tests/\S+?\.py)::(\w+)`", TABLE)))


def test_each_finding_has_a_test_or_the_reason_why_not():
    given = re.compile(r"`tests/\S+\.py::test_\w+`|no test: it needs \w+")
    assert [finding for finding in FINDINGS if not given.search(ROWS.get(finding, ""))] == []


def test_each_test_that_is_named_exists():
    assert len(NAMED) > 100
    assert [f"{file}::{name}" for file, name in NAMED if name not in functions(file)] == []


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_l3_the_security_page_says_what_stands_in_plain():
    said = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert re.search(r"`bus\.db`.*`blobs/`.*in plain", said)

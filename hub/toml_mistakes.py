"""What is wrong with a file that is no TOML, in words of the account's table and key, with the fix.

Values are never repeated: they may be secrets.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

_AT = re.compile(r"\(at line (\d+), column \d+\)$")
_HEADER = re.compile(r"\s*\[+\s*([^\[\]]*?)\s*\]+\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*[=:]""")
_BLANK_IN_NAME = re.compile(r"\s*\[\s*[\w.-]+\s+[\w.-]")
_CURLY = re.compile("[“”„‟‘’‚«»]")
_PLAIN_VALUE = re.compile(r"=\s*[^\s\"'\[{0-9+#-]")


def explain_toml(text: str, error: tomllib.TOMLDecodeError) -> str:
    """As "line 4, [sms], kind: write the value in straight quotes, as kind = "…""."""
    words = str(error)
    at = _AT.search(words)
    if at is None:  # at the end of the document
        return f"{words}: a quote or a bracket is never closed"
    lines = text.split("\n")
    number = min(int(at[1]), len(lines))
    line = lines[number - 1]
    table, key = _table_of(lines[:number]), _KEY.match(line)
    where = ", ".join(part for part in (f"line {number}", table, key[1] if key else "") if part)
    return f"{where}: {_fix(words, line, key[1] if key else 'key')}"


def _table_of(lines: list[str]) -> str:
    """The last table that begins in these lines."""
    headers = (found for line in reversed(lines) if (found := _HEADER.match(line)))
    found = next(headers, None)
    return f"[{found[1]}]" if found else ""


def _fix(words: str, line: str, key: str) -> str:
    return next((fix.format(key=key) for applies, fix in _FIXES if applies(words, line)), words)


def _lacks_quote(_: str, line: str) -> bool:
    value = line.partition("=")[2].partition("#")[0]
    return value.count('"') % 2 == 1 or value.count("'") % 2 == 1


_NAME_TABLE = "write a table as [name]: lower-case letters, digits, dot, dash, underscore between two brackets"
_FIXES: tuple[tuple[Callable[[str, str], bool], str], ...] = (
    (lambda _, line: bool(_BLANK_IN_NAME.match(line)), _NAME_TABLE),
    (lambda words, _: words.startswith("Cannot declare"), "this table stands twice: give one of the two another name"),
    (lambda words, _: words.startswith("Cannot overwrite"), "this key stands twice: remove one of the two lines"),
    (lambda _, line: bool(_CURLY.search(line)), 'write straight quotes, as {key} = "…"'),
    (lambda _, line: line.lstrip().startswith("["), _NAME_TABLE),
    (
        lambda words, _: words.startswith(("Unescaped", "Invalid hex")),
        "a backslash has a meaning between these quotes: write {key} = '…'",
    ),
    (_lacks_quote, 'a quote is missing: write {key} = "…"'),
    (lambda _, line: "=" not in line, 'write key = "value"'),
    (lambda _, line: bool(_PLAIN_VALUE.search(line)), 'write the value in quotes, as {key} = "…"'),
)
"""The first that applies to what the parser said and to the line."""

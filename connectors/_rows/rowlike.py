"""Does a line inside a quoted cell look like a row of its own? Then the quote was never closed."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PHONE = re.compile(r"""["'=]*\+?[\d(][\d\s().-]{6,24}"*""")
_EMAIL = re.compile(r'"?[^@\s"]+@[^@\s"]+\.[^@\s"]+"?')
_TIME = re.compile(r'"?\d{1,4}[-/. ]\w{1,9}[-/. ]\d{1,4}\b.{0,24}')
_CODE = re.compile(r'"?\d{2}(?:[.,]?\d{2}){0,2}(?:[.,]?\d{4})?"?')
_TYPED = {"sender": (_PHONE, _EMAIL), "sent_at": (_TIME,), "region": (_CODE,)}
"""Columns whose values show by their form what they are."""
_FURTHEST = 1000


def looks_like_row(cells: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Do the cells, by their columns, hold what belongs there? `own`: those of the row before. An id has the form of
    the row's before; where no other column shows what it is, it must follow that one's."""
    named = {name: cell.strip() for name, cell in cells.items()}
    id, before = named.get("id", ""), own.get("id", "").strip()
    if "id" in named and _form(id) != _form(before):
        return False
    typed = [any(form.fullmatch(named[name]) for form in _TYPED[name]) for name in _TYPED if named.get(name)]
    return all(typed) if typed else _follows(id, before)


def _form(id: str) -> str:
    """`P-9` of `P-12`."""
    return re.sub(r"\d+", "9", id.strip('"'))


def _follows(id: str, before: str) -> bool:
    """`3` after `2`, `P-13` after `P-12`."""
    theirs, mine = (re.findall(r"\d+", one)[-1:] for one in (before, id))
    return bool(theirs and mine) and 0 < int(mine[0]) - int(theirs[0]) <= _FURTHEST

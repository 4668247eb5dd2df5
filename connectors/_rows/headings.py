"""The names of a table's columns: found below titles, and led to the fields of a row.

A column called like a field is that field. Where none is called `text`, the account's own `columns` and the headings
that offices use (`recaps.py`) lead to the fields; another column keeps its name, and is kept under `extra`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from connectors._rows.fields import ROW_FIELDS
from connectors._rows.lines import UnreadableFile
from connectors._rows.recaps import complete_row, field_of, heading_key, is_of_lapor

_ANSWERS = frozenset({"answer", "answer_status"})
_IDENTITY = ("sender", "id")
"""Without them nobody could be answered, and a table that comes again would open its reports again."""
FURTHEST = 30
"""Lines or rows above the headings, at most: a title, a date, an empty one."""


class Columns(NamedTuple):
    """The columns of a table."""

    written: Sequence[str]
    """As the headings stand, in lower case."""
    names: Sequence[str]
    """The fields that they are; each once."""
    complete: Callable[[Mapping[str, str]], Mapping[str, str]] = dict
    """What several columns say together."""


def find_columns(file: str, cells: Sequence[str], chosen: Mapping[str, str]) -> Columns | None:
    """The columns that the cells name; None where none of them holds the words of a report. `chosen`: field to heading.
    Raises UnreadableFile."""
    written = [heading(cell) for cell in cells]
    fields = own = _chosen(written, chosen)
    if "text" in written and not fields:
        _require_once(file, written)
        return Columns(written, distinct(written), _with_answer if _ANSWERS & {*written} else dict)
    if "text" not in fields.values() and sum(map(bool, written)) < 2:  # a title
        return None
    fields = field_of(written, taken=frozenset(fields.values())) | fields
    if not ("text" in fields.values() or _only_answers(fields.values())):
        return None
    names = distinct([fields.get(at, name) for at, name in enumerate(written)])
    if "text" in own.values() or "text" not in chosen:  # else a table of another layout, with headings that are known
        _require_identity(file, names, chosen)
    answers = "beside" if _ANSWERS & {*fields.values()} else ""
    answers = answers if "text" in fields.values() else "only"
    return Columns(written, names, partial(complete_row, of_lapor=is_of_lapor(written), answers=answers))


def _with_answer(row: Mapping[str, str]) -> Mapping[str, str]:
    """An empty answer may be filled in next month's table: its report is known by its id from now on."""
    return {"answer": ""} | dict(row)


def _only_answers(fields: Collection[str]) -> bool:
    """A table of answers without the words of the reports."""
    return "answer" in fields and bool({"id", "of_number"} & {*fields})


def _chosen(written: Sequence[str], chosen: Mapping[str, str]) -> dict[int, str]:
    keys = [heading_key(name) for name in written]
    wanted = {field: heading_key(heading(name)) for field, name in chosen.items()}
    return {keys.index(key): field for field, key in wanted.items() if key in keys}


def _require_once(file: str, names: Sequence[str]) -> None:
    if repeated := sorted({n for n in names if n in ROW_FIELDS and names.count(n) > 1}):
        positions = [str(at) for at, n in enumerate(names, 1) if n == repeated[0]]
        raise UnreadableFile(
            f"{file} has {len(positions)} columns `{repeated[0]}` (columns {' and '.join(positions)}): "
            "give all but one of them another name"
        )


def _require_identity(file: str, names: Collection[str], chosen: Mapping[str, str]) -> None:
    for field in _IDENTITY:
        if field in chosen and field not in names:
            raise _without_chosen(file, field, chosen)


def without_text(name: str, chosen: Mapping[str, str]) -> UnreadableFile:
    """No column holds the words of the reports."""
    if "text" in chosen:
        return _without_chosen(name, "text", chosen)
    return UnreadableFile(
        f"{name} has no column `text`: its first line names the columns, as id,text,sender,sent_at; "
        "satupintu file map proposes what its own headings mean"
    )


def _without_chosen(name: str, field: str, chosen: Mapping[str, str]) -> UnreadableFile:
    return UnreadableFile(
        f"{name} has no column `{chosen[field]}`, which `columns` of the account names as {field}: write there what "
        "it is called now, as satupintu file map proposes, or call it so again"
    )


def heading(cell: str) -> str:
    """In lower case, in one line, without what cannot be seen."""
    shown = "".join(c if c.isprintable() else " " for c in cell.replace("\u200b", "").replace("\ufeff", ""))
    return " ".join(shown.split()).lower()


def distinct(names: Sequence[str]) -> list[str]:
    """`keterangan`, `keterangan 2`; `column 6` for a heading that is empty."""
    found: list[str] = []
    for position, name in enumerate(names, 1):
        wanted = name or f"column {position}"
        free, count = wanted, 1
        while free in found or (free != name and free in names):
            count += 1
            free = f"{wanted} {count}"
        found.append(free)
    return found

"""Offices as rows of CSV: what an administrator edits, and what an edition holds. All rows, or none.

An office that is known keeps what it has under the headings that a file leaves out.

| heading | holds |
|---|---|
| id | of the office, for ever; left out: its name in lower case with hyphens |
| name | as citizens read it; every row has it |
| kind | nation, ministry, agency, soe, province, regency, district, village, unit (left out) or desk |
| parent | id of the office above, or a region code: the coordinator there |
| regions | codes, with "|" between: 33.74; left out: those of the parent, else the whole nation |
| matters | ids of categories, with "|" between |
| aliases | other names, with "|" between: dishub smg|Perhubungan Semarang |
| liaison, email, phone | the liaison officer (pejabat penghubung) |
| hours | Sen-Kam 08:00-16:00, Jum 08:00-11:30: in the zone of the region; when it is reminded |
| lapor_id, open311 | its ids there |
| state | active (left out) or closed |
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from router.hours import parse_hours
from router.offices import OfficeRegistry, shipped_registry
from router.offices_faults import impossible, repeated
from router.offices_types import DESK, OfficeKind, RegisteredOffice, is_code
from router.regions import NATION

HEADINGS = (
    "id", "name", "kind", "parent", "regions", "matters", "aliases", "liaison", "email", "phone", "hours", "lapor_id",
    "open311", "state",
)  # fmt: skip
_LISTS = ("regions", "matters", "aliases")
_KINDS = get_args(OfficeKind)
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
LONGEST = 200


class WrongOffices(ValueError):  # noqa: N818 - it says what they are
    """Rows that cannot be taken; `faults` has a line for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults[:3]) + (f"; and {len(faults) - 3} more" if len(faults) > 3 else ""))
        self.faults = tuple(faults)


def load_offices(text: str, known: OfficeRegistry | None = None) -> OfficeRegistry:
    """The registry `known` with the rows of this CSV, which stand over those of the same id. Raises WrongOffices."""
    known = known or shipped_registry()
    rows = list(_rows(text))
    found, faults = [], []
    for line, row in rows:
        try:
            found.append((line, _office(_completed(row, known))))
        except ValueError as error:
            faults.append(f"line {line}: {error}")
    merged = {office.id: office for office in known.imported}
    faults += repeated(found)
    merged |= {office.id: office for _, office in found}
    faults += impossible(found, {**known, **merged})
    if faults:
        raise WrongOffices(faults)
    return OfficeRegistry(_with_regions(merged, known))


def format_offices(offices: Iterable[RegisteredOffice]) -> str:
    """The same as CSV."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADINGS)
    for office in offices:
        cells = _cells(office)
        writer.writerow([cells[name] for name in HEADINGS])
    return file.getvalue()


def _cells(office: RegisteredOffice) -> dict[str, str]:
    fields = msgspec.structs.asdict(office) | {"state": "closed" if office.closed else ""}
    fields |= {name: "|".join(fields[name]) for name in _LISTS}
    return {name: "" if fields[name] is None else str(fields[name]) for name in HEADINGS}


def _completed(row: Mapping[str, str], known: OfficeRegistry) -> Mapping[str, str]:
    """The row with its id, and with what an office of that id holds under headings that the file has not."""
    id = row.get("id") or _NOT_SLUG.sub("-", row["name"].casefold()).strip("-")
    return {**(_cells(known[id]) if id in known else {}), **row, "id": id}


def _rows(text: str) -> Iterable[tuple[int, Mapping[str, str]]]:
    head = text.lstrip("\ufeff").partition("\n")[0]
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=max(",;\t", key=head.count))
    names = [name.strip().lower() for name in next(reader, [])]
    unknown = [name for name in names if name not in HEADINGS]
    if unknown or "name" not in names:
        wrong = f"{unknown[0][:40]!r} is no heading" if unknown else "the heading name is missing"
        raise WrongOffices([f"line 1: {wrong}: there are {', '.join(HEADINGS)}"])
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise WrongOffices([f"line {line}: {error}"]) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            if len(cells) > len(names):
                raise WrongOffices([f"line {line}: it has more cells than there are headings"])
            yield line, {name: cell.strip() for name, cell in zip(names, cells, strict=False)}


def _office(row: Mapping[str, str]) -> RegisteredOffice:
    name = row.get("name", "")
    if not name or len(name) > LONGEST or not name.isprintable():
        raise ValueError(f"name takes up to {LONGEST} letters" if name else "name is missing: write what citizens read")
    id = row["id"]
    if not id or len(id) > LONGEST or not id.isprintable() or " " in id:
        raise ValueError("id takes letters and digits without blanks")
    regions = _list(row, "regions")
    for code in regions:
        if not is_code(code):
            raise ValueError(f"regions takes codes as 33.74, and {code[:20]!r} is none")
    return RegisteredOffice(
        id=id, name=name, kind=_kind(row), parent=_parent(row.get("parent", "")), regions=regions,
        matters=_list(row, "matters"), aliases=_list(row, "aliases"),
        liaison=row.get("liaison", ""), email=row.get("email", ""), phone=row.get("phone", ""),
        hours=_hours(row.get("hours", "")), lapor_id=_lapor_id(row.get("lapor_id", "")),
        open311=row.get("open311") or None, closed=_closed(row.get("state", "")),
    )  # fmt: skip


def _list(row: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in row.get(key, "").split("|"))))


def _kind(row: Mapping[str, str]) -> Any:
    kind = row.get("kind") or "unit"
    if kind not in _KINDS:
        raise ValueError(f"kind takes one of {', '.join(_KINDS)}, not {kind[:20]!r}")
    return kind


def _parent(written: str) -> str | None:
    return f"{DESK}/{written}" if written == NATION or is_code(written) else written or None


def _hours(written: str) -> str:
    if written:
        parse_hours(written)
    return written


def _lapor_id(written: str) -> int | None:
    if written and not (written.isascii() and written.isdigit()):
        raise ValueError(f"lapor_id takes digits, not {written[:20]!r}")
    return int(written) if written else None


def _closed(written: str) -> bool:
    if written not in {"", "active", "closed"}:
        raise ValueError(f"state takes active or closed, not {written[:20]!r}")
    return written == "closed"


def _with_regions(offices: Mapping[str, RegisteredOffice], known: OfficeRegistry) -> list[RegisteredOffice]:
    """An office that states no region has those of its parent."""

    def regions(office: RegisteredOffice) -> tuple[str, ...]:
        above = offices.get(office.parent or "") or known.get(office.parent or "")
        return office.regions or (regions(above) if above is not None else ())

    return [msgspec.structs.replace(office, regions=regions(office)) for office in offices.values()]

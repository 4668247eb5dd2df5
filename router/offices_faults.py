"""Faults between rows of offices: ids that stand twice, parents that do not exist or stand below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.offices_types import COORDINATORS, RegisteredOffice


def repeated(found: Iterable[tuple[int, RegisteredOffice]]) -> list[str]:
    """Ids that two rows have."""
    lines: dict[tuple[str, str], int] = {}
    faults = []
    for line, office in found:
        keys = [("id", office.id), *([("lapor_id", str(office.lapor_id))] if office.lapor_id is not None else [])]
        for key in keys:
            first = lines.setdefault(key, line)
            if first != line:
                faults.append(f"line {line}: line {first} has the same {key[0]} {key[1]}")
    return faults


def impossible(found: Iterable[tuple[int, RegisteredOffice]], all_: Mapping[str, RegisteredOffice]) -> list[str]:
    """Offices whose parent does not exist or is below them, and coordinators of nothing."""
    faults = []
    for line, office in found:
        if office.parent is not None and office.parent not in all_:
            faults.append(f"line {line}: parent {office.parent} is no office: import it in the same file")
        elif _is_circle(office, all_):
            faults.append(f"line {line}: {office.id} stands above its own parent {office.parent}")
        if office.kind in COORDINATORS - {"nation"} and not office.regions:
            faults.append(f"line {line}: kind {office.kind} needs its region")
    return faults


def _is_circle(office: RegisteredOffice, all_: Mapping[str, RegisteredOffice]) -> bool:
    seen, above = {office.id}, office.parent
    while above is not None and above in all_:
        if above in seen:
            return True
        seen.add(above)
        above = all_[above].parent
    return False

"""Areas in which a NIK may have been issued. Written for the project.

A NIK keeps its code for ever, so that the codes of regencies that were moved to a new province stay valid: those of
Banten, Bangka Belitung, the Riau islands, Gorontalo, West Sulawesi, North Maluku, North Kalimantan and Papua.
"""

from __future__ import annotations

from functools import cache

from schemas.regions import region_names

_OLD_PROVINCES = {"54": range(1, 14)}
"""East Timor."""
_OLD = {
    "14": (*range(5, 12), 71, 72, 73), "16": (*range(1, 14), 71, 72, 73, 74), "32": (*range(1, 26), 70, *range(71, 80)),
    "64": (*range(1, 12), 71, 72, 73, 74), "71": (*range(1, 12), 71, 72, 73, 74), "73": (*range(1, 27), 71, 72, 73),
    "81": (*range(1, 12), 71, 72), "91": (*range(1, 30), 71), "92": (*range(1, 14), 71), "31": (*range(71, 76), 1),
}  # fmt: skip
"""Numbers of regencies that a province has or had."""
_MOST_DISTRICTS = 60


def is_issuing_area(code: str) -> bool:
    """Of six digits: a regency of today or of before, and a number that a district may have."""
    return code[:4] in _regencies() and 1 <= int(code[4:]) <= _MOST_DISTRICTS


@cache
def _regencies() -> frozenset[str]:
    today = {code.replace(".", "") for code in region_names() if len(code) == 5}
    before = {f"{province}{number:02}" for province, numbers in (_OLD | _OLD_PROVINCES).items() for number in numbers}
    return frozenset(today | before)

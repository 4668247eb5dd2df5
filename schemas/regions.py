"""Provinces, regencies and cities by their Kemendagri codes: 38 and 514, in `regions.csv` (`deploy/regions.py`)."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

CODE = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?", re.ASCII)
"""A region code: province, regency, district, village."""
_DIGITS = {2, 4, 6, 10}
"""How many a code has."""


@cache
def region_names() -> Mapping[str, str]:
    """Name by code, as the decree writes it."""
    with Path(__file__).with_name("regions.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: row["name"] for row in csv.DictReader(file)})


def is_region(code: str) -> bool:
    """Whether there is such a province, regency or city; of a district or village, whether its regency exists."""
    return CODE.fullmatch(code) is not None and code[:5] in region_names()


def is_inside(code: str, region: str) -> bool:
    """Whether the code is that region's or of one in it."""
    return f"{code}.".startswith(f"{region}.")


def overlap(one: str, other: str) -> bool:
    """Is one of the regions the other, or inside it?"""
    return is_inside(one, other) or is_inside(other, one)


def read_region(text: str) -> str | None:
    """The code of a region that this can only be: `3273` and `32,73` are 32.73. None: there is no such region; `32.1`
    may be 32.10, with the zero that a spreadsheet takes away, and is none."""
    code = text.strip().replace(",", ".")
    if code.isdecimal() and len(code) in _DIGITS:
        code = ".".join(code[a:b] for a, b in ((0, 2), (2, 4), (4, 6), (6, 10)) if code[a:b])
    return code if is_region(code) else None

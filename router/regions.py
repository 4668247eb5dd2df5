"""Names of provinces, regencies and cities by their Kemendagri codes: 38 and 514, in `regions.csv`."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

NATION = "nasional"
"""The owner of what belongs to no region."""
CODE = re.compile(r"\d{2}(?:\.\d{2}(?:\.\d{2}(?:\.\d{4})?)?)?")
"""A region code: province, regency, district, village."""
_SPECIAL = {"11": "Aceh", "31": "Daerah Khusus Jakarta", "34": "Daerah Istimewa Yogyakarta"}
"""Provinces that are not called "Provinsi …"."""


@cache
def region_names() -> Mapping[str, str]:
    """Name by code, as the decree writes it."""
    with Path(__file__).with_name("regions.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: row["name"] for row in csv.DictReader(file)})


def is_region(code: str) -> bool:
    """Whether there is such a province, regency or city; of a district or village, whether its regency exists."""
    return CODE.fullmatch(code) is not None and code[:5] in region_names()


def region_name(code: str) -> str:
    """The region in a sentence: "Provinsi Jawa Barat", "Kota Bandung", "tingkat nasional"; an office's id as it is."""
    if code == NATION:
        return "tingkat nasional"
    if not is_region(code):
        return code
    name = region_names()[code[:5]]
    return _SPECIAL.get(code, f"Provinsi {name}") if len(code) == 2 else name

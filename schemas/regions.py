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


@cache
def region_names() -> Mapping[str, str]:
    """Name by code, as the decree writes it."""
    with Path(__file__).with_name("regions.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row["code"]: row["name"] for row in csv.DictReader(file)})


def is_region(code: str) -> bool:
    """Whether there is such a province, regency or city; of a district or village, whether its regency exists."""
    return CODE.fullmatch(code) is not None and code[:5] in region_names()

"""Regions as sentences name them."""

from __future__ import annotations

from schemas import NATION
from schemas.regions import is_region, region_names

__all__ = ["NATION", "region_name"]

_SPECIAL = {"11": "Aceh", "31": "Daerah Khusus Jakarta", "34": "Daerah Istimewa Yogyakarta"}
"""Provinces that are not called "Provinsi …"."""


def region_name(code: str) -> str:
    """The region in a sentence: "Provinsi Jawa Barat", "Kota Bandung", "tingkat nasional"; an office's id as it is."""
    if code == NATION:
        return "tingkat nasional"
    if not is_region(code):
        return code
    name = region_names()[code[:5]]
    return _SPECIAL.get(code, f"Provinsi {name}") if len(code) == 2 else name

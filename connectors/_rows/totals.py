"""The row that sums up a table: Jumlah, Total."""

from __future__ import annotations

import re

from connectors._rows.fields import Fields

_COUNT = r"[\d.,%\s-]{1,9}"
"""Shorter than a phone number."""
_THINGS = r"laporan|pengaduan|aduan|keluhan|data|baris|buah"
_NUMBER = re.compile(_COUNT)
_TOTAL = re.compile(
    rf"(?:(?:grand|sub)?[ -]?total|jumlah)(?: (?:total|keseluruhan|seluruhnya|semua|masuk|{_THINGS})){{0,3}}"
    rf"\s{{0,3}}[:=]?\s{{0,3}}(?:{_COUNT}(?:{_THINGS})?)?",
    re.IGNORECASE,
)


def is_total(row: Fields) -> bool:
    """Does it say nothing but that it is a total, and numbers?"""
    found = False
    for name, value in row.items():
        cell = value.strip() if isinstance(value, str) else "" if value is None else str(value)
        if not cell or name == "external_ids" or _NUMBER.fullmatch(cell):
            continue
        if not _TOTAL.fullmatch(cell):  # nearly every row ends here, at its first words
            return False
        found = True
    return found

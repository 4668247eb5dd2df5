"""Numbers as words and in Roman letters."""

from __future__ import annotations

NUMERALS = {
    "satu": 1, "dua": 2, "tiga": 3, "empat": 4, "lima": 5, "enam": 6, "tujuh": 7, "delapan": 8, "sembilan": 9,
    "sepuluh": 10,
}  # fmt: skip
ROMAN = tuple(ten + one for ten in ("", "x") for one in ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"))
"""By their numbers, from 1 to 19; the first is empty."""

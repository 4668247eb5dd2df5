"""What a page shows after filing: the number, or that it waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from hub.web.citizen.rendering import digit_groups
from sink import TrackedReport

PAUSES = (3, 3, 4, 6, 8, 10, 14, 18, 24, 30)
"""Seconds until a page that waits for its number loads again: two minutes in all, then it stays as it is."""


def number_or_pause(found: TrackedReport | None, n: str, query: Mapping[str, str]) -> dict[str, Any]:
    """For the template. `n`: how often the page was loaded, as its address says; `query` leads to it again."""
    if found is not None:  # a report that joined an earlier one has its number, and shows no words of it
        return {"number": found.number, "groups": digit_groups(found.number), "joined": found.joined}
    loads = _loads(n)
    pause = PAUSES[loads] if loads < len(PAUSES) else None
    return {"number": None, "pause": pause, "again": f"?{urlencode(query)}", "loads": loads + 1}


def _loads(word: str) -> int:
    """A word that no page of ours wrote ends the waiting."""
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 2 else len(PAUSES)

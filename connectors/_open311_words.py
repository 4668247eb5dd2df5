"""Statuses of Open311 and of mySociety's updates extension, in our words and back.

GeoReport v2 knows `open` and `closed`; the extension says more (`Role/mySociety.pm` of open311-adapter).
"""

from __future__ import annotations

from typing import NamedTuple

from schemas import CLOSED_STATUSES, Status


class Meaning(NamedTuple):
    """A foreign status in our words."""

    status: Status
    reopens: bool = False


MEANINGS: dict[str, Meaning] = {
    "open": Meaning("unverified"), "investigating": Meaning("in_progress"), "in_progress": Meaning("in_progress"),
    "action_scheduled": Meaning("in_progress"), "internal_referral": Meaning("in_progress"),
    "fixed": Meaning("done"), "closed": Meaning("done"), "duplicate": Meaning("archived"),
    "no_further_action": Meaning("archived"), "not_councils_responsibility": Meaning("rejected"),
    "reopen": Meaning("in_progress", reopens=True),
}  # fmt: skip
"""`open` is where everything begins there: it moves nothing here."""
WORDS: dict[str, str] = {
    "unverified": "open", "verified": "investigating", "in_progress": "in_progress", "done": "fixed",
    "archived": "no_further_action", "rejected": "not_councils_responsibility",
}  # fmt: skip
"""Ours in the extension's words."""


def meaning_of(word: str) -> Meaning:
    """Ours for a status as it was written: `IN_PROGRESS`, "in progress"."""
    return MEANINGS.get("_".join(word.lower().replace("-", " ").split()), Meaning("unknown"))


def open_or_closed(status: str) -> str:
    """Ours in the two words of the standard."""
    return "closed" if status in CLOSED_STATUSES else "open"

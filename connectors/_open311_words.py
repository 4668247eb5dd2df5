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


_WORKING = Meaning("in_progress", reopens=True)
"""Work that goes on after the end opens it again: the only other word for that is `reopen`, which few
servers use. An older statement than the last one changes nothing."""
MEANINGS: dict[str, Meaning] = {
    "open": Meaning("unverified"), "investigating": _WORKING, "in_progress": _WORKING,
    "action_scheduled": _WORKING, "internal_referral": _WORKING,
    "fixed": Meaning("done"), "closed": Meaning("done"), "duplicate": Meaning("archived"),
    "no_further_action": Meaning("archived"), "not_councils_responsibility": Meaning("rejected"),
    "reopen": _WORKING,
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

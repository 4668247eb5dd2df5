"""What a report must say: some words, and where it is. What it lacks its reporter is asked for."""

from __future__ import annotations

from schemas.values import NATION, Place

FEW_WORDS = 3


def lacks_words(words: str) -> bool:
    """Whether these are too few to say what happened."""
    return len(words.split(None, FEW_WORDS)) < FEW_WORDS


def lacks_place(place: Place | None, owner: str) -> bool:
    """Whether nobody can tell where it is. Where the account belongs to a region or an office, any words do. Of the
    nation's accounts, a street says little while nobody knows its region."""
    if place is None:
        return True
    return owner == NATION and place.source == "text" and place.code is None and place.lat is None

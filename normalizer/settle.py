"""Which of the reader's candidates is the place of a message."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from schemas import Message, Place
from schemas.regions import overlap

SURE = 0.5
"""Probability from which what was read is more exact than what was stated."""


def settled_place(message: Message, region: str | None) -> Place | None:
    """The place that was settled on; None where there is nothing to settle.

    `region`: of the complaint that the message joins. A code that the citizen stated or shared stands; only a region
    inside it that is likelier than not is more exact. Else the candidate inside that region wins, or where none is,
    the likeliest; of equally likely ones none.
    """
    stated = message.place
    if not message.places:
        return None
    if _is_stated(stated):
        inside = likely_place(message)
        return inside if inside is not None and (inside.p is None or inside.p >= SURE) else None
    chosen = _chosen(message.places, region)
    if stated is None:
        return chosen
    if chosen.code is None:
        return replace(stated, words=stated.words or chosen.words)
    return replace(chosen, lat=stated.lat, lon=stated.lon, words=stated.words or chosen.words)


def likely_place(message: Message) -> Place | None:
    """The same for comparing reports: inside a stated region also a place that is less likely than not."""
    stated = message.place
    if stated is None or not _is_stated(stated):
        return settled_place(message, None)
    inside = [c for c in message.places if c.code and c.code.startswith(f"{stated.code}.")]
    return replace(inside[0], lat=stated.lat, lon=stated.lon) if inside else None


def _is_stated(place: Place | None) -> bool:
    return place is not None and place.code is not None and place.source != "owner"


def likeliest(candidates: Sequence[Place]) -> Place | None:
    """The likeliest; of equally likely regions, which have equal names, none."""
    if not candidates:
        return None
    best, *others = sorted(candidates, key=lambda c: -(c.p or 0.0))
    return None if best.code and any(other.code and other.p == best.p for other in others) else best


def _chosen(candidates: Sequence[Place], region: str | None) -> Place:
    near = [c for c in candidates if region and c.code and overlap(c.code, region)]
    return likeliest(near or candidates) or Place(words=candidates[0].words, source="text")

"""Which of the reader's candidates is the place of a message."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from schemas import Message, Place


def settled_place(message: Message, region: str | None) -> Place | None:
    """The place that was settled on; None where there is nothing to settle.

    `region`: of the complaint that the message joins. A code that the citizen stated or shared stands; only a region
    inside it is more exact. Else the candidate inside that region wins, or where none is, the likeliest; of equally
    likely ones none.
    """
    stated = message.place
    if not message.places:
        return None
    if stated is not None and stated.code is not None and stated.source != "owner":
        inside = [c for c in message.places if c.code and c.code.startswith(f"{stated.code}.")]
        return replace(inside[0], lat=stated.lat, lon=stated.lon) if inside else None
    chosen = _chosen(message.places, region)
    if stated is None:
        return chosen
    if chosen.code is None:
        return replace(stated, words=stated.words or chosen.words)
    return replace(chosen, lat=stated.lat, lon=stated.lon, words=stated.words or chosen.words)


def likeliest(candidates: Sequence[Place]) -> Place | None:
    """The likeliest; of equally likely regions, which have equal names, none."""
    if not candidates:
        return None
    best, *others = sorted(candidates, key=lambda c: -(c.p or 0.0))
    return None if best.code and any(other.code and other.p == best.p for other in others) else best


def _chosen(candidates: Sequence[Place], region: str | None) -> Place:
    near = [c for c in candidates if region and c.code and _overlap(c.code, region)]
    return likeliest(near or candidates) or Place(words=candidates[0].words, source="text")


def _overlap(code: str, region: str) -> bool:
    """Is one the other, or inside it?"""
    return f"{code}.".startswith(f"{region}.") or f"{region}.".startswith(f"{code}.")

"""What a region code or the id of a category alone says."""

from __future__ import annotations

from typing import Any

LEVELS = ("province", "regency", "district", "village")


def level_of(code: str) -> str:
    """Of a code as 32.73."""
    return LEVELS[code.count(".")]


def name_of(code: str) -> str | None:
    """As the gazetteer writes it."""
    from normalizer.knowledge.gazetteer import gazetteer

    return gazetteer().name(code.replace(".", ""))


def named_place(place: dict[str, Any] | None) -> dict[str, Any] | None:
    """A place whose code was stated, and not found by its name, with the level and name of that code."""
    if place is None or place["code"] is None or place["name"] is not None:
        return place
    return place | {"level": place["level"] or level_of(place["code"]), "name": name_of(place["code"])}


def named_category(category: dict[str, Any] | None) -> dict[str, Any] | None:
    """A category whose id was stated, with what else it has here by that id."""
    if category is None or category["name"] is not None:
        return category
    from normalizer.models.topics import categories

    known = next((topic for topic in categories() if topic.id == category["id"]), None)
    if known is None:
        return category
    return category | {key: getattr(known, key) for key in ("name", "top") if key in category}

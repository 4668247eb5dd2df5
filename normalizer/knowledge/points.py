"""The regency of a point: that of the nearest place whose coordinates are known (`points.csv`, `deploy/points.py`).

No village has coordinates in a source that may be used, so that a point tells a regency and no more. How sure it is
follows from how much farther the next regency's nearest place is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from math import cos, hypot, radians
from pathlib import Path
from typing import NamedTuple

from normalizer.knowledge.gazetteer import LEVELS, REGENCY, gazetteer
from schemas import Place

_KILOMETRES = 111.32
"""A degree."""
_FARTHEST = 60.0
"""Kilometres to the nearest place from which on nothing is said: the sea, or another country."""
_HOME = 0.5
"""How far a place of the account's own regency counts: most of its reports are from there."""
_LEAST = 0.6
_SURE, _LOST, _BEND = 0.98, 0.6, 1.5
"""Of the probability, by the two distances' ratio. Measured: each place's regency by all other places."""


class _Point(NamedTuple):
    code: str
    lat: float
    lon: float


def located(lat: float, lon: float, owner: str) -> Place | None:
    """The likeliest regency; None where it is not sure enough. `owner`: a region's code, or an office."""
    nearest: dict[str, float] = {}
    for point in _around(lat, lon):
        away = _away(point, lat, lon)
        if away < nearest.get(point.code, _FARTHEST):
            nearest[point.code] = away
    if not nearest:
        return None
    home = owner[: len("35.78")]
    counted = sorted((away * (_HOME if code == home else 1.0), code) for code, away in nearest.items())
    (first, code), second = counted[0], counted[1][0] if len(counted) > 1 else _FARTHEST
    p = round(_SURE - _LOST * (first / second) ** _BEND, 2) if second else 0.0
    if p < _LEAST:
        return None
    return Place(
        code=code, level=LEVELS[REGENCY], name=gazetteer().name(code.replace(".", "")), lat=lat, lon=lon,
        source="shared", p=p, evidence=f"coordinates: {nearest[code]:.0f} km from a place of it",
    )  # fmt: skip


def _away(point: _Point, lat: float, lon: float) -> float:
    """Kilometres; near enough on this side of the poles."""
    return hypot((point.lat - lat) * _KILOMETRES, (point.lon - lon) * _KILOMETRES * cos(radians(lat)))


def _around(lat: float, lon: float) -> Iterator[_Point]:
    cells = _cells()
    for north in (-1, 0, 1):
        for east in (-1, 0, 1):
            yield from cells.get((round(lat) + north, round(lon) + east), ())


@cache
def _cells() -> Mapping[tuple[int, int], list[_Point]]:
    """The points by whole degrees."""
    cells: dict[tuple[int, int], list[_Point]] = defaultdict(list)
    text = Path(__file__).with_name("points.csv").read_text(encoding="utf-8")
    for line in text[text.index("code,lat,lon\n") :].splitlines()[1:]:
        code, lat, lon = line.split(",")
        cells[round(float(lat)), round(float(lon))].append(_Point(code, float(lat), float(lon)))
    return cells

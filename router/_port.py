"""The port of the office model: which kind of office a report is for, as learned from what officers decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from schemas import Message


class OfficeCandidate(NamedTuple):
    """An office as a model names it."""

    role: str
    """An office's id, or a kind of office in lower case with hyphens ("dinas-perhubungan"): the one of the report's own
    region. "kecamatan" and "kelurahan": the office of the place."""
    place: str | None
    """Region code of the district or village, for those two."""
    p: float
    """Calibrated: of the candidates with 0.9, nine in ten are right."""


class OfficeModel(Protocol):
    """Pure and safe to use from several threads. It never raises for what a citizen wrote."""

    version: str

    @property
    def threshold(self) -> float:
        """The router follows a candidate only from this `p` on; above 1: never."""
        ...

    def offices(self, messages: Sequence[Message]) -> Sequence[Sequence[OfficeCandidate]]:
        """For each message its likeliest candidates, the best first, also below the threshold; none where nothing can
        be said."""
        ...

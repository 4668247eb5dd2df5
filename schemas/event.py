"""What every event of the pipeline has."""

from __future__ import annotations

from typing import ClassVar

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What travels. Subclasses name their `topic`. Events hold no cycles, so the garbage collector need not look."""

    topic: ClassVar[str]

    unknown_words: dict[str, str] = {}
    """Words of a later release that an enumeration here lacks, by path ("kind", "matches.0.kind"); the field itself is
    read as `unknown`."""

    @property
    def key(self) -> str:
        """Events of one key keep their order."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """Unique within its topic; the same event published again has the same."""
        raise NotImplementedError

    @property
    def trace(self) -> str | None:
        """What all events that come of one Raw have in common: the raw id, where it is known."""
        raise NotImplementedError

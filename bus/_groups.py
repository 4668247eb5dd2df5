"""Consumer groups: forgotten where they are no longer used, and set back to read again."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, runtime_checkable

from bus._port import Bus


class GroupInUse(Exception):  # noqa: N818 - it names what is the matter
    """Somebody reads for the group: stop it first."""


@runtime_checkable
class _KeepsGroups(Protocol):
    async def forget_group(self, group: str) -> int: ...
    async def rewind_group(self, group: str, at: datetime) -> dict[str, int]: ...


async def forget_group(bus: Bus, group: str) -> int:
    """Forget the group's offsets in every topic, so that they hold back no retention and show in no lag; the number of
    offsets. A group of that name starts at the oldest event again. Raises GroupInUse, Retry."""
    assert isinstance(bus, _KeepsGroups)
    return await bus.forget_group(group)


async def rewind_group(bus: Bus, group: str, at: datetime) -> dict[str, int]:
    """Set the group's offsets back, in every topic, to the first event published at that instant or later; where they
    are before that already, they stay. Returns by topic how many events are behind then. Raises GroupInUse, Retry."""
    assert isinstance(bus, _KeepsGroups)
    return await bus.rewind_group(group, at)

"""Consumer groups that are no longer used."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bus._port import Bus


class GroupInUse(Exception):  # noqa: N818 - it names what is the matter
    """Somebody reads for the group: stop it first."""


@runtime_checkable
class _KeepsGroups(Protocol):
    async def forget_group(self, group: str) -> int: ...


async def forget_group(bus: Bus, group: str) -> int:
    """Forget the group's offsets in every topic, so that they hold back no retention and show in no lag; the number of
    offsets. A group of that name starts at the oldest event again. Raises GroupInUse, Retry."""
    assert isinstance(bus, _KeepsGroups)
    return await bus.forget_group(group)

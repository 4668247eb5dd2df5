"""Which partitions a member of a Kafka group owns, and what it may still commit. Pure: no broker, no clock, no waiting.

A partition that is assigned to us gets a number. It keeps the number only while we are surely its sole owner: the same
member, and no generation of the group without us. A batch that was read under another number is Lost. Generations that
we have not heard of yet, the coordinator refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count

from aiokafka import TopicPartition

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class ReadPositions:
    """What was read of an assignment: per partition its number then, and the last offset."""

    deal: int
    offsets: Mapping[TopicPartition, tuple[int, int]]


@dataclass(slots=True)
class Assignment:
    """Of one member, from its joining on."""

    numbers: Mapping[TopicPartition, int] = field(default_factory=dict)
    deals: int = 0
    """How often partitions were assigned; after each, reading starts at the committed offsets."""
    steady: bool = False
    """False from the beginning of a rebalance to its end."""
    _grown: bool = True
    _part: tuple[str, int] = ("", 0)
    """Member id and generation in the last deal."""
    _next: count[int] = field(default_factory=lambda: count(1))

    def expelled(self) -> None:
        """The coordinator has put us out: others own all of it by now."""
        self.numbers = {}

    def rebalance(self) -> None:
        """A rebalance begins."""
        self.steady = False

    def assigned(self, partitions: Collection[TopicPartition], member: str, generation: int) -> None:
        """It is over."""
        before = self.numbers if (member, generation) == (self._part[0], self._part[1] + 1) else {}
        self.numbers = {slot: before.get(slot) or next(self._next) for slot in partitions}
        self._grown = self._grown or not self.numbers.keys() <= before.keys()
        self._part = member, generation
        self.deals += 1
        self.steady = True

    def take_grown(self) -> bool:
        """Whether a partition was assigned since the last call (true of the first)."""
        grown, self._grown = self._grown, False
        return grown

    def read(self, last: Offsets) -> ReadPositions:
        """Of partitions that are ours, the last offsets read."""
        return ReadPositions(self.deals, {slot: (self.numbers[slot], offset) for slot, offset in last.items()})

    def still_ours(self, read: ReadPositions) -> dict[TopicPartition, int]:
        """The offsets that may be committed."""
        return {slot: offset for slot, (number, offset) in read.offsets.items() if self.numbers.get(slot) == number}

    def restarted(self, read: ReadPositions) -> bool:
        """Has reading begun again, before these offsets?"""
        return read.deal != self.deals

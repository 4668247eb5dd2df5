"""Which partitions a member of a Kafka group owns, and what it may still commit. Pure: no broker, no clock, no waiting.

A partition that is assigned to us gets an epoch. It keeps the epoch only while we are surely its sole owner: the same
member, and no generation of the group without us. A batch that was read under another epoch is lost (`PartitionLost`).
Generations that we have not heard of yet, the coordinator refuses.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import count

from aiokafka import TopicPartition

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class ReadPositions:
    """What was read of an assignment: per partition its epoch then, and the last offset."""

    rebalances: int
    offsets: Mapping[TopicPartition, tuple[int, int]]


@dataclass(slots=True)
class Assignment:
    """Of one member, from its joining on."""

    epochs: Mapping[TopicPartition, int] = field(default_factory=dict)
    rebalances: int = 0
    """How many are over; after each, reading starts at the committed offsets."""
    steady: bool = False
    """False from the beginning of a rebalance to its end."""
    _grown: bool = True
    _part: tuple[str, int] = ("", 0)
    """Member id and generation in the last rebalance."""
    _next: count[int] = field(default_factory=lambda: count(1))

    def expelled(self) -> None:
        """The coordinator has put us out: others own all of it by now."""
        self.epochs = {}

    def begin_rebalance(self) -> None:
        """Until `assigned`, nothing is steady."""
        self.steady = False

    def assigned(self, partitions: Collection[TopicPartition], member: str, generation: int) -> None:
        """It is over."""
        before = self.epochs if (member, generation) == (self._part[0], self._part[1] + 1) else {}
        self.epochs = {slot: before.get(slot) or next(self._next) for slot in partitions}
        self._grown = self._grown or not self.epochs.keys() <= before.keys()
        self._part = member, generation
        self.rebalances += 1
        self.steady = True

    def take_grown(self) -> bool:
        """Whether a partition was assigned since the last call (true of the first)."""
        grown, self._grown = self._grown, False
        return grown

    def read(self, last: Offsets) -> ReadPositions:
        """Of partitions that are ours, the last offsets read."""
        return ReadPositions(self.rebalances, {slot: (self.epochs[slot], offset) for slot, offset in last.items()})

    def still_ours(self, read: ReadPositions) -> dict[TopicPartition, int]:
        """The offsets that may be committed."""
        return {slot: offset for slot, (epoch, offset) in read.offsets.items() if self.epochs.get(slot) == epoch}

    def restarted(self, read: ReadPositions) -> bool:
        """Has reading begun again, before these offsets?"""
        return read.rebalances != self.rebalances

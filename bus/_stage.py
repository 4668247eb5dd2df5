"""A stage: a function on a topic, and the figures of its work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bus._guard import GuardLimits
from schemas import Event

Run = Callable[[Sequence[Event]], Awaitable[Sequence[Event]]]


@dataclass(slots=True)
class StageCounts:
    """What a stage has done since the process began."""

    committed: int = 0
    """Events."""
    published: int = 0
    dead: int = 0
    """Dead letters that the pump made; those that the stage returns count as published."""
    retries: int = 0
    """Waits, whatever the reason."""
    lost: int = 0
    """Batches whose partition had passed to another."""


@dataclass(slots=True)
class Stage:
    """A function on a topic: events in, events out. It bears an event twice."""

    name: str
    topic: str
    run: Run
    batch_size: int = 500
    """Events in a batch at most."""
    group: str = ""
    """Defaults to the name."""
    on_partitions_assigned: Callable[[], Awaitable[None]] | None = None
    """Called before a batch whose keys others may have worked on meanwhile: after a partition was assigned, after an
    account came back from its lane, and before each batch of such a lane. May raise Retry: it is called again."""
    min_interval: float = 0.0
    """Seconds at least from the start of a batch to the next, unless it was full: a batch costs something beside its
    events, and a later one holds more of them."""
    guard: GuardLimits = field(default_factory=GuardLimits)
    counts: StageCounts = field(default_factory=StageCounts)

    def __post_init__(self) -> None:
        self.group = self.group or self.name

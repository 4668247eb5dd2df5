"""The corridor: the port, its adapters, and `pump`, the only loop that consumes a topic."""

from bus._dead_letter import place_of
from bus._file import UnusableLog, look_into
from bus._guard import Guard, Stopped
from bus._port import Batch, Bus, Lag, Lost, Stored
from bus.memory import MemoryBus
from bus.pump import Counts, Stage, pump
from bus.spool import Spool, Spooled, left_over
from bus.sqlite import SqliteBus
from bus.turnstile import Turnstile

__all__ = [
    "Batch", "Bus", "Counts", "Guard", "Lag", "Lost", "MemoryBus", "Spool", "Spooled", "SqliteBus", "Stage",
    "Stopped", "Stored", "Turnstile", "UnusableLog", "left_over", "look_into", "place_of", "pump",
]  # fmt: skip

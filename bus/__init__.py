"""The bus: the port, its adapters, and `pump`, the only loop that consumes a topic."""

from bus._aside import keys_aside, lane_name
from bus._aside_store import AsideStore, MemoryAsides, PutAside
from bus._dead_letter import fault_location
from bus._file import UnusableLog, open_read_only
from bus._groups import GroupInUse, forget_group, rewind_group
from bus._guard import Guard, Stopped
from bus._lane import SideLane, behind
from bus._origin import Origin, origin_of
from bus._port import Batch, Bus, Lag, Lost, Stored
from bus._stage import Counts, Run, Stage
from bus._values import Bodies, MemoryBodies, decode, stored_key, whole
from bus.memory import MemoryBus
from bus.pump import pump
from bus.spool import Spool, Spooled, spooled_events
from bus.sqlite import SqliteBus
from bus.turnstile import Turnstile

__all__ = [
    "AsideStore", "Batch", "Bodies", "Bus", "Counts", "GroupInUse", "Guard", "Lag", "Lost", "MemoryAsides",
    "MemoryBodies", "MemoryBus", "Origin", "PutAside", "Run", "SideLane", "Spool", "Spooled", "SqliteBus", "Stage",
    "Stopped", "Stored", "Turnstile", "UnusableLog", "behind", "decode", "fault_location", "forget_group",
    "keys_aside", "lane_name", "open_read_only", "origin_of", "pump", "rewind_group", "spooled_events",
    "stored_key", "whole",
]  # fmt: skip

"""The bus: the port, its adapters, and `pump`, the only loop that consumes a topic."""

from bus._aside import keys_aside, lane_name
from bus._aside_store import AsideStore, MemoryAsides, PutAside
from bus._dead_letter import fault_location
from bus._file import UnusableLog, open_read_only
from bus._groups import GroupInUse, forget_group, rewind_group
from bus._guard import Guard, StageStopped
from bus._lane import SideLane, uncommitted_events
from bus._origin import Origin, origin_of
from bus._port import Batch, Bus, Lag, PartitionLost, StoredEvent
from bus._stage import Run, Stage, StageCounts
from bus._values import BodyStore, MemoryBodyStore, decode, resolve_reference, stored_key
from bus.memory import MemoryBus
from bus.pump import pump
from bus.spool import Spool, SpoolState, spooled_events
from bus.sqlite import SqliteBus
from bus.turnstile import Turnstile

__all__ = [
    "AsideStore",
    "Batch",
    "BodyStore",
    "Bus",
    "GroupInUse",
    "Guard",
    "Lag",
    "MemoryAsides",
    "MemoryBodyStore",
    "MemoryBus",
    "Origin",
    "PartitionLost",
    "PutAside",
    "Run",
    "SideLane",
    "Spool",
    "SpoolState",
    "SqliteBus",
    "Stage",
    "StageCounts",
    "StageStopped",
    "StoredEvent",
    "Turnstile",
    "UnusableLog",
    "decode",
    "fault_location",
    "forget_group",
    "keys_aside",
    "lane_name",
    "open_read_only",
    "origin_of",
    "pump",
    "resolve_reference",
    "rewind_group",
    "spooled_events",
    "stored_key",
    "uncommitted_events",
]  # fmt: skip

"""The bus: the port, its adapters, and `pump`, the only loop that consumes a topic."""

from bus._aside import keys_of_waiting_events, lane_name
from bus._aside_store import AsideAccount, AsideStore, MemoryAsides
from bus._dead_letter import fault_location
from bus._file import UnusableLog, open_read_only
from bus._groups import GroupInUse, forget_group, rewind_group
from bus._guard import GuardLimits, StageStopped
from bus._lane import SideLane, uncommitted_events
from bus._origin import EventOrigin, origin_of
from bus._port import Batch, Bus, PartitionLag, PartitionLost, StoredEvent
from bus._stage import Run, Stage, StageCounts
from bus._values import BodyStore, MemoryBodyStore, decode_event, resolve_reference, stored_key
from bus.memory import MemoryBus
from bus.pump import pump
from bus.spool import Spool, SpoolState, read_spooled, spooled_events
from bus.sqlite import SqliteBus
from bus.turnstile import Turnstile

__all__ = [
    "AsideAccount",
    "AsideStore",
    "Batch",
    "BodyStore",
    "Bus",
    "EventOrigin",
    "GroupInUse",
    "GuardLimits",
    "MemoryAsides",
    "MemoryBodyStore",
    "MemoryBus",
    "PartitionLag",
    "PartitionLost",
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
    "decode_event",
    "fault_location",
    "forget_group",
    "keys_of_waiting_events",
    "lane_name",
    "open_read_only",
    "origin_of",
    "pump",
    "read_spooled",
    "resolve_reference",
    "rewind_group",
    "spooled_events",
    "stored_key",
    "uncommitted_events",
]  # fmt: skip

"""What `ingest` has in flight, while broker and ledger are slow."""

from __future__ import annotations

from typing import Any

import pytest

from bus import PartitionLag
from hub.commands import _waiting
from hub.commands._waiting import RowsInFlight
from schemas import Retry
from tests.bus.events import raw


class FaultyBus:
    """A bus that is unavailable for the first `faults` calls, and whose ledger has booked one event more at each call
    of `lag`."""

    def __init__(self, faults: int = 0) -> None:
        self.faults, self.calls = faults, 0
        self.published: list[Any] = []

    async def publish(self, events: list[Any]) -> None:
        self._fail()
        self.published += events

    async def lag(self) -> list[PartitionLag]:
        self._fail()
        self.calls += 1
        ledger = PartitionLag("raw", "ledger", 0, self.calls, max(0, 5 - self.calls), None)
        return [ledger, PartitionLag("raw", "reader", 0, 0, 9, None)]

    def _fail(self) -> None:
        self.faults -= 1
        if self.faults >= 0:
            raise Retry("the broker does not answer")


def in_flight(bus: FaultyBus) -> RowsInFlight:
    return RowsInFlight(bus, record=None, pools=None)  # type: ignore[arg-type]


@pytest.mark.parametrize("faults", [0, 2])
async def test_a_broker_that_fails_for_a_moment_does_not_end_an_import(faults: int) -> None:
    bus = FaultyBus(faults)
    rows = in_flight(bus)
    await rows.publish([raw(1), raw(2)], [1, 2])
    assert len(bus.published) == len(rows) == 2


async def test_a_broker_that_stays_unavailable_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "PATIENCE", -1.0)
    with pytest.raises(Retry):
        await in_flight(FaultyBus(1)).publish([raw(1)], [1])


async def test_the_ledger_has_booked_when_its_offsets_are_past_the_events_that_were_there() -> None:
    bus = FaultyBus()
    await in_flight(bus).booked()
    assert bus.calls == 5

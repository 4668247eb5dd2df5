"""What `ingest` has on the road, while broker and ledger are slow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bus import Lag
from hub.commands import _waiting
from hub.commands._waiting import Waiting
from schemas import Retry
from tests.bus.events import raw


class Blinking:
    """A bus that is away for the first `faults` calls, and whose ledger has counted one event more at each look."""

    def __init__(self, faults: int = 0) -> None:
        self.faults, self.looks = faults, 0
        self.published: list[Any] = []

    async def publish(self, events: list[Any]) -> None:
        self._away()
        self.published += events

    async def lag(self) -> list[Lag]:
        self._away()
        self.looks += 1
        return [Lag("raw", "ledger", 0, self.looks, max(0, 5 - self.looks), None), Lag("raw", "reader", 0, 0, 9, None)]

    def _away(self) -> None:
        self.faults -= 1
        if self.faults >= 0:
            raise Retry("the broker does not answer")


def waiting(bus: Blinking) -> Waiting:
    return Waiting(SimpleNamespace(bus=bus))  # type: ignore[arg-type]


@pytest.mark.parametrize("faults", [0, 2])
async def test_a_broker_that_blinks_does_not_end_an_import(faults: int) -> None:
    bus = Blinking(faults)
    rows = waiting(bus)
    await rows.publish([raw(1), raw(2)], [1, 2])
    assert len(bus.published) == len(rows) == 2


async def test_one_that_stays_away_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_waiting, "PATIENCE", -1.0)
    with pytest.raises(Retry):
        await waiting(Blinking(1)).publish([raw(1)], [1])


async def test_the_ledger_has_counted_when_its_places_are_past_what_was_there() -> None:
    bus = Blinking()
    await waiting(bus).counted()
    assert bus.looks == 5

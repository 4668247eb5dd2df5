"""An action that comes before its report waits for all that came in before it, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bus import PartitionLag
from hub.running.early_actions import matching_actions
from normalizer import match
from schemas import Action, Matched, Retry
from tests.normalizer.stage import LAMP, MemoryDouble, action, after, message

SECOND = timedelta(seconds=1)


class World:
    """A matcher's memory, what is on its way, and a clock."""

    def __init__(self) -> None:
        self.memory, self.now = MemoryDouble(), after(0)
        self.behind: list[PartitionLag] = []
        self._run = matching_actions(self.memory, self._io, self._lag, lambda: self.now)

    def on_its_way(self, topic: str, group: str, *, at: Any) -> None:
        self.behind = [PartitionLag(topic, group, 0, 0, 1, at)]

    async def decide(self, *actions: Action) -> list[str]:
        found = await self._run(list(actions))
        assert all(isinstance(one, Matched) for one in found)
        return [one.outcome for one in found if isinstance(one, Matched)]

    async def waits(self, *actions: Action) -> None:
        with pytest.raises(Retry):
            await self.decide(*actions)

    async def _io(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return call(*args, **named)

    async def _lag(self) -> list[PartitionLag]:
        return self.behind


@pytest.mark.parametrize(("topic", "group"), [("raw", "reader"), ("slow", "slow"), ("messages", "matcher")])
async def test_it_waits_as_long_as_its_report_may_be_on_its_way(topic: str, group: str) -> None:
    world, answer = World(), action("1", of={"portal-1": "9"})
    world.on_its_way(topic, group, at=world.now)
    for _ in range(3):
        await world.waits(answer)
        world.now += 600 * SECOND
    match([message("5", LAMP, external_ids={"portal-1": "9"})], world.memory)
    assert await world.decide(answer) == ["added"]


@pytest.mark.parametrize("behind", [("messages", "matcher", 60), ("matched", "router", 0), ("raw", "ledger", 0)])
async def test_it_is_refused_when_all_that_came_before_it_is_decided_on(behind: tuple[str, str, int]) -> None:
    world, answer = World(), action("1", of={"portal-1": "9"})
    world.on_its_way("messages", "matcher", at=world.now)
    await world.waits(answer)
    topic, group, seconds = behind
    world.on_its_way(topic, group, at=world.now + seconds * SECOND)
    await world.waits(answer)
    world.now += 21 * SECOND
    assert await world.decide(answer) == ["refused"]


async def test_a_group_that_read_nothing_yet_has_all_before_it() -> None:
    world, answer = World(), action("1", of={"portal-1": "9"})
    world.on_its_way("messages", "matcher", at=None)
    await world.waits(answer)
    world.now += 600 * SECOND
    await world.waits(answer)

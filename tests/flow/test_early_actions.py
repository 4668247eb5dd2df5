"""An action that comes before its report waits for all that came in before it, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from bus import PartitionLag
from hub.running.early_actions import FORGOTTEN, LONGEST, EarlyActions, matching_actions
from normalizer import match
from schemas import Action, Matched, Retry
from tests.normalizer.stage import LAMP, MemoryDouble, action, after, message

SECOND = timedelta(seconds=1)


class World:
    """A matcher's memory, what is on its way, and a clock."""

    def __init__(self) -> None:
        self.memory, self.now = MemoryDouble(), after(0)
        self.behind: list[PartitionLag] = []
        self.creates: list[datetime] = []
        self._run = matching_actions(self.memory, self._io, self._lag, lambda: self.creates, lambda: self.now)

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
        world.now += 180 * SECOND
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


async def test_it_waits_for_a_create_that_had_begun_and_for_no_later_one() -> None:
    world, answer = World(), action("1", of={"portal-1": "9"})
    world.creates = [world.now - 18 * SECOND]
    await world.waits(answer)
    world.now += 60 * SECOND
    await world.waits(answer)
    world.creates = [world.now]
    assert await world.decide(answer) == ["refused"]


async def test_a_group_that_read_nothing_yet_has_all_before_it() -> None:
    world, answer = World(), action("1", of={"portal-1": "9"})
    world.on_its_way("messages", "matcher", at=None)
    await world.waits(answer)
    world.now += 500 * SECOND
    await world.waits(answer)


async def test_one_that_nobody_can_place_holds_up_the_others_for_ten_minutes_and_no_longer() -> None:
    world, strange = World(), action("1", of={"portal-1": "older than its start"})
    world.on_its_way("slow", "slow", at=world.now)
    for _ in range(6):
        await world.waits(strange)
        world.now += 100 * SECOND
    assert await world.decide(strange) == ["refused"]


async def test_the_next_ones_of_the_same_backlog_wait_for_seconds_and_those_of_a_later_one_as_long_again() -> None:
    world = World()
    world.on_its_way("slow", "slow", at=world.now)
    await world.waits(action("1", of={"portal-1": "older"}))
    world.now += LONGEST
    assert await world.decide(action("1", of={"portal-1": "older"})) == ["refused"]
    second = action("2", of={"portal-1": "older too"})
    await world.waits(second)
    world.now += 19 * SECOND
    await world.waits(second)
    world.now += SECOND
    assert await world.decide(second) == ["refused"]
    world.on_its_way("slow", "slow", at=world.now)
    third = action("3", of={"portal-1": "9"})
    await world.waits(third)
    world.now += LONGEST - SECOND
    await world.waits(third)


async def test_the_time_in_which_nothing_waited_does_not_count() -> None:
    world = World()
    world.on_its_way("messages", "matcher", at=world.now)
    for n in range(10):
        answer = action(str(n), of={"portal-1": str(n)})
        await world.waits(answer)
        world.now += 5 * SECOND
        match([message(f"5{n}", LAMP, external_ids={"portal-1": str(n)})], world.memory)
        assert await world.decide(answer) == ["added"]
        world.now += 600 * SECOND
    last = action("99", of={"portal-1": "99"})
    await world.waits(last)
    world.now += 500 * SECOND
    await world.waits(last)


def test_an_action_whose_partition_moved_away_is_forgotten() -> None:
    waits, one, other = EarlyActions(), action("1", of={"p": "1"}), action("2", of={"p": "2"})
    waits.go_on([one], [], after(0))
    waits.go_on([other], [], after(0) + FORGOTTEN)
    assert waits.seen.keys() == {other.event_id}

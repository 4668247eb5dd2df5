"""The door's clock: later is later, whatever the machine's clock does."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.clock import MOST, Clock

NOON = 1_772_424_000_000_000
"""Microseconds: 2026-03-02 04:00 UTC."""
SECOND = 1_000_000


class Wall:
    """The machine's clock, set by hand."""

    def __init__(self, at: int = NOON) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at * 1000


@pytest.fixture
def floor(tmp_path: Path) -> Path:
    return tmp_path / "clock"


def test_it_is_the_present() -> None:
    before = datetime.now(UTC)
    at = Clock()()
    assert before - timedelta(microseconds=1) <= at <= datetime.now(UTC) + timedelta(microseconds=1)
    assert at.tzinfo is UTC
    assert Clock(wall=Wall())() == datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_no_instant_comes_twice_and_none_goes_back(floor: Path) -> None:
    wall, chance = Wall(), random.Random(5)
    clock = Clock(floor, wall)
    seen = []
    for _ in range(2000):
        wall.at += chance.choice((0, 0, 1, 700, SECOND, 20 * SECOND, -30 * SECOND, -600 * SECOND, 500 * SECOND))
        seen.append(clock())
    assert seen == sorted(set(seen))


def test_when_the_machine_has_caught_up_it_is_the_present_again() -> None:
    wall = Wall()
    clock = Clock(wall=wall)
    clock()
    wall.at -= 60 * SECOND
    held = clock()
    wall.at += 120 * SECOND
    assert clock() - held == timedelta(seconds=60, microseconds=-1)


def test_a_restart_after_a_step_back_goes_on_where_it_was(floor: Path) -> None:
    wall = Wall()
    clock = Clock(floor, wall)
    last = clock()
    for _ in range(50):  # within a tenth of a second: not each is noted
        wall.at += 1000
        last = clock()
    wall.at -= 3600 * SECOND
    assert Clock(floor, wall)() > last


def test_two_doors_keep_to_one_floor_when_the_machine_steps_back(floor: Path) -> None:
    wall = Wall()
    doors = [Clock(floor, wall), Clock(floor, wall)]
    doors[1]()
    wall.at += 5 * SECOND
    doors[0]()
    wall.at -= 3 * SECOND
    seen = [doors[n % 2]() for n in range(1, 100)]
    assert seen == sorted(set(seen))


def test_a_clock_that_was_wrong_by_days_may_be_set_right(floor: Path) -> None:
    wall = Wall(NOON + MOST + SECOND)
    clock = Clock(floor, wall)
    clock()
    wall.at = NOON
    assert clock() == Clock(wall=Wall())()
    assert Clock(floor, wall)() - clock() < timedelta(seconds=1)


def test_without_its_file_it_keeps_to_itself(tmp_path: Path) -> None:
    wall = Wall()
    clock = Clock(tmp_path / "gone" / "clock", wall)
    assert clock() < clock()


def test_the_file_is_seldom_moved(floor: Path) -> None:
    wall = Wall()
    clock = Clock(floor, wall)
    clock()
    moved = set()
    for _ in range(1000):  # a second
        wall.at += 1000
        clock()
        moved.add(floor.stat().st_mtime_ns)
    assert len(moved) <= 11


def test_a_microsecond_is_a_microsecond() -> None:
    wall, start = Wall(), datetime(2026, 3, 2, 4, tzinfo=UTC)
    clock = Clock(wall=wall)
    for n in range(1, 5000):
        wall.at = NOON + n * 7
        assert clock() == start + timedelta(microseconds=n * 7)

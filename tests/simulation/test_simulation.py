"""The simulation, run on a hundred seeds; that a seed replays; and that it notices each missing safeguard."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.sabotage import SABOTAGES

BY_COMMAND = {
    "claims do not check the epoch",
    "claims of jobs do not check the epoch",
    "a stage does not look who is in its lanes",
    "a claim of an earlier holder is sent again",
    "a reply whose sending had started is sent again",
    "a message id that was seen is a new message",
    "receipts that come early are forgotten",
}
"""Noticed by many seeds, or by one that waits long: tried by `python -m tests.simulation --sabotages` only."""


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output. A process of its own, so that hashes are the same in every run."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"}, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_seed_breaks_a_law() -> None:
    code, output = run("--seeds", "1..100")
    assert code == 0, output


@pytest.mark.slow
def test_a_seed_replays_exactly() -> None:
    (first_code, first), (second_code, second) = run("--seed", "7", "--trace"), run("--seed", "7", "--trace")
    assert (first_code, second_code) == (0, 0), first
    schedule = [line for line in first.splitlines() if "processor time" not in line]
    assert schedule == [line for line in second.splitlines() if "processor time" not in line]
    assert any("virtual seconds, schedule" in line for line in schedule)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", sorted(SABOTAGES.keys() - BY_COMMAND))
def test_a_missing_safeguard_is_noticed(name: str) -> None:
    code, output = run("--seeds", "1..1000", "--sabotage", name)
    assert code == 1, output
    assert " 1 failed" in output, output

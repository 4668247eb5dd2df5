"""The simulation, run on a hundred seeds; that it replays; and that it notices what is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.sabotage import SABOTAGES


def run(*arguments: str) -> tuple[int, str]:
    """Exit code and output. A process of its own, so that hashes are the same in every run."""
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONHASHSEED": "0"}, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_no_seed_breaks_a_law() -> None:
    code, output = run("--seeds", "1..100")
    assert code == 0, output


def test_a_seed_replays_exactly() -> None:
    first, second = run("--seed", "7", "--trace"), run("--seed", "7", "--trace")
    assert first[1].splitlines()[:-3] == second[1].splitlines()[:-3]
    assert "virtual seconds, schedule" in first[1]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", sorted(SABOTAGES))
def test_a_missing_safeguard_is_noticed(name: str) -> None:
    code, output = run("--seeds", "1..1000", "--sabotage", name)
    assert code == 1, output

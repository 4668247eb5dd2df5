"""The turnstile: one at a time, in order, among threads and processes, and free again when its holder dies."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bus import Turnstile

HOLDER = """
import sys, pathlib
from bus import Turnstile
with Turnstile(pathlib.Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    """A process that is inside, until it is told a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "in\n"
    return process


def test_threads_are_inside_one_at_a_time(tmp_path: Path) -> None:
    turnstile, inside, most = Turnstile(tmp_path / "f"), [0], [0]

    def work() -> None:
        for _ in range(200):
            with turnstile:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_processes_wait_for_each_other(tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with Turnstile(tmp_path / "f"):
            entered.set()

    with holder(tmp_path / "f") as process:
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.1)
        process.communicate("out\n")
    assert entered.wait(10)
    thread.join()


def test_a_killed_holder_is_out(tmp_path: Path) -> None:
    with holder(tmp_path / "f") as process:
        process.kill()
    with Turnstile(tmp_path / "f"):
        pass


MANY = 20_000


def test_one_who_comes_again_at_once_lets_the_next_one_in(tmp_path: Path) -> None:
    turns: list[str] = []
    bulk_inside, waiting = threading.Event(), threading.Event()

    def bulk() -> None:
        while "live" not in turns[-1:] and len(turns) < MANY:
            with Turnstile(tmp_path / "f"):
                turns.append("bulk")
                bulk_inside.set()
                waiting.wait(10)

    thread = threading.Thread(target=bulk)
    thread.start()
    assert bulk_inside.wait(10)
    waiting.set()
    with Turnstile(tmp_path / "f"):
        turns.append("live")
    thread.join()
    assert turns.index("live") < MANY


def test_one_thread_does_not_enter_twice(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "f")
    with turnstile, pytest.raises(RuntimeError, match="inside the turnstile already"), turnstile:
        pass
    with turnstile:
        pass


def test_an_error_inside_sets_it_free(tmp_path: Path) -> None:
    turnstile = Turnstile(tmp_path / "f")
    with pytest.raises(ZeroDivisionError), turnstile:
        _ = 1 / 0
    with turnstile:
        pass


def test_the_guarded_file_is_not_touched(tmp_path: Path) -> None:
    with Turnstile(tmp_path / "f"):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["f.turn", "f.write"]

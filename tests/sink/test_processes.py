from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from bus import Turnstile
from schemas import Retry
from sink import Record, Vault
from tests.sink.made import decision, ledger, message, recall, received, remember, replies, routed, rows

SPAWN = multiprocessing.get_context("spawn")
MESSAGES = [message(n, conversation=f"c{n}") for n in range(1, 61)]


def work(url: str, folder: Path) -> tuple[int, int]:
    """Match and persist everything, as two processes do that got the same batches. How often it came second, and how
    many replies it owed."""
    second = owed = 0
    with Record.open(url, Vault.load(folder / "keys.toml"), _turn(url)) as record:
        for one in MESSAGES:
            known = recall(record, one)
            if not known.decided:
                try:
                    remember(record, [(one, decision(one, known))])
                except Retry:
                    second += 1
            decided = recall(record, one).decided[one.raw, 0]
            received(record, one)
            owed += replies(record, routed(one, id=decided.complaint, number=decided.number))
    return second, owed


def _turn(url: str) -> Turnstile | None:
    return Turnstile(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:") else None


@pytest.mark.slow
def test_case_02_two_processes_record_and_answer_everything_once(url: str, tmp_path: Path, vault: Vault) -> None:
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        here, there = (pool.submit(work, url, tmp_path) for _ in range(2))
        both = [here.result(60), there.result(60)]
    assert sum(owed for _, owed in both) == 20  # the day's limit: all of them are of one person
    with Record.open(url, vault, _turn(url)) as record:
        assert ledger(record) == {"received": 60, "recorded": 60}
        assert rows(record, "SELECT count(*), count(DISTINCT number) FROM complaints") == [(60, 60)]
        if url.startswith("sqlite:"):
            assert rows(record, "PRAGMA integrity_check") == [("ok",)]

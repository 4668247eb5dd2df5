from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bus import Turnstile
from schemas import Retry
from sink import Record, Vault, claim, owed
from tests.sink.made import NOW, books, counted, decision, kept, memory, message, routed, rows

SPAWN = multiprocessing.get_context("spawn")
MESSAGES = [message(n, conversation=f"c{n}") for n in range(1, 61)]


def work(url: str, folder: Path, who: str) -> tuple[int, int, list[str]]:
    """Match, keep and claim everything, as a process does that got the same batches: how often it came second, how
    many replies it owed, which it may send."""
    second = replies = 0
    mine: list[str] = []
    with Record.open(url, Vault.load(folder / "keys.toml"), _turn(url)) as record:
        for one in MESSAGES:
            known = memory(record).recall([one], [None])
            if not known.decided:
                try:
                    memory(record).remember([one], [None], [decision(one, known)])
                except Retry:
                    second += 1
            known = memory(record).recall([one], [None])
            decided = known.decided[one.raw, 0]
            counted(record, one)
            replies += kept(record, routed(one, id=decided.complaint, number=decided.number))
            mine += claim(record, [r.id for r in owed(record, now=NOW)], by=who, now=NOW)
    return second, replies, mine


def _turn(url: str) -> Turnstile | None:
    return Turnstile(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:") else None


def test_case_02_two_processes_keep_and_answer_everything_once(url: str, tmp_path: Path, vault: Vault) -> None:
    with ProcessPoolExecutor(2, mp_context=SPAWN) as pool:
        here, there = (pool.submit(work, url, tmp_path, who) for who in "ab")
        told = [here.result(60), there.result(60)]
    claimed = [reply for _, _, mine in told for reply in mine]
    assert sum(replies for _, replies, _ in told) == len(claimed) == len(set(claimed)) == 20  # all of one person
    with Record.open(url, vault, _turn(url)) as record:
        assert books(record) == {"received": 60, "recorded": 60}
        assert rows(record, "SELECT count(*), count(DISTINCT number) FROM complaints") == [(60, 60)]
        if url.startswith("sqlite:"):
            assert rows(record, "PRAGMA integrity_check") == [("ok",)]

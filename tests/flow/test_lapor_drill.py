"""A tenth of the drill of `lapor_drill.py`, which runs a thousand as a command."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.flow.lapor_drill import drill

COUNT = 100


async def test_case_25_each_complaint_stands_in_lapor_once_and_each_answer_reaches_its_citizen_once(
    tmp_path: Path,
) -> None:
    books = await drill(tmp_path / "hub", COUNT, share=0.1, slow=0.5, seed=1, within=180)
    assert books.there == Counter({1: COUNT})
    assert books.answered == Counter({1: COUNT})
    assert books.numbered == books.complaints == COUNT
    assert (books.ledger["lost"], books.ledger["dead"]) == (0, 0)
    assert books.balance.balanced
    assert (books.balance.stands, books.balance.waiting, books.balance.in_doubt, books.balance.failed) == (
        COUNT,
        0,
        0,
        0,
    )
    assert books.differences == []
    assert books.kills >= 2
    assert sum(books.faults.values()) >= 4
    assert books.shifted >= COUNT / 2

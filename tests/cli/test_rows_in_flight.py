"""A row of a file may hold several items: it has ended when each of them has its outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.commands import _waiting
from hub.commands._waiting import RowsInFlight
from schemas import Body, Raw
from sink import ItemOutcome
from tests.channels.recording import AT


class Direct:
    """In place of the bus and the pools."""

    async def publish(self, raws: Any) -> None:
        """Nothing is stored."""

    async def io(self, call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)


def outcome(raw: str, index: int, count: int, what: str) -> ItemOutcome:
    return ItemOutcome(raw, index, count, what, None, None)


async def test_a_row_with_an_answer_ends_with_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [outcome("a", 0, 2, "recorded"), outcome("b", 0, 1, "recorded")]
    monkeypatch.setattr(_waiting, "outcomes_of", lambda record, raws: [one for one in there if one.raw in raws])
    direct: Any = Direct()
    rows = RowsInFlight(direct, direct, direct)
    await rows.publish(
        [Raw(id=id, account="f", channel="file", owner="00", received_at=AT, body=Body()) for id in "ab"], [2, 3]
    )
    assert [line for line, _ in await rows.ended()] == [3]
    there.append(outcome("a", 1, 2, "added"))
    assert [(line, one.outcome) for line, one in await rows.ended()] == [(2, "recorded"), (2, "added")]
    assert rows.ledger().items() >= {"received": 3, "recorded": 2, "added": 1, "in_flight": 0}.items()

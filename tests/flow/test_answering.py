"""The planner of answers asks the channels who reads and what an answer costs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from hub.answering import AddressPlanner
from schemas import UndeliveredReply, VerifiedAddress

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)


class Door(NamedTuple):
    """A channel that answers in public, or by the length."""

    public: bool = False
    short_answers: bool = False

    def answers_publicly(self, _to: str, _template: str) -> bool:
        return self.public


def test_it_returns_an_address_as_it_was_given_and_none_where_all_can_read() -> None:
    doors: Any = {"sms": Door(short_answers=True), "page": Door(public=True)}
    given = {
        name: VerifiedAddress(account=name, channel=name, to="1", heard_at=NOW, of_this_report=True) for name in doors
    }
    planner, reply = AddressPlanner(cast(Any, doors)), UndeliveredReply(template="finished", account="wa", channel="wa")
    gone = VerifiedAddress(account="gone", channel="x", to="1", heard_at=NOW, of_this_report=True)
    assert planner.choose(reply, [gone, *given.values()]) is given["sms"]
    assert planner.choose(reply, [gone, given["page"]]) is None

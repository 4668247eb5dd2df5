"""How the replies of an account that sends nothing are looked through: so many a round, and on where it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hub.accounts import Accounts
from hub.clock import TimeSource
from hub.running.backend import Backend
from hub.running.stuck_replies import StuckReplies
from sink.account_faults import StoredAccountFault
from sink.outbox_moves import Position
from sink.outbox_queries import ReplyCount

NOW = datetime(2025, 7, 1, 3, 0, tzinfo=UTC)


class Books:
    """The record, by the names of the calls: one account that owes replies, a second apart."""

    def __init__(self, owed: int) -> None:
        self.owed = [Position(NOW - timedelta(days=9) + timedelta(seconds=n), f"{n:05}") for n in range(owed)]
        self.looked_at: list[str] = []

    async def io(self, call: Callable[..., Any], _: object, *given: Any) -> Any:
        return getattr(self, call.__name__)(*given)

    def count_unsent(self) -> list[ReplyCount]:
        return [ReplyCount("sms", "owed", len(self.owed), NOW)]

    def sending_faults(self) -> dict[str, StoredAccountFault]:
        return {}

    def stuck_replies(self, account: str, before: datetime, after: Position | None, most: int) -> list[Position]:
        assert account == "sms"
        return [one for one in self.owed if one.created_at <= before and (after is None or one > after)][:most]

    def move_stuck(self, _: object, ids: Sequence[str], code: str, now: datetime) -> int:
        assert (code, now) == ("account_closed", NOW)
        self.looked_at += ids
        return 0


async def test_a_round_is_bounded_the_next_goes_on_behind_it_and_after_the_last_it_begins_anew() -> None:
    books = Books(4_500)
    stuck = _stuck(books)
    for _ in range(3):
        await stuck.step()
    ids = [one.id for one in books.owed]
    assert books.looked_at == ids
    await stuck.step()
    assert books.looked_at[4_500:] == ids[:2_000]


def _stuck(books: Books) -> StuckReplies:
    backend = Backend(cast(Any, None), cast(Any, books.io), TimeSource(now=lambda: NOW))
    return StuckReplies(backend, Accounts(), cast(Any, None))

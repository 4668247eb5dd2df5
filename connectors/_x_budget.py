"""The month's budget of an account on X: counted so that it cannot be overrun, across restarts and takeovers too.

An amount is *reserved* before it is spent: the cursor of the poll holds the month and what is reserved in it, and a
cursor is saved before the next poll. Reads and answers draw on what the saved cursor reserves and on no more; where
that is too little, the next poll reserves more and calls nobody. A process that begins counts all that its predecessor
had reserved as spent. So: spent <= reserved and saved <= budget. The bill is by X's published prices, per resource
that an answer holds; the same resource costs once a day (UTC). Around the turn of a month nothing is spent, so that
X's clock and ours agree on the month of every call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors._json import Json, object_of, objects_of
from schemas import AccountFault, Retry

MILLS = 1000
"""Amounts are whole thousandths of a dollar."""
POST, OWN_POST, USER, DIRECT, OTHER = 5, 1, 10, 10, 5
"""Prices of reading one: August 2026. Own: the app belongs to the account, for its mentions."""
ANSWER, ANSWER_WITH_LINK, DIRECT_ANSWER = 15, 200, 15
"""An answer to who mentioned us costs 10, any other post 15: X decides which it is."""
_STEPS, _LEAST = 100, 5 * ANSWER
"""A reservation goes beyond what is spent by a hundredth of the budget, and by five answers at least."""
_MEDIA_OF_A_POST = 4
BEFORE_TURN, AFTER_TURN = timedelta(minutes=3), timedelta(minutes=1)
"""Nothing is spent so long before a month ends, as a call may last, and so long after it began."""


@dataclass
class Budget:
    """What one process knows of the month's spending. `limit` 0: nothing is counted."""

    limit: int
    now: Callable[[], datetime]
    month: str = ""
    spent: int = 0
    saved: int = 0
    """What the last saved cursor reserves for this month."""
    began: bool = False
    """Has this process seen a saved cursor?"""
    wanted: int = 0
    """What could not be spent because too little was reserved."""

    def adopt(self, month: str, reserved: int) -> None:
        """The saved cursor says so."""
        current = f"{self.now():%Y-%m}"
        saved = reserved if month == current else 0
        if not self.began or self.month != current:
            self.began, self.month, self.spent, self.wanted = True, current, saved, 0
        self.saved = saved

    def take(self, amount: int) -> str:
        """Spend it; returns the month. Raises AccountFault where the budget does not allow it, and Retry where it is
        not reserved yet or the month turns."""
        if not self.limit:
            return ""
        self._begin_month()
        if self.spent + amount > self.limit:
            left = (self._month_end() + AFTER_TURN - self.now()).total_seconds()
            raise AccountFault("budget_spent", "monthly_budget is used up until next month", after=left)
        if wait := self._turning():
            raise Retry("nothing is spent while the month turns", after=wait)
        if self.spent + amount > self.saved:
            self.wanted = max(self.wanted, amount)
            raise Retry("the next poll reserves more of the month's budget", after=60.0)
        self.spent += amount
        return self.month

    def give_back(self, amount: int, month: str) -> None:
        """It was taken in that month and not spent."""
        if self.limit and month == self.month:
            self.spent -= min(amount, self.spent)

    def closes_in(self) -> float | None:
        """Seconds until nothing more is spent in this month; None: nothing is counted."""
        return (self._month_end() - BEFORE_TURN - self.now()).total_seconds() if self.limit else None

    def must_reserve(self, amount: int) -> bool:
        """Too little is reserved for it, and the budget allows more."""
        return bool(self.limit) and self.saved < self.spent + amount <= self.limit

    def reservation(self, next_poll: int) -> tuple[str, int]:
        """The month, and what the next cursor reserves: enough for this poll and for some answers. It may be less than
        before, so from now on no more than that is spent."""
        self._begin_month()
        reserved = min(self.limit, self.spent + next_poll + max(self.wanted, self.limit // _STEPS, _LEAST))
        self.wanted, self.saved = 0, min(self.saved, reserved)
        return self.month, reserved

    def _begin_month(self) -> None:
        current = f"{self.now():%Y-%m}"
        if self.month != current:
            self.month, self.spent, self.saved, self.wanted = current, 0, 0, 0

    def _turning(self) -> float:
        """Seconds for which nothing is spent, as a month ends or has just begun."""
        now = self.now()
        end = self._month_end()
        if end - now <= BEFORE_TURN:
            return (end + AFTER_TURN - now).total_seconds()
        return max(0.0, (self._month_begin() + AFTER_TURN - now).total_seconds())

    def _month_begin(self) -> datetime:
        return self.now().astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    def _month_end(self) -> datetime:
        return (self._month_begin() + timedelta(days=32)).replace(day=1)


def most_of_a_page(size: int, price: int, *, names: bool) -> int:
    """The most that a page of so many posts may cost, with all that stands beside them."""
    return size * (price + _MEDIA_OF_A_POST * OTHER + OTHER + (USER if names else 0))


def cost_of(answer: Json, price: int, paid: Callable[[str], bool]) -> int:
    """The price of an answer's posts and of what stands beside them. `paid` are ids that were read on this day."""
    posts = sum(price for one in objects_of(answer, "data") if not paid(str(one.get("id"))))
    includes = object_of(answer, "includes")
    beside = {name: len(listed) for name, listed in includes.items() if isinstance(listed, list)}
    return posts + sum(count * (USER if name == "users" else OTHER) for name, count in beside.items())

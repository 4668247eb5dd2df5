"""Proof that a report may be read: the token given at filing, or the last four digits of its reporter's phone.

Four digits can be tried out, so wrong ones are limited: for each address, for each report from each address (a stranger
who tries shuts out only himself), for each report wherever they come from, and for everybody together. Every attempt
takes its turn before it is checked and gets it back when it was right, or when the record could not be asked: attempts
made at the same moment count like any others. A token cannot be guessed: a right one is never limited.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from stdnum import luhn

from hub.limits import WebLimits
from hub.web.api.problems import too_many
from hub.web.limits import TokenBuckets, TokenCost, address_costs, return_tokens, take_or_wait
from hub.web.reports import WebReports, is_raw_id
from schemas import Retry, plain_digits
from sink import TrackedReport

T = TypeVar("T")
DAY = 86_400
TOKENS_TRIED = 10
"""So many times as often as a number may a wrong token be looked up."""


class AccessProof:
    """Finds reports, and shows as much as is proven."""

    def __init__(self, reports: WebReports, limits: WebLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._reports = reports

        def buckets(capacity: float, period: float) -> TokenBuckets:
            return TokenBuckets(capacity, period, monotonic=monotonic)

        # 10 and then 12 a day of 10^4: one address is right with odds of 1 : 450 in a day, 1 : 25 in a month
        self._pairs = buckets(10, 10 * DAY / 12)
        self._addresses = buckets(limits.proofs, 3600)
        self._everybody = buckets(limits.proofs_all, 3600)
        self._unknown = buckets(limits.lookups, 600)
        self._tokens = buckets(limits.lookups * TOKENS_TRIED, 600)
        self._posts = buckets(60, 120)

    async def find_own(self, reference: str, key: str) -> TrackedReport | None:
        """The report of that number or raw id, where it is of that conversation: its key was shown."""
        if not is_raw_id(reference) and not is_number(reference):
            return None
        named = {"raw": reference} if is_raw_id(reference) else {"number": reference}
        found = await self._reports.find(**named, key=key)
        return found if found is not None and found.proven else None

    async def find(self, address: str, reference: str, token: str | None, last4: str | None) -> TrackedReport | None:
        """The report of that number or raw id; None: there is none. Raises Problem after too many wrong attempts."""
        if is_raw_id(reference) and self._reports.is_token_of(reference, token):
            return await self._look_up(reference, token)
        if token is not None and (found := await self._by_token(address, reference, token)):
            return found
        found = await self._unproven(address, reference)
        if found is None or (token is None and last4 is None):
            return found
        if last4 is None:
            _take([*address_costs(self._addresses, address), TokenCost(self._everybody, "")])
            return found
        return await self._by_phone(address, found.number, last4)

    def admit(self, address: str) -> None:
        """Before the body of an attempt is read. Raises Problem where one address sends too many."""
        _take(address_costs(self._posts, address))

    async def _unproven(self, address: str, reference: str) -> TrackedReport | None:
        """What the number alone shows. Only what finds nothing costs a turn."""
        turns = address_costs(self._unknown, address)
        _take(turns)
        found = await self._or_give_back(turns, self._look_up(reference, None))
        if found is not None:
            return_tokens(turns)
        return found

    async def _by_token(self, address: str, reference: str, token: str) -> TrackedReport | None:
        turns = address_costs(self._tokens, address)
        _take(turns)
        found = await self._or_give_back(turns, self._look_up(reference, token))
        if found is None or not found.proven:
            return None
        return_tokens(turns)
        return found

    async def _by_phone(self, address: str, number: str, last4: str) -> TrackedReport | None:
        """The last digits of what was entered. The attempts for one report are counted in the record, so that neither
        a restart nor another process makes new ones."""
        turns = [
            *address_costs(self._addresses, address),
            TokenCost(self._everybody, ""),
            TokenCost(self._pairs, f"{number} {address}"),
        ]
        _take(turns)
        waiting = await self._or_give_back(turns, self._reports.take_proof_attempt(number))
        if waiting:
            return_tokens(turns)
            raise too_many(waiting)
        digits = plain_digits(last4)[-4:]
        found = await self._or_give_back(turns, self._reports.find(number=number, last4=digits))
        if found is not None and found.proven:
            return_tokens(turns)
            await self._reports.give_back_proof_attempt(number)
        return found

    async def _or_give_back(self, turns: list[TokenCost], work: Awaitable[T]) -> T:
        """The result; where the record is unavailable the turns are given back."""
        try:
            return await work
        except Retry:
            return_tokens(turns)
            raise

    async def _look_up(self, reference: str, token: str | None) -> TrackedReport | None:
        if is_raw_id(reference):
            return await self._reports.find(raw=reference, token=token)
        if is_number(reference):
            return await self._reports.find(number=reference, token=token)
        return None


def is_number(word: str) -> bool:
    """Ten digits of which the last one checks the others: most guesses never reach the record."""
    return len(word) == 10 and word.isascii() and word.isdigit() and bool(luhn.is_valid(word))


def _take(turns: list[TokenCost]) -> None:
    waiting = take_or_wait(turns)
    if waiting:
        raise too_many(waiting)

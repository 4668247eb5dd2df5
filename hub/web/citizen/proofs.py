"""Who may see a report's words: whoever has its token, or the last four digits of its reporter's phone.

Four digits can be tried out, so wrong ones are few: for each address, and for each number from each address, so that a
stranger who tries shuts out himself and not the citizen. A looser cap for each number holds against many addresses.
Every try takes its turn before it is looked at and gets it back when it was right, or when the record could not be
asked: tries made at the same moment count like any others. A token that fits its id needs no turn: it is no try.
"""

from __future__ import annotations

from starlette.requests import Request
from stdnum import luhn

from hub.web.desk import Desk, is_id
from hub.web.limits import Bucket, caller_of
from hub.web.api.problems import too_many
from schemas import Retry
from sink import Tracked


class Proofs:
    """Finds reports, and tells as much as is proven."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        # 10 and then 12 a day of 10^4: one address is right with odds of 1 : 450 in a day, 1 : 25 in a month
        self._of_pair = Bucket(10, 7200)
        # 100 and then 100 a day, however many addresses: 2 in 100 on the first day, 1 in 100 on each day after it
        self._of_number = Bucket(100, 864)
        self._of_address = Bucket(20, 180)
        self._posts = Bucket(60, 2)
        self._unknown = Bucket(60, 10)

    async def find(self, request: Request, reference: str, token: str | None, last4: str | None) -> Tracked | None:
        """The report of that number or id; None: there is none. Raises Problem after too many wrong ones."""
        if is_id(reference) and self._desk.opens(reference, token):
            return await self._look(reference, token, None)
        turns = self._turns(caller_of(request.scope), reference, token, last4)
        _take(turns)
        try:
            found = await self._look(reference, token, last4)
        except Retry:
            _give_back(turns)
            raise
        if found is not None:
            _give_back(turns if found.proven else turns[:1])
        return found

    def admit(self, request: Request) -> None:
        """Before the body of a try is read. Raises Problem where one address sends too many."""
        _take([(self._posts, caller_of(request.scope))])

    def _turns(self, address: str, reference: str, token: str | None, last4: str | None) -> list[tuple[Bucket, str]]:
        turns = [(self._unknown, address)]
        if last4 is not None or token is not None:
            turns.append((self._of_address, address))
        if last4 is not None:
            turns += [(self._of_pair, f"{reference} {address}"), (self._of_number, reference)]
        return turns

    async def _look(self, reference: str, token: str | None, last4: str | None) -> Tracked | None:
        last4 = "".join(filter(str.isdigit, last4))[-4:] if last4 is not None else None
        if is_id(reference):
            return await self._desk.find(raw=reference, token=token, last4=last4)
        if is_number(reference):
            return await self._desk.find(number=reference, token=token, last4=last4)
        return None


def is_number(said: str) -> bool:
    """Ten digits of which the last one checks the others: most of what is guessed never reaches the record."""
    return len(said) == 10 and said.isascii() and said.isdigit() and bool(luhn.is_valid(said))


def _take(turns: list[tuple[Bucket, str]]) -> None:
    waiting = max(bucket.wait(whose) for bucket, whose in turns)
    if waiting:
        raise too_many(waiting)
    for bucket, whose in turns:
        bucket.take(whose)


def _give_back(turns: list[tuple[Bucket, str]]) -> None:
    for bucket, whose in turns:
        bucket.give_back(whose)

"""Who may see a report's words: whoever has its token, or the last four digits of its reporter's phone.

Four digits can be tried out, so wrong ones are few for each number and for each address. Every try takes its turn
before it is looked at and gets it back when it was right: tries made at the same moment count like any others.
"""

from __future__ import annotations

from starlette.requests import Request
from stdnum import luhn

from hub.web.desk import Desk, is_id
from hub.web.limits import Bucket, caller_of
from hub.web.problems import too_many
from sink import Tracked


class Proofs:
    """Finds reports, and tells as much as is proven."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._of_number = Bucket(10, 7200)
        self._of_address = Bucket(20, 180)
        self._unknown = Bucket(60, 10)

    async def find(self, request: Request, reference: str, token: str | None, last4: str | None) -> Tracked | None:
        """The report of that number or id; None: there is none. Raises Problem after too many wrong ones."""
        address = caller_of(request.scope)
        turns = [(self._unknown, address)]
        if last4 is not None:
            turns += [(self._of_address, address), (self._of_number, reference)]
        elif token is not None:
            turns.append((self._of_address, address))
        _take(turns)
        found = await self._look(reference, token, last4)
        if found is not None:
            self._unknown.give_back(address)
        if found is not None and found.proven:
            for bucket, whose in turns[1:]:
                bucket.give_back(whose)
        return found

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

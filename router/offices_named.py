"""The office that the citizen named: in the field for it, by "Yth. …", or by a name or alias in title or text.

A name that could be several offices is none, and so are several names: nothing is guessed.
"""

from __future__ import annotations

from router.offices import OfficeRegistry
from router.offices_names import fold
from router.offices_types import RegisteredOffice, is_code
from schemas import Message

SURE_PLACE = 0.5
"""A place of a smaller `p` leads to no office."""
BREAK = "|"
"""Stands between title and text: no name and no phrase goes over it."""


def folded_words(message: Message) -> list[str]:
    """The words of title and text."""
    return [*fold(message.title), BREAK, *fold(message.clean_text)] if message.title else fold(message.clean_text)


def place_code(message: Message) -> str | None:
    """The code of its place. None: there is none, or it was read out of the words and is more likely another."""
    place = message.place
    if place is None or not place.code or (place.p is not None and place.p < SURE_PLACE):
        return None
    return place.code


def region_of(message: Message) -> str | None:
    """The code of its place, or of the region whose account took it in."""
    return place_code(message) or (message.owner if is_code(message.owner) else None)


def named_office(message: Message, words: list[str], offices: OfficeRegistry) -> RegisteredOffice | None:
    """None: the citizen named none, or it is not known which."""
    code = region_of(message)
    if message.office is not None:
        found = offices.find(message.office.id, code) or offices.find(message.office.name or "", code)
        if found is not None:
            return None if found.closed else found
    mentions = list(offices.names.mentions(words))
    addressed = [mention for mention in mentions if mention.addressed]
    phrases = {mention.phrase for mention in addressed or mentions}
    resolved = {found.id if found else None for found in (offices.names.one_of(p, code) for p in phrases)}
    only = resolved.pop() if len(resolved) == 1 else None
    return offices[only] if only is not None else None

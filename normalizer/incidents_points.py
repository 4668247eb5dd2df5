"""The exact points that a report names: house, RT, RW, gang, block, "titik B", and what it is in front of.

Two reports of one citizen that name other houses or gangs of one street are two matters, however alike their words are.
Other citizens' are too where they name another RT, RW, point or numbered gang, other landmarks, or, in other words,
another house. Named gangs are spelled in many ways ("gang tower / buntu"), and tell less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import lru_cache
from itertools import takewhile
from string import ascii_lowercase
from typing import NamedTuple
from zlib import crc32

from normalizer.knowledge.numerals import NUMERALS, ROMAN

_KINDS = {
    **dict.fromkeys(("no", "nomor", "nomer"), 0), "rt": 1, "rw": 2,
    **dict.fromkeys(("gang", "gg", "gng", "lorong", "lrg", "lr"), 3), **dict.fromkeys(("blok", "blk"), 4), "titik": 5,
    **dict.fromkeys(("lingkungan", "lk", "dusun", "dsn"), 8), "km": 9,
}  # fmt: skip
_HOUSE, _RT, _RW, _GANG, _POINT, _LANDMARK, _NUMBERED_GANG, _NEIGHBOURHOOD, _KILOMETRE, _HAMLET, _HOLDER, _SCHOOL = (
    0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12,
)  # fmt: skip
_AREAS = (_RT, _RW, _POINT, _NUMBERED_GANG, _NEIGHBOURHOOD, _KILOMETRE, _SCHOOL)
_WORDS = frozenset(_KINDS)
_JOINED = frozenset(["rt", "rw"])
"""Their numbers may follow without a blank."""
_MEANT = frozenset(_KINDS.values())
POINT_WORDS = frozenset(crc32(word.encode()) for word in _KINDS)
_MASK = 15
"""The lowest bits of a point tell its kind."""
_ROMAN = {letters: str(number) for number, letters in enumerate(ROMAN) if number}
_LONGEST = 4
"""Digits of a house number."""
_FRONT_WORDS = (
    "simpang pertigaan perempatan depan dpn dpan seberang sebrang sebelah samping belakang blakang dekat dkt deket"
)
_BEFORE_LANDMARK = frozenset(_FRONT_WORDS.split())
_HAMLETS = "dusun dsn dukuh jorong korong banjar br kampung kp perum perumahan komplek kompleks btn cluster rusun"
_BEFORE_HAMLET = frozenset(_HAMLETS.split())
"""Words before the name of a part of a village, or of an estate."""
_LANDMARK_WORDS = 3
_NUMERALS = {word: str(number) for word, number in NUMERALS.items()}
_SCHOOL_WORDS = "sd sdn smp smpn sma sman smk smkn mts mtsn"
_SCHOOLS = {word: word.removesuffix("n") for word in _SCHOOL_WORDS.split()}
"""By the word before its number, what it is: "SDN 5", "SD Negeri 5"."""
_DIGITS_OF_ID = 16
"""Of a NIK and of a family's card."""
_BEFORE_CUSTOMER = frozenset(["pelanggan", "idpel", "nopel", "meteran"])
_FEWEST_DIGITS = 8
_NO_NAMES = frozenset(["ini", "itu", "kami", "saya", "sebelah", "depan", "yang", "yg", "dan", "di", "rumah"])


def points_of(text: Sequence[str], distinct: Set[str], rare: Set[str]) -> set[int]:
    """As small numbers; `rare` are those of the `distinct` words that are no common ones. Of the text alone: the house
    in an address is often its writer's, or the nearest on a map."""
    found = _by_kind(text, distinct, rare)
    return {_point(value, kind) for kind, values in found.items() for value in values}


def _point(value: str, kind: int) -> int:
    return crc32(value.encode()) & ~_MASK | kind


def are_apart(one: frozenset[int], other: frozenset[int], kinds: Sequence[int] = tuple(_MEANT)) -> bool:
    """Do both name points of one of these kinds, and none in common?"""
    if not one or not other:
        return False
    here, there = _by_number(one), _by_number(other)
    return any(kind in kinds and here[kind].isdisjoint(there[kind]) for kind in here.keys() & there.keys())


def are_in_other_areas(one: frozenset[int], other: frozenset[int]) -> bool:
    """The same, of neighbourhoods, and of gangs and points that were numbered or lettered apart."""
    return are_apart(one, other, _AREAS)


def are_at_other_houses(one: frozenset[int], other: frozenset[int]) -> bool:
    """The same, of house numbers."""
    return are_apart(one, other, (_HOUSE,))


def landmarks_of(words: Sequence[str], distinct: Set[str], name_of: Callable[[str], int | None]) -> Iterator[int]:
    """Names behind "depan" and the like, or behind "dusun", as points. `name_of`: the hash of a word that is a name."""
    for before, kind, most in ((_BEFORE_LANDMARK, _LANDMARK, _LANDMARK_WORDS), (_BEFORE_HAMLET, _HAMLET, 1)):
        for at, word in enumerate(words) if not before.isdisjoint(distinct) else ():
            if word in before:
                behind = takewhile(_may_name, words[at + 1 : at + 1 + most])
                yield from (name & ~_MASK | kind for one in behind if (name := name_of(one)) is not None)


class Named(NamedTuple):
    """What a report names: points, and names of any kind."""

    points: frozenset[int]
    names: frozenset[int]

    def of(self, kind: int) -> set[int]:
        return {point for point in self.points if point & _MASK == kind}

    def has_one_of(self, points: set[int], kind: int) -> bool:
        """Anywhere among its names."""
        return any(name & ~_MASK | kind in points for name in self.names)


def have_other_landmarks(one: Named, other: Named) -> bool:
    """Have both landmarks, or both parts of a village, and does neither name one of the other's?"""
    return _others(one, other, _LANDMARK) or _others(one, other, _HAMLET)


def _others(one: Named, other: Named, kind: int) -> bool:
    here, there = one.of(kind), other.of(kind)
    return bool(here and there) and not one.has_one_of(there, kind) and not other.has_one_of(here, kind)


def are_of_other_persons(one: frozenset[int], other: frozenset[int]) -> bool:
    """Do both state identity numbers, and none in common?"""
    return are_apart(one, other, (_HOLDER,))


def _may_name(word: str) -> bool:
    return word not in _BEFORE_LANDMARK and word not in _KINDS and not word.isdecimal()


@lru_cache(maxsize=4096)
def _by_number(points: frozenset[int]) -> Mapping[int, set[int]]:
    """By the number of their kind."""
    found: dict[int, set[int]] = defaultdict(set)
    for point in points:
        found[point & _MASK].add(point)
    return found


def _by_kind(words: Sequence[str], distinct: Set[str], rare: Set[str]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    naming = (_WORDS & distinct).union(word for word in rare if word[:2] in _JOINED)
    for at, word in [(at, word) for at, word in enumerate(words) if word in naming] if naming else ():
        kind = _KINDS.get(word)
        if kind is None:
            if word[2:].isdecimal():
                found[_KINDS[word[:2]]].add(_plain(word[2:]))
        elif kind in (_RT, _RW):
            found[kind].update(_areas(words, at))
        else:
            values = list(_values(kind, words[at + 1 : at + 12]))
            found[kind].update(values)
            if kind == _GANG:
                found[_NUMBERED_GANG].update(value for value in values if value.isdecimal())
    found[_HOLDER].update(_holders(words, distinct, rare))
    found[_SCHOOL].update(_schools(words, distinct))
    return found


def _holders(words: Sequence[str], distinct: Set[str], rare: Set[str]) -> Iterator[str]:
    """Numbers of a person, of a family and of a customer."""
    yield from (word for word in rare if len(word) == _DIGITS_OF_ID and word.isdecimal())
    for at, word in enumerate(words) if not _BEFORE_CUSTOMER.isdisjoint(distinct) else ():
        if word in _BEFORE_CUSTOMER:
            yield from (one for one in words[at + 1 : at + 4] if len(one) >= _FEWEST_DIGITS and one.isdecimal())


def _schools(words: Sequence[str], distinct: Set[str]) -> Iterator[str]:
    """Not of "RT 1 sd 5", where "sd" means until."""
    for at, word in enumerate(words) if not distinct.isdisjoint(_SCHOOLS) else ():
        if word in _SCHOOLS and not (at and words[at - 1].isdecimal()):
            after = [one for one in words[at + 1 : at + 3] if one != "negeri"][:1]
            yield from (f"{_SCHOOLS[word]} {_plain(one)}" for one in after if one.isdecimal() and len(one) < _LONGEST)


def _areas(words: Sequence[str], at: int) -> Iterator[str]:
    """ "RT 3", "RT/RW 03/05": two words, then their two numbers."""
    both = words[at : at + 2] == ["rt", "rw"] or (at > 0 and words[at - 1 : at + 1] == ["rt", "rw"])
    number = words[at + 1 + both : at + 2 + both]
    yield from (_plain(one) for one in number if one.isdecimal() and len(one) <= _LONGEST)


def _values(kind: int, after: Sequence[str]) -> Iterator[str]:
    if kind == _HOUSE:
        numbers = takewhile(lambda word: word[0].isdecimal() and len(word) <= _LONGEST, after)
        yield from (_plain(number.rstrip(ascii_lowercase)) for number in numbers)
    elif after and kind in (_NEIGHBOURHOOD, _KILOMETRE):
        number = _number(after[0])
        if number.isdecimal() and len(number) <= _LONGEST - 1:
            yield number
    elif after and (len(after[0]) == 1 if kind == _POINT else after[0] not in _NO_NAMES):
        yield _number(after[0])


def _number(word: str) -> str:
    """ "IV" and "empat" as 4; any other word as it is."""
    return _ROMAN.get(word) or _NUMERALS.get(word) or _plain(word)


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"

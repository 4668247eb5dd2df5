"""The exact points that a report names: house, RT, RW, gang, block, "titik B", and what it is in front of.

Two reports of one citizen that name other houses or gangs of one street are two matters, however alike their words are.
Other citizens' are too where they name another RT, RW, point or numbered gang, other landmarks, or, in other words,
another house. Named gangs are spelled in many ways ("gang tower / buntu"), and tell less.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile
from string import ascii_lowercase
from typing import NamedTuple
from zlib import crc32

_KINDS = {
    **dict.fromkeys(("no", "nomor", "nomer"), 0), "rt": 1, "rw": 2, **dict.fromkeys(("gang", "gg", "gng"), 3),
    **dict.fromkeys(("blok", "blk"), 4), "titik": 5,
}  # fmt: skip
_HOUSE, _RT, _RW, _GANG, _POINT, _LANDMARK, _NUMBERED_GANG = 0, 1, 2, 3, 5, 6, 7
_AREAS = (_RT, _RW, _POINT, _NUMBERED_GANG)
_MEANT = frozenset(_KINDS.values())
POINT_WORDS = frozenset(crc32(word.encode()) for word in _KINDS)
_MASK = 7
"""The lowest bits of a point tell its kind."""
_TENS, _ONES = ("", "x"), ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_ROMAN = {ten + one: str(10 * n + m) for n, ten in enumerate(_TENS) for m, one in enumerate(_ONES) if ten + one}
_LONGEST = 4
"""Digits of a house number."""
_FRONT_WORDS = "depan dpn dpan seberang sebrang sebelah samping belakang blakang dekat dkt deket"
_BEFORE_LANDMARK = frozenset(_FRONT_WORDS.split())
_LANDMARK_WORDS = 3
_NO_NAMES = frozenset(["ini", "itu", "kami", "saya", "sebelah", "depan", "yang", "yg", "dan", "di", "rumah"])


def points_of(text: Sequence[str]) -> set[int]:
    """As small numbers. Of the text alone: the house in an address is often its writer's, or the nearest on a map."""
    return {crc32(value.encode()) & ~_MASK | kind for kind, values in _by_kind(text).items() for value in values}


def are_apart(one: frozenset[int], other: frozenset[int], kinds: Sequence[int] = tuple(_MEANT)) -> bool:
    """Do both name points of one of these kinds, and none in common?"""
    here, there = _by_number(one), _by_number(other)
    return any(kind in here and kind in there and here[kind].isdisjoint(there[kind]) for kind in kinds)


def are_in_other_areas(one: frozenset[int], other: frozenset[int]) -> bool:
    """The same, of neighbourhoods, and of gangs and points that were numbered or lettered apart."""
    return are_apart(one, other, _AREAS)


def are_at_other_houses(one: frozenset[int], other: frozenset[int]) -> bool:
    """The same, of house numbers."""
    return are_apart(one, other, (_HOUSE,))


def landmarks_of(words: Sequence[str], name_of: Callable[[str], int | None]) -> Iterator[int]:
    """Names behind "depan" and the like, as points. `name_of`: the hash of a word that is a name."""
    for at, word in enumerate(words) if not _BEFORE_LANDMARK.isdisjoint(words) else ():
        if word in _BEFORE_LANDMARK:
            behind = takewhile(_may_name, words[at + 1 : at + 1 + _LANDMARK_WORDS])
            yield from (name & ~_MASK | _LANDMARK for one in behind if (name := name_of(one)) is not None)


class Named(NamedTuple):
    """What a report names: points, and names of any kind."""

    points: frozenset[int]
    names: frozenset[int]

    @property
    def landmarks(self) -> set[int]:
        return {point for point in self.points if point & _MASK == _LANDMARK}

    def has_one_of(self, landmarks: set[int]) -> bool:
        """Anywhere among its names."""
        return any(name & ~_MASK | _LANDMARK in landmarks for name in self.names)


def have_other_landmarks(one: Named, other: Named) -> bool:
    """Have both landmarks, and does neither name one of the other's?"""
    here, there = one.landmarks, other.landmarks
    return bool(here and there) and not one.has_one_of(there) and not other.has_one_of(here)


def _may_name(word: str) -> bool:
    return word not in _BEFORE_LANDMARK and not word.isdecimal()


@lru_cache(maxsize=4096)
def _by_number(points: frozenset[int]) -> Mapping[int, set[int]]:
    """By the number of their kind."""
    found: dict[int, set[int]] = defaultdict(set)
    for point in points:
        found[point & _MASK].add(point)
    return found


def _by_kind(words: Sequence[str]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for at, word in [(at, word) for at, word in enumerate(words) if word in _KINDS or word[0] == "r"]:
        kind = _KINDS.get(word)
        if kind is None:
            if word[:2] in ("rt", "rw") and word[2:].isdecimal():
                found[_KINDS[word[:2]]].add(_plain(word[2:]))
        elif kind in (_RT, _RW):
            found[kind].update(_areas(words, at))
        else:
            values = list(_values(kind, words[at + 1 : at + 12]))
            found[kind].update(values)
            if kind == _GANG:
                found[_NUMBERED_GANG].update(value for value in values if value.isdecimal())
    return found


def _areas(words: Sequence[str], at: int) -> Iterator[str]:
    """ "RT 3", "RT/RW 03/05": two words, then their two numbers."""
    both = words[at : at + 2] == ["rt", "rw"] or (at > 0 and words[at - 1 : at + 1] == ["rt", "rw"])
    number = words[at + 1 + both : at + 2 + both]
    yield from (_plain(one) for one in number if one.isdecimal() and len(one) <= _LONGEST)


def _values(kind: int, after: Sequence[str]) -> Iterator[str]:
    if kind == _HOUSE:
        numbers = takewhile(lambda word: word[0].isdecimal() and len(word) <= _LONGEST, after)
        yield from (_plain(number.rstrip(ascii_lowercase)) for number in numbers)
    elif after and (len(after[0]) == 1 if kind == _POINT else after[0] not in _NO_NAMES):
        yield _ROMAN.get(after[0], _plain(after[0]))


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"

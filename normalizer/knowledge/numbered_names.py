"""Names with numbers as people write them: the decree's "Dua-puluh-enam Ilir Satu" is "26 Ilir D I", "Sembilan Sepuluh
Ulu" is "9-10 Ulu" or "10 Ulu", "Seberang Ulu Satu" is "Seberang Ulu I" or "Seberang Ulu 1"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from normalizer.knowledge.numerals import NUMERALS, ROMAN

_NUMBERS = {**NUMERALS, "sebelas": 11}
_ROMAN = ROMAN[:16]
"""Names go no further."""
_BETWEEN = re.compile(r"[\s-]+")
_CROSSING = "simpang"
"""Four roads make a "simpang 4" anywhere."""
_LETTERED = "ilir"
"""Parts of a ward of that name have a letter as well: "26 Ilir D I"."""


def numbered_spellings(name: str) -> set[str]:
    """Folded; none where no number is in the name, or nothing else."""
    words = _BETWEEN.split(name.lower())
    last = _ROMAN.index(words[-1]) if words[-1] in _ROMAN[1:] else None
    if (last is None and _NUMBERS.keys().isdisjoint(words)) or _CROSSING in words:
        return set()
    parts = [*_parts(words)] if last is None else [*words[:-1], last]
    if not any(isinstance(part, str) for part in parts):
        return set()
    *before, end = parts
    begun = ["".join(map(str, before))]
    if len(before) > 1 and all(isinstance(part, int) for part in before):
        begun += map(str, before)
    return {start + written for start in begun for written in _endings(end, before)} - {"".join(words)}


def first_numbers(names: Iterable[str]) -> set[str]:
    """The digits with which folded names begin."""
    return {match[0] for name in names if (match := re.match(r"\d+", name))}


def _endings(end: str | int, before: list[str | int]) -> Iterator[str]:
    yield str(end)
    if isinstance(end, int) and end < len(_ROMAN):
        yield _ROMAN[end]
        if before[-1:] == [_LETTERED]:
            yield from (f"d{end}", f"d{_ROMAN[end]}")


def _parts(words: list[str]) -> Iterator[str | int]:
    """With numbers instead of their words: "dua puluh enam" is one."""
    at = 0
    while at < len(words):
        number, after = _NUMBERS.get(words[at]), words[at + 1 : at + 3]
        if number is None:
            yield words[at]
        elif after[:1] == ["belas"]:
            yield 10 + number
            at += 1
        elif after[:1] == ["puluh"]:
            unit = _NUMBERS.get(after[1], 0) if len(after) > 1 else 0
            yield 10 * number + unit
            at += 1 + (unit > 0)
        else:
            yield number
        at += 1

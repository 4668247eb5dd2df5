"""The thing that a report wants mended or given: a lamp, a tree, a drain.

Two reports that name other things, and none in common, are other jobs for other crews, however alike the rest is: the
lamp and the pavement in front of one hotel.
"""

from __future__ import annotations

from functools import lru_cache
from zlib import crc32

_THINGS = (
    "lampu pju lpju penerangan",
    "lubang berlubang aspal aspalan pengaspalan paving pavingisasi pavingnisasi ambles amblas makadam",
    "trotoar",
    "pohon pepohonan ranting dahan perantingan perampingan pemangkasan",
    "sampah tps pengangkutan diangkut angkut",
    "plengsengan plengseran",
    "saluran got selokan drainase gorong sedimen mampet tersumbat banjir genangan tergenang meluap",
    "pdam leding meteran",
    "listrik pln",
    "bansos pkh blt bpnt",
    "longsor",
    "macet kemacetan parkir",
)
_OF_PERSONS = """
bansos pkh blt bpnt bst pip kip kis bpjs jkn pbi dtks desil prakerja mbr ektp akta akte ijazah sertifikat paspor stnk
tagihan tunggakan rekening gaji pensiun
"""
_PERSONAL = frozenset(crc32(word.encode()) for word in _OF_PERSONS.split())
_THING_OF = {crc32(word.encode()): n for n, words in enumerate(_THINGS) for word in words.split()}


def are_of_other_things(one: frozenset[int], other: frozenset[int]) -> bool:
    """Do both texts, given as the hashes of all their words, name things, and none in common?"""
    here, there = _things(one), _things(other)
    return bool(here and there) and not here & there


@lru_cache(maxsize=4096)
def _things(words: frozenset[int]) -> set[int]:
    return {_THING_OF[word] for word in words if word in _THING_OF}


def are_of_persons(one: frozenset[int], other: frozenset[int]) -> bool:
    """Does each text speak of what one person gets, owes or holds?"""
    return not _PERSONAL.isdisjoint(one) and not _PERSONAL.isdisjoint(other)

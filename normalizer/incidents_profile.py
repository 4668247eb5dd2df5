"""What reports are compared by: the keys under which alike ones are found, and the words of each as small hashes.

Words that most reports share (`models/data/common_words.txt`) say what it is about; all other words are taken for
names: streets, wards, people, brands. Names are rare, so they make the keys. Nothing here counts or learns: the keys of
a report follow from the report alone, and can be made again to delete them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from hashlib import blake2b
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from normalizer.incidents_points import points_of
from schemas import REFERRING_KINDS, Message, Place
from schemas.memory import Profile

KEYS = 8
"""Keys of a report beside that of its whole text."""
PAIRS = 4
"""So many are made of pairs of common words, less the names: such pairs are in many reports, and tell little."""
WHOLE_TEXT = 8
"""Words; a shorter text is often the same by chance."""
_FEW = 2
_LONGEST = 4000
"""Characters that are looked at."""
MOST_WORDS = 48
"""Words of one kind that are remembered, at most."""
_KINDS = 7
"""Of words that are remembered."""
_WORD = re.compile(r"[^\W_]+")
_STREET_WORDS = (
    "jl jln jalan gg gang kampung kp dusun dukuh desa ds kelurahan kel kecamatan kec perum perumahan komplek"
)
_STREET = frozenset(_STREET_WORDS.split())
_SILENT = frozenset({"sticker", "system", "contact"})
_REGENCY, _VILLAGE = 5, 13
"""Characters of their codes."""

Hashes = frozenset[int]


class ComparedWords(NamedTuple):
    """The words of a report by kind, hashed. Stored as one row of bytes (`pack`)."""

    length: int
    """Words of the text."""
    names: Hashes
    streets: Hashes
    """Names behind a word such as "jalan"."""
    matter: Hashes
    numbers: Hashes
    address: Hashes
    """Names in the address alone."""
    text: Hashes
    """Every word of the text."""
    points: Hashes
    """Houses, gangs and the like (`incidents_points.py`)."""


@cache
def common_words() -> frozenset[str]:
    """Words that say nothing of where it was."""
    return frozenset(Path(__file__).with_name("models").joinpath("data", "common_words.txt").read_text("utf-8").split())


def profile_of(message: Message, place: Place | None) -> Profile | None:
    """None: it is not compared with others (no report, hardly any words, an anonymous or secret report: nothing shows
    that it is there)."""
    if (
        message.anonymous
        or message.secret
        or message.refusal
        or message.command
        or message.kind in REFERRING_KINDS | _SILENT
    ):
        return None
    body = f"{message.title} {message.clean_text}" if message.title else message.clean_text
    text = _WORD.findall(body[:_LONGEST].casefold())
    address = _WORD.findall(_address(message, place)[:_LONGEST].casefold())
    words = _compared(text, address)
    if len(words.names) + len(words.matter) + len(words.numbers) < _FEW:
        return None
    category = message.category
    return Profile(
        at=max(0, int(min(message.received_at, message.sent_at or message.received_at).timestamp())),
        keys=tuple(_keys(text, address, place)),
        text_keys=tuple(_text_keys(text, place)),
        words=pack(words),
        place=place.code if place and place.source != "owner" else None,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        category=(category.top or category.id) if category else None,
    )


def _address(message: Message, place: Place | None) -> str:
    """As it was stated; of a form or a row, that of the sender where no other was."""
    if place is not None and place.words and place.source != "text":
        return place.words
    return (message.sender.address or "") if message.conversation == message.native_id else ""


def _compared(text: list[str], address: list[str]) -> ComparedWords:
    names, streets, numbers = set[int](), set[int](), set[int]()
    for words in (text, address):
        for before, word in pairwise(("", *words)):
            if word.isdigit():
                numbers.add(_hash(word.lstrip("0") or "0"))
            elif _is_name(word):
                names.add(_hash(word[:7]))
                if before in _STREET:
                    streets.add(_hash(word[:7]))
    matter = {_hash(word[:5]) for word in text if len(word) > 2 and word in common_words()}
    own = {_hash(word[:7]) for word in address if _is_name(word)}
    kinds = (names, streets, matter, numbers, own, {_hash(word) for word in text}, points_of(text))
    return ComparedWords(len(text), *(_few(kind) for kind in kinds))


def _is_name(word: str) -> bool:
    return len(word) > 2 and word not in common_words() and not word.isdigit()


def _few(hashes: set[int]) -> Hashes:
    return frozenset(hashes if len(hashes) <= MOST_WORDS else sorted(hashes)[:MOST_WORDS])


@lru_cache(maxsize=1 << 16)
def _hash(word: str) -> int:
    return crc32(word.encode())


def _keys(text: list[str], address: list[str], place: Place | None) -> Iterator[int]:
    """Names, those of the address before others; then pairs of other words."""
    region = place.code[:_REGENCY] if place and place.code else "-"
    found: dict[str, None] = {}
    for words in (address, text):
        found |= dict.fromkeys(sorted({word[:7] for word in words if _is_name(word)}, key=_hash))
    names = list(found)[:KEYS]
    yield from (_key(region, name) for name in names)
    yield from (_key(region, *pair) for pair in _pairs(text, PAIRS - len(names)))


def _text_keys(text: list[str], place: Place | None) -> Iterator[int]:
    """Of the whole text; of a short one, which many send, with its village too."""
    yield _key("text", *text)
    code = place.code if place else None
    if len(text) < WHOLE_TEXT and code and len(code) >= _VILLAGE:
        yield _key("text", code, *text)


def _pairs(text: Iterable[str], most: int) -> list[tuple[str, str]]:
    if most <= 0:
        return []
    matter = sorted({word[:5] for word in text if len(word) > 3 and word in common_words()}, key=_hash)
    return sorted((_ordered(pair) for pair in combinations(matter[:12], 2)), key=lambda p: _hash("".join(p)))[:most]


def _ordered(pair: tuple[str, str]) -> tuple[str, str]:
    return (pair[0], pair[1]) if pair[0] <= pair[1] else (pair[1], pair[0])


def _key(*words: str) -> int:
    """63 bits."""
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest()) >> 1


def pack(words: ComparedWords) -> bytes:
    """Sizes and hashes, four bytes each."""
    kinds = words[1:]
    hashes = [one for kind in kinds for one in sorted(kind)]
    return array("I", [words.length, *(len(kind) for kind in kinds), *hashes]).tobytes()


def unpack(packed: bytes) -> ComparedWords:
    """What `pack` made."""
    length, *rest = array("I", packed)
    start, kinds = _KINDS, []
    for size in rest[:_KINDS]:
        kinds.append(frozenset(rest[start : start + size]))
        start += size
    return ComparedWords(length, *kinds)

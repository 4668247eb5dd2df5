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
from heapq import nsmallest
from itertools import chain, combinations, pairwise
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from normalizer.incidents_points import landmarks_of, points_of
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
_NO_WORD_ASCII = {code: " " for code in range(128) if not chr(code).isalnum()}
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
    """Houses, gangs, landmarks and the like (`incidents_points.py`)."""


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
    text, address = _split(body), _split(_address(message, place))
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


def _split(text: str) -> list[str]:
    text = text[:_LONGEST].casefold()
    return text.translate(_NO_WORD_ASCII).split() if text.isascii() else _WORD.findall(text)


def _address(message: Message, place: Place | None) -> str:
    """As it was stated; of a form or a row, that of the sender where no other was."""
    if place is not None and place.words and place.source != "text":
        return place.words
    return (message.sender.address or "") if message.conversation == message.native_id else ""


def _compared(text: list[str], address: list[str]) -> ComparedWords:
    whole, names, matter, numbers = _by_kind(text)
    _, own, _, numbers_there = _by_kind(address)
    behind = (word for words in (text, address) for before, word in pairwise(words) if before in _STREET)
    streets = {name for word in behind if (name := _word(word).name) is not None}
    points = points_of(text).union(landmarks_of(text, lambda word: _word(word).name))
    kinds = (names | own, streets, matter, numbers | numbers_there, own, whole, points)
    return ComparedWords(len(text), *(_few(kind) for kind in kinds))


class _Word(NamedTuple):
    """What a word counts as: hashes, None for what it is not."""

    whole: int
    name: int | None
    matter: int | None
    number: int | None


@lru_cache(maxsize=1 << 16)
def _word(word: str) -> _Word:
    is_number, is_common = word.isdigit(), word in common_words()
    return _Word(
        whole=_hash(word),
        name=_hash(word[:7]) if len(word) > 2 and not is_common and not is_number else None,
        matter=_hash(word[:5]) if len(word) > 2 and is_common else None,
        number=_hash(word.lstrip("0") or "0") if is_number else None,
    )


def _by_kind(words: Iterable[str]) -> list[set[int]]:
    """The fields of `_Word`, each of all words."""
    columns = zip(*map(_word, set(words)), strict=True)
    return [{one for one in column if one is not None} for column in columns] or [set() for _ in _Word._fields]


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
        found |= dict.fromkeys(sorted({word[:7] for word in set(words) if _word(word).name is not None}, key=_hash))
    names = list(found)[:KEYS]
    yield from (_short_key(region, name) for name in names)
    if len(names) < PAIRS:
        matter = sorted({word[:5] for word in set(text) if len(word) > 3 and word in common_words()}, key=_hash)
        yield from (_short_key(region, *pair) for pair in _pairs(tuple(matter[:12]), PAIRS - len(names)))


def _text_keys(text: list[str], place: Place | None) -> Iterator[int]:
    """Of the whole text; of a short one, which many send, with its village too."""
    yield _key("text", *text)
    code = place.code if place else None
    if len(text) < WHOLE_TEXT and code and len(code) >= _VILLAGE:
        yield _key("text", code, *text)


@lru_cache(maxsize=1 << 12)
def _pairs(words: tuple[str, ...], most: int) -> list[tuple[str, str]]:
    """Of the words, in the order of their hashes; the same complaint is often made with the same words."""
    return nsmallest(most, combinations(sorted(words), 2), key=lambda pair: crc32("".join(pair).encode()))


def _key(*words: str) -> int:
    """63 bits."""
    return int.from_bytes(blake2b(" ".join(words).encode(), digest_size=8).digest()) >> 1


_short_key = lru_cache(maxsize=1 << 16)(_key)
"""Of names and pairs of words, which come again and again."""


def pack(words: ComparedWords) -> bytes:
    """Sizes and hashes, four bytes each."""
    kinds = words[1:]
    return array("I", [words.length, *map(len, kinds), *chain.from_iterable(map(sorted, kinds))]).tobytes()


def unpack(packed: bytes) -> ComparedWords:
    """What `pack` made."""
    length, *rest = array("I", packed)
    start, kinds = _KINDS, []
    for size in rest[:_KINDS]:
        kinds.append(frozenset(rest[start : start + size]))
        start += size
    return ComparedWords(length, *kinds)

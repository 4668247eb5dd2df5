"""What reports are compared by: the keys under which alike ones are found, and the words of each as small hashes.

Words that most reports share (`models/data/common_words.txt`) say what it is about; all other words are taken for
names: streets, wards, people, brands. Names are rare, so they make the keys. Nothing here counts or learns: the keys of
a report follow from the report alone, and can be made again to delete them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Set
from functools import cache, lru_cache
from hashlib import blake2b
from heapq import nsmallest
from itertools import accumulate, chain, combinations, pairwise
from pathlib import Path
from typing import Any, NamedTuple
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
_NO_WORD, _SHORT_WORD = 2, 3
"""Letters, at most."""
_STEM, _COMMON_STEM = 7, 5
"""Letters of a name, and of a common word, that count."""
_PAIRED = 12
"""Common words of which pairs are made."""
_LONGEST = 4000
"""Characters that are looked at."""
MOST_WORDS = 48
"""Words of one kind that are remembered, at most."""
_KINDS = 7
"""Of words that are remembered."""
_REMEMBERED = 4096
"""Reports whose words are at hand."""
_WORDS_REMEMBERED = 1 << 16
_WORD = re.compile(r"[^\W_]+")
_WORDS_ASCII = bytes(ord(chr(code).lower()) if chr(code).isalnum() else ord(" ") for code in range(128)).ljust(256)
"""To `bytes.translate`: letters and digits in one case, blanks for all else."""
_STREET_WORDS = (
    "jl jln jalan gg gang kampung kp dusun dukuh desa ds kelurahan kel kecamatan kec perum perumahan komplek"
)
_STREET = frozenset(_STREET_WORDS.split())
_NO_REPORTS = REFERRING_KINDS | {"sticker", "system", "contact"}
_REGENCY, _VILLAGE = 5, 13
"""Characters of their codes."""

_NONE = frozenset([None])
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


@cache
def everyday_words() -> Hashes:
    """Words that are no place's name, though the likeness takes them for names, as it learned to: by their stems."""
    text = Path(__file__).with_name("models").joinpath("data", "everyday_words.txt").read_text("utf-8")
    return frozenset(word_hash(word[:_STEM]) for word in text.split())


def profile_of(message: Message, place: Place | None) -> Profile | None:
    """None: it is not compared with others (no report, hardly any words, an anonymous or secret report: nothing shows
    that it is there)."""
    if message.anonymous or message.secret or message.refusal or message.command or message.kind in _NO_REPORTS:
        return None
    body = f"{message.title} {message.clean_text}" if message.title else message.clean_text
    stated = _address(message, place)
    text, address = _TextWords(_split(body)), _TextWords(_split(stated)) if stated else _NO_WORDS
    region = frozenset(_split(place.name)) if place and place.name else _NO_REGION
    words = _compared(text, address, region)
    if len(words.names) + len(words.matter) + len(words.numbers) < _FEW:
        return None
    category = message.category
    return Profile(
        at=max(0, int(min(message.received_at, message.sent_at or message.received_at).timestamp())),
        keys=tuple(_keys(text, address, place)),
        text_keys=tuple(_text_keys(text.words, place)),
        words=pack(words),
        place=place.code if place and place.source != "owner" else None,
        lat=place.lat if place else None,
        lon=place.lon if place else None,
        category=(category.top or category.id) if category else None,
    )


def _split(text: str) -> list[str]:
    text = text[:_LONGEST]
    if text.isascii():
        return text.encode().translate(_WORDS_ASCII).decode().split()
    return _WORD.findall(text.casefold())


def _address(message: Message, place: Place | None) -> str:
    """As it was stated; of a form or a row, that of the sender where no other was."""
    if place is not None and place.words and place.source != "text":
        return place.words
    return (message.sender.address or "") if message.conversation == message.native_id else ""


class _TextWords:
    """The words of a text, and which of them count as what."""

    __slots__ = ("common", "distinct", "names", "numbers", "rare", "words")

    def __init__(self, words: list[str]) -> None:
        self.words, self.distinct = words, set(words)
        self.common = self.distinct & common_words()
        self.rare = self.distinct - self.common
        self.numbers = set(filter(str.isdigit, self.rare))
        self.names = {word[:_STEM] for word in self.rare - self.numbers if len(word) > _NO_WORD}


_NO_WORDS = _TextWords([])


_NO_REGION: Set[str] = frozenset()


def _compared(text: _TextWords, address: _TextWords, region: Set[str]) -> ComparedWords:
    """`region`: words of the name of its place, which are no landmark's: "depan apotek Depok"."""
    landmarks = landmarks_of(text.words, text.distinct, lambda word: None if word in region else _name(word))
    own = set(map(word_hash, address.names))
    parts = [part for part in (text, address) if not _STREET.isdisjoint(part.distinct)]
    behind = {word for part in parts for before, word in pairwise(part.words) if before in _STREET}
    kinds: tuple[set[Any], ...] = (
        own.union(map(word_hash, text.names)),
        set(map(_name, behind)) - _NONE,
        set(map(_matter_hashes().__getitem__, text.common)) - _NONE,
        {word_hash(word.lstrip("0") or "0") for word in text.numbers | address.numbers},
        own,
        set(map(word_hash, text.distinct)),
        points_of(text.words, text.distinct, text.rare).union(landmarks),
    )
    return ComparedWords(len(text.words), *map(_few, kinds))


@cache
def _matter_hashes() -> dict[str, int | None]:
    """By common word; None where it is too short to count."""
    return {word: word_hash(word[:_COMMON_STEM]) if len(word) > _NO_WORD else None for word in common_words()}


@cache
def matter_of(words: str) -> Hashes:
    """These words as `ComparedWords.matter` holds them."""
    known = common_words().intersection(words.split())
    return frozenset(hashed for word in known if (hashed := _matter_hashes()[word]) is not None)


@lru_cache(maxsize=1 << 16)
def _name(word: str) -> int | None:
    """The hash of a word that is a name."""
    is_none = len(word) <= _NO_WORD or word in common_words() or word.isdigit()
    return None if is_none else word_hash(word[:_STEM])


def names_behind(text: str, before: Set[str]) -> set[int]:
    """Of a text: the names among the two words behind one of these, hashed as `ComparedWords.names` are."""
    words = _split(text)
    behind = (word for at, word in enumerate(words) if word in before for word in words[at + 1 : at + 3])
    return {name for word in behind if (name := _name(word)) is not None}


def _few(hashes: set[Any]) -> Hashes:
    return frozenset(hashes if len(hashes) <= MOST_WORDS else sorted(hashes)[:MOST_WORDS])


class _Hashes(dict[str, int]):
    """By word; the last thousands are remembered, in a third of the time of an LRU cache."""

    def __missing__(self, word: str) -> int:
        if len(self) >= _WORDS_REMEMBERED:
            self.clear()
        self[word] = hashed = crc32(word.encode())
        return hashed


word_hash = _Hashes().__getitem__


def _keys(text: _TextWords, address: _TextWords, place: Place | None) -> Iterator[int]:
    """Names, those of the address before others; then pairs of other words."""
    region = place.code[:_REGENCY] if place and place.code else "-"
    names = sorted(address.names, key=word_hash) + sorted(text.names - address.names, key=word_hash)
    yield from (_short_key(region, name) for name in names[:KEYS])
    if len(names) < PAIRS:
        common = {word[:_COMMON_STEM] for word in text.common if len(word) > _SHORT_WORD}
        matter = sorted(common, key=word_hash)[:_PAIRED]
        yield from (_short_key(region, *pair) for pair in _pairs(tuple(matter), PAIRS - len(names)))


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
    packed = array("I", [words.length, *map(len, kinds), *chain.from_iterable(map(sorted, kinds))]).tobytes()
    _remember(packed, words)
    return packed


def unpack(packed: bytes) -> ComparedWords:
    """What `pack` made. The last ones are remembered."""
    if (known := _unpacked.get(packed)) is not None:
        return known
    numbers = memoryview(packed).cast("I").tolist()
    ends = accumulate(numbers[1 : 1 + _KINDS], initial=1 + _KINDS)
    words = ComparedWords(numbers[0], *(frozenset(numbers[start:end]) for start, end in pairwise(ends)))
    _remember(packed, words)
    return words


_unpacked: dict[bytes, ComparedWords] = {}


def _remember(packed: bytes, words: ComparedWords) -> None:
    if len(_unpacked) >= _REMEMBERED:
        _unpacked.clear()
    _unpacked[packed] = words

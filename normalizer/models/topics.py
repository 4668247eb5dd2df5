"""Categories and manners by word lists: what a classifier knows before anything was learned, and some of its features
afterwards."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from normalizer.knowledge.remembered import Remembered
from schemas import Category

_WORD = re.compile(r"[^\W_]+")
_SHORTEST = 3
"""Letters, at least, of a beginning that ends in `*`."""
_LENGTH = 2500
"""Characters that are looked at."""
Entries = Sequence[tuple[int, float]]
"""Numbers of topics, and what the word counts for each."""


class Topic(NamedTuple):
    """A category and its place in the tree; or a class or sort."""

    id: str
    name: str
    top: str


class TopicScore(NamedTuple):
    """How much of a text speaks for a topic."""

    topic: Topic
    score: float


class TextScores(NamedTuple):
    """How much of a text speaks for each category, by its number, and for each class and sort, by its name."""

    categories: dict[int, float]
    manners: dict[str, float]


class ListedWord(NamedTuple):
    """A word that stands in a list, or is one of a pair that does."""

    word: str
    entries: Entries
    beginnings: tuple[str, ...]
    """Listed beginnings of it."""
    pairs: re.Pattern[str] | None
    """Finds it with another word of a pair behind it."""


class WordLists:
    """The lists of all rows together, so that a text is gone through once."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.topics = [Topic(row["id"], row.get("name", row["id"]), row.get("top", row["id"])) for row in rows]
        self._words: dict[str, Entries] = {}
        self._seconds: dict[str, dict[str, Entries]] = {}
        self._beginnings: dict[str, Entries] = {}
        for n, row in enumerate(rows):
            for entry in row["words"].split():
                self._add(n, *_entry(entry))
        self._starts = {beginning[:_SHORTEST] for beginning in self._beginnings}
        self._behind = {second for seconds in self._seconds.values() for second in seconds}
        self._lengths = sorted({len(beginning) for beginning in self._beginnings})
        self._listed = Remembered(self._listed_words)

    def _add(self, topic: int, words: str, weight: float) -> None:
        first, _, second = words.partition("_")
        if words.endswith("*"):
            table, words = self._beginnings, words[:-1]
        elif second:
            table, words = self._seconds.setdefault(first, {}), second
        else:
            table = self._words
        table[words] = (*table.get(words, ()), (topic, weight))

    def scores(self, text: str) -> dict[int, float]:
        """Score by number of topic; each word counts once."""
        lower = text[:_LENGTH].lower()
        words = {one.word: one for listed in self._listed.of(set(lower.split())) for one in listed}
        scores: dict[int, float] = {}
        beginnings: set[str] = set()
        for word, entries, begun, pairs in words.values():
            if entries:
                _count(entries, scores)
            if begun:
                beginnings.update(begun)
            if pairs and not words.keys().isdisjoint(self._seconds[word]):
                for second in set(pairs.findall(lower)):
                    _count(self._seconds[word][second], scores)
        for beginning in beginnings:
            _count(self._beginnings[beginning], scores)
        return scores

    def _listed_words(self, piece: str) -> Sequence[ListedWord]:
        """Of what stands between two blanks."""
        return tuple(one for word in _WORD.findall(piece) if (one := self._listed_word(word)))

    def _listed_word(self, word: str) -> ListedWord | None:
        beginnings, entries = self._beginnings_of(word), self._words.get(word, ())
        pairs = _pairs(word, "|".join(self._seconds[word])) if word in self._seconds else None
        known = beginnings or entries or pairs or word in self._behind
        return ListedWord(word, entries, beginnings, pairs) if known else None

    def _beginnings_of(self, word: str) -> tuple[str, ...]:
        if word[:_SHORTEST] not in self._starts:
            return ()
        return tuple({word[:length] for length in self._lengths} & self._beginnings.keys())


def _count(entries: Entries, scores: dict[int, float]) -> None:
    for topic, weight in entries:
        scores[topic] = scores.get(topic, 0.0) + weight


@cache
def _pairs(first: str, seconds: str) -> re.Pattern[str]:
    """Finds the second words with the first before them, and signs and blanks between. A pattern that begins with a
    word is searched for in a third of the time."""
    return re.compile(rf"{first}(?<![^\W_]{first})(?=[\W_]+({seconds})(?![^\W_]))")


def _entry(entry: str) -> tuple[str, float]:
    words, _, weight = entry.rpartition(":")
    return (words, float(weight)) if words else (weight, 1.0)


@cache
def _rows(name: str) -> Sequence[Mapping[str, Any]]:
    """Of a file that ships with the code."""
    text = Path(__file__).with_name("data").joinpath(name).read_text("utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["topic"]
    return rows


@cache
def _lists() -> WordLists:
    """Those that ship: categories, then classes and sorts."""
    return WordLists([*_rows("topics.toml"), *_rows("manner.toml")])


@cache
def categories() -> Sequence[Topic]:
    """The categories that the lists know."""
    return _lists().topics[: len(_rows("topics.toml"))]


def scores_of(text: str) -> TextScores:
    """By the lists that ship."""
    lists, number = _lists(), len(categories())
    found = lists.scores(text)
    return TextScores(
        {n: score for n, score in found.items() if n < number},
        {lists.topics[n].id: score for n, score in found.items() if n >= number},
    )


def ranked_topics(scores: Mapping[int, float]) -> list[TopicScore]:
    """The best topic of each top category, best category first. A category has the score of all its topics."""
    topics = categories()
    by_top: dict[str, list[tuple[float, int]]] = {}
    for n, score in scores.items():
        by_top.setdefault(topics[n].top, []).append((score, -n))
    ranked = sorted(((sum(s for s, _ in found), max(found)) for found in by_top.values()), reverse=True)
    return [TopicScore(topics[-n], score) for score, (_, n) in ranked]


def category_of(topic: Topic, p: float | None = None) -> Category:
    """The category as an event carries it."""
    return Category(id=topic.id, name=topic.name, top=topic.top, p=p)

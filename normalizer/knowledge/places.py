"""Candidates for where it happened, of all regions that a text names, each with a probability.

Each mention speaks for the regions that it may mean and for those inside them; the region for which most is said is the
likeliest. Where two have as much, what holds both is taken, or nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp
from typing import NamedTuple

from normalizer.knowledge.gazetteer import DISTRICT, LEVELS, PROVINCE, REGENCY, VILLAGE, Gazetteer, dotted
from normalizer.knowledge.learned_places import NOTHING, LearnedPlaces
from normalizer.knowledge.mention_kinds import MentionKind
from normalizer.knowledge.mentions import Finder, Mention
from normalizer.knowledge.named_regencies import named_regencies
from normalizer.knowledge.tokens import Words
from schemas import Place

_MOST = 3
"""Candidates handed on."""
_SCOPES = 6
"""Regencies in whose names bare words are looked up."""
_OWNER = 1.5
_AGAIN, _REPEATS = 0.3, 3
"""For a name that comes again."""
_TIE = 0.05
_SAME = 0.25
_FIRST = 0.1
"""For the name that comes first."""
_UPPER = 0.3
"""For a district over the ward of the same name."""


class Part(NamedTuple):
    """A piece of what a citizen wrote, and how much it counts."""

    text: str
    weight: float = 1.0


class Weighed(NamedTuple):
    """A mention, what it weighs, and its words."""

    mention: Mention
    weight: float
    words: str


class Scored(NamedTuple):
    """A region, what is said for it, and by which words."""

    code: str
    score: float
    support: tuple[Weighed, ...]
    rival: float = 0.0
    """What is said for the best region that excludes it."""


def find_places(known: Gazetteer, parts: Sequence[Part], owner: str, learned: LearnedPlaces = NOTHING) -> list[Place]:
    """Candidates, likeliest first; none where no region is named. `owner`: a region's code, or an office."""
    home = owner.replace(".", "") if owner[:2].isdigit() else ""
    weighed = _mentions(known, parts, home, learned)
    if not weighed:
        return []
    return [_place(known, scored, home) for scored in _ranked(weighed, home)[:_MOST]]


def _mentions(known: Gazetteer, parts: Sequence[Part], home: str, learned: LearnedPlaces) -> list[Weighed]:
    tokens = [Words(part.text) for part in parts]
    named = {code for words in tokens for code in named_regencies(known, words)}
    regions = [home[:REGENCY]] if len(home) >= REGENCY else []
    regions += sorted(code for code in named - set(regions))[:_SCOPES]
    found = [
        Weighed(mention, mention.weight * part.weight, part.text[mention.start : mention.end])
        for part, words in zip(parts, tokens, strict=True)
        for mention in Finder(known, words, regions, learned, home).mentions()
    ]
    names = {one.mention.name for one in found}
    if len(names) > 1:
        found = [one for one in found if not _shortened(one.mention.name, names)]
    return [found[0]._replace(weight=found[0].weight + _FIRST), *found[1:]] if found else []


def _shortened(name: str, names: set[str]) -> bool:
    """ "Rungkut", where the text names Rungkut Menanggal."""
    return any(name in other and other != name for other in names)


def _ranked(weighed: Sequence[Weighed], home: str) -> list[Scored]:
    codes = {code for one in weighed for code in one.mention.codes}
    scored = [_scored(code, weighed, home) for code in codes]
    scored.sort(key=lambda one: (-one.score, one.code))
    best = _settled(scored, weighed, home)
    if best is None:  # equal names: left to whoever knows more of the citizen
        equal = [one._replace(rival=one.score) for one in scored if one.score > scored[0].score - _TIE]
        return equal if len(equal) <= _MOST else []
    others = [one for one in scored if one.code != best.code and _apart(one.code, best.code)]
    return [
        best._replace(rival=others[0].score if others else 0.0),
        *(one._replace(rival=best.score) for one in others),
    ]


def _scored(code: str, weighed: Sequence[Weighed], home: str) -> Scored:
    seen: dict[tuple[str, ...], Weighed] = {}
    again = 0
    for one in weighed:
        if any(code.startswith(region) for region in one.mention.codes):
            key = (*one.mention.codes, one.mention.name if one.mention.kind is MentionKind.LEARNED else "")
            known = seen.get(key)
            again += known is not None
            if known is None or known.weight < one.weight:
                seen[key] = one
    score = _log_odds(seen.values()) + min(again, _REPEATS) * _AGAIN
    if home and (code.startswith(home) or home.startswith(code)):
        score += _OWNER
    if len(code) == DISTRICT:
        score += _UPPER
    return Scored(code, score, tuple(seen.values()))


def _log_odds(support: Iterable[Weighed]) -> float:
    """Learned phrases of one region mostly say the same thing: the strongest counts, the others a little."""
    taught = sorted((one.weight for one in support if one.mention.kind is MentionKind.LEARNED), reverse=True)
    return sum(one.weight for one in support if one.mention.kind is not MentionKind.LEARNED) + sum(
        weight if n == 0 else weight * _SAME for n, weight in enumerate(taught)
    )


def _settled(scored: Sequence[Scored], weighed: Sequence[Weighed], home: str) -> Scored | None:
    """The best; of several with as much, the region that holds them all, where there is one below the province."""
    best = scored[0]
    tied = [one.code for one in scored if one.score > best.score - _TIE]
    if len(tied) == 1:
        return best
    common = _common(tied)
    if len(common) <= PROVINCE:
        return None
    support = [one for one in weighed if any(code.startswith(common) for code in one.mention.codes)]
    return Scored(common, best.score, tuple(support))


def _common(codes: Iterable[str]) -> str:
    first, *others = codes
    levels = (VILLAGE, DISTRICT, REGENCY, PROVINCE)
    return next((first[:n] for n in levels if all(other[:n] == first[:n] for other in others)), "")


def _apart(one: str, other: str) -> bool:
    return not one.startswith(other) and not other.startswith(one)


def _place(known: Gazetteer, scored: Scored, home: str) -> Place:
    words = ", ".join(dict.fromkeys(one.words for one in scored.support))
    return Place(
        code=dotted(scored.code), level=LEVELS[len(scored.code)], name=known.name(scored.code), words=words,
        source="text", p=_probability(scored, home), evidence=f"names: {words}",
    )  # fmt: skip


def _probability(scored: Scored, home: str) -> float:
    """Of the log odds: what is said for the region, and how much more than for its rival."""
    counted = [one for one in scored.support if len(one.mention.codes[0]) > REGENCY or len(scored.code) <= REGENCY]
    odds = _log_odds(counted)
    if len(scored.code) == DISTRICT or any(len(one.mention.codes) > 1 for one in scored.support):
        odds += _UPPER
    apart = _sigmoid(scored.score - scored.rival) if scored.rival else 1.0
    return round(_sigmoid(odds) * apart, 2)


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value))

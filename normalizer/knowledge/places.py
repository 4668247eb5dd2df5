"""Candidates for where it happened, of all regions that a text names, each with a probability.

Each mention speaks for the regions that it may mean and for those inside them; the region for which most is said is the
likeliest. Where two have as much, what holds both is taken, or nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import exp
from typing import NamedTuple

from msgspec.structs import replace

from normalizer.knowledge.districts import District, Weighed, likely_districts, most_exact
from normalizer.knowledge.gazetteer import DISTRICT, LEVELS, PROVINCE, REGENCY, VILLAGE, Gazetteer, dotted
from normalizer.knowledge.learned_places import NO_WORDS, NOTHING, LearnedPlaces, Taught
from normalizer.knowledge.mentions import Finder, Scope, beginnings_near, scope_of
from normalizer.knowledge.named_pairs import paired_regencies
from normalizer.knowledge.named_regencies import named_regencies
from normalizer.knowledge.tokens import Words
from schemas import Place

_MOST = 3
"""Candidates handed on."""
_SCOPES = 6
"""Regencies in whose names bare words are looked up."""
_MENTIONS = 100
"""Of a part that are weighed, so that a text of nothing but names costs no more than its letters."""
_OWNER = 1.5
_AGAIN, _REPEATS = 0.3, 3
"""For a name that comes again."""
_TIE = 0.05
LIKELY = 0.4
"""Probability below which even the best region is not named."""
LEAST = 0.05
"""Probability below which another candidate is left out."""
_BELOW = 0.01
"""How much less another region is said than the one that was chosen before it."""
_NO_TEXT = Words("")
_FIRST = 0.1
"""For the name that comes first."""
_UPPER = 0.3
"""For a district over the ward of the same name."""


class Part(NamedTuple):
    """A piece of what a citizen wrote."""

    text: str
    is_address: bool = False


class Unplaced(NamedTuple):
    """What a citizen wrote, and the code of the account's region; empty where it has none."""

    parts: Sequence[Part]
    tokens: Sequence[Words]
    """The words of each part."""
    home: str

    @property
    def regency(self) -> str:
        """Empty where the account has none."""
        return self.home[:REGENCY] if len(self.home) >= REGENCY else ""

    @classmethod
    def of(cls, text: str, owner: str, address: str = "") -> Unplaced:
        """`owner`: a region's code, or an office."""
        parts = [Part(part, is_address) for part, is_address in ((text, False), (address, True)) if part]
        home = owner.replace(".", "") if owner[:2].isdigit() else ""
        return cls(parts, [Words(part.text) for part in parts], home)


class Scored(NamedTuple):
    """A region, what is said for it, and by which words."""

    code: str
    score: float
    support: tuple[Weighed, ...]
    rival: float = 0.0
    """What is said for the best region that excludes it."""


def find_places(known: Gazetteer, asked: Sequence[Unplaced], learned: LearnedPlaces = NOTHING) -> list[list[Place]]:
    """Candidates for each, likeliest first; none where no region is named.

    Each step is taken for all of them, so that its tables stay near the processor.
    """
    weighed = mentions_in(known, asked)
    taught = [_taught(one, learned) for one in asked] if learned.phrases else [NO_WORDS] * len(asked)
    ranked = [_ranked(found, one.home) if found else [] for one, found in zip(asked, weighed, strict=True)]
    rows = zip(asked, weighed, taught, ranked, strict=True)
    return [_places(known, one.home, found, t, r) if found or t.margins else [] for one, found, t, r in rows]


def _places(
    known: Gazetteer, home: str, weighed: Sequence[Weighed], taught: Taught, ranked: list[Scored]
) -> list[Place]:
    """Of what was found in the words of one message."""
    region = _regency(ranked, home)
    districts = likely_districts(weighed, region, home, taught.margins) if region else []
    found = _Found(districts, [one for one in ranked if _apart(one.code, region)], weighed, taught)
    apart = _sigmoid(ranked[0].score - found.outside[0].score) if found.outside else 1.0
    if districts and _in_doubt(districts, apart) and (regencies := _regencies(ranked, weighed, home)):
        ranked = regencies
    elif districts:
        return _district_places(known, found, apart)
    return [_place(known, scored) for scored in ranked[:_MOST]]


def mentions_in(known: Gazetteer, asked: Sequence[Unplaced]) -> list[list[Weighed]]:
    """Names of regions in what each wrote."""
    places = [[words.places(beginnings_near(known, one.regency)) for words in one.tokens] for one in asked]
    scopes = [_scope(known, one, at) for one, at in zip(asked, places, strict=True)]
    return [_mentions(*row) for row in zip(asked, places, scopes, strict=True)]


def _scope(known: Gazetteer, one: Unplaced, places: Sequence[Sequence[int]]) -> Scope:
    named = {code for words, at in zip(one.tokens, places, strict=True) for code in named_regencies(known, words, at)}
    if not (named or one.regency):
        named = set().union(*(paired_regencies(known, words) for words in one.tokens))
    regions: tuple[str, ...] = (one.regency,) if one.regency else ()
    if named:
        regions += tuple(sorted(named.difference(regions))[:_SCOPES])
    return scope_of(known, regions, one.home[:REGENCY])


def _mentions(one: Unplaced, places: Sequence[Sequence[int]], scope: Scope) -> list[Weighed]:
    found = [
        (mention, part)
        for part, words, at in zip(one.parts, one.tokens, places, strict=True)
        if at or len(scope.beginnings) > 1
        for mention in Finder(scope, words, at).mentions()[:_MENTIONS]
    ]
    if len(found) > 1 and len(names := {mention.name for mention, _ in found}) > 1:
        found = [row for row in found if not _shortened(row[0].name, names)]
    first = next((n for n, (mention, _) in enumerate(found) if len(mention.codes[0]) >= DISTRICT), 0)
    return [
        Weighed(m, m.weight if n else m.weight + _FIRST, part.text[m.start : m.end], part.is_address, n == first)
        for n, (m, part) in enumerate(found)
    ]


def _taught(one: Unplaced, learned: LearnedPlaces) -> Taught:
    by_kind = {part.is_address: words for part, words in zip(one.parts, one.tokens, strict=True)}
    return learned.taught(by_kind.get(False, _NO_TEXT), by_kind.get(True))


def _regency(ranked: Sequence[Scored], home: str) -> str:
    """In whose districts to look; empty where that is open."""
    if not ranked or home.startswith(ranked[0].code):
        return home[:REGENCY] if len(home) >= REGENCY else ""
    equal = len(ranked) > 1 and ranked[0].rival == ranked[0].score
    return "" if equal or len(ranked[0].code) < REGENCY else ranked[0].code[:REGENCY]


def _regencies(ranked: list[Scored], weighed: Sequence[Weighed], home: str) -> list[Scored]:
    """The regency that holds equal names; else those that are named, whatever districts are."""
    if not ranked or len(ranked[0].code) <= REGENCY:
        return ranked
    named = [one for one in weighed if len(one.mention.codes[0]) <= REGENCY]
    return _ranked(named, home) if named else []


def _in_doubt(districts: Sequence[District], apart: float) -> bool:
    return districts[0].p * apart < LIKELY or (len(districts) > 1 and districts[0].score - districts[1].score < _TIE)


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
        if code.startswith(one.mention.codes):
            known = seen.get(one.mention.codes)
            again += known is not None
            if known is None or known.weight < one.weight:
                seen[one.mention.codes] = one
    score = _log_odds(seen.values()) + min(again, _REPEATS) * _AGAIN
    if home and (code.startswith(home) or home.startswith(code)):
        score += _OWNER
    if len(code) == DISTRICT:
        score += _UPPER
    return Scored(code, score, tuple(seen.values()))


def _log_odds(support: Iterable[Weighed]) -> float:
    return sum(one.weight for one in support)


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


def _place(known: Gazetteer, scored: Scored) -> Place:
    words = ", ".join(dict.fromkeys(one.words for one in scored.support))
    return Place(
        code=dotted(scored.code), level=LEVELS[len(scored.code)], name=known.name(scored.code), words=words,
        source="text", p=_probability(scored), evidence=f"names: {words}",
    )  # fmt: skip


def _probability(scored: Scored) -> float:
    """Of the log odds: what is said for the region, and how much more than for its rival."""
    odds = _log_odds(scored.support)
    if any(len(one.mention.codes) > 1 for one in scored.support):
        odds += _UPPER
    apart = _sigmoid(scored.score - scored.rival) if scored.rival else 1.0
    return round(_sigmoid(odds) * apart, 2)


class _Found(NamedTuple):
    """What is known of one message."""

    districts: Sequence[District]
    outside: Sequence[Scored]
    """Regions outside the regency that the districts are of."""
    weighed: Sequence[Weighed]
    taught: Taught


def _district_places(known: Gazetteer, found: _Found, apart: float) -> list[Place]:
    """`apart`: the probability of their regency among others."""
    likely = [found.districts[0], *(one for one in found.districts[1:_MOST] if one.p * apart >= LEAST)]
    places = [_district_place(known, one, apart, found) for one in likely]
    least = (places[0].p or 0.0) - _BELOW
    others = (_place(known, one) for one in found.outside[: _MOST - len(places)])
    return places + [replace(one, p=max(0.0, min(one.p or 0.0, least))) for one in others]


def _district_place(known: Gazetteer, district: District, apart: float, found: _Found) -> Place:
    code = most_exact(district)
    said = (one.words for one in found.weighed if code.startswith(one.mention.codes) or one in district.support)
    names, learned = ", ".join(dict.fromkeys(said)), ", ".join(found.taught.words_for(district.code))
    evidence = (f"{kind}: {words}" for kind, words in (("names", names), ("learned", learned)) if words)
    return Place(
        code=dotted(code), level=LEVELS[len(code)], name=known.name(code), words=names or learned,
        source="text", p=round(district.p * apart, 3), evidence="; ".join(evidence),
    )  # fmt: skip


def _sigmoid(value: float) -> float:
    return 1 / (1 + exp(-value))

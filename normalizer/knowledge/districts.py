"""Which district of a regency a message is about: by the names in it, and by what was learned of its other words.

What speaks for a district is a sum of log odds, and the probability is the district's part beside all others and
beside none of them. The weights were fitted together (`python -m bench.place_weights`): two names of one district say
more than either, and the kinds of mentions tell how far a street's name reaches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from math import exp
from typing import NamedTuple

from normalizer.knowledge.gazetteer import DISTRICT, VILLAGE
from normalizer.knowledge.mention_kinds import MentionKind
from normalizer.knowledge.mentions import Mention

WEIGHTS: Mapping[str, float] = {
    "LEVEL": 1.98, "CHAIN": 0.69, "CHAIN_LANE": 2.10, "LANE": 1.12, "MISSPELT": 1.0, "BARE": 0.63, "BARE_BEGUN": -0.64,
    "STREET": -0.14, "ORDINARY": -1.6, "FAR": -0.5, "ESTATE": -1.28,
    "text": -0.08, "again": 0.16, "first": 0.62, "two names": 1.48, "district": 0.26, "namesake": -1.0, "none": -1.07,
    "margin": 4.4, "learned alone": -1.5, "level, learned": 3.0, "none, learned": -1.9,
}  # fmt: skip
"""In capitals the kinds of mentions. `text`: not in the address. `none`: of no district that is named.
`namesake`: only by a ward that bears another district's name, set by judgement."""
_COLD_ONLY = frozenset(["namesake"])
"""What was learned knows better."""
_REPEATS = 3
_TIE = 0.05
_OWNER = 1.5
"""Where the account is a district's."""
_LEARNED = 3
"""Districts that are looked at for what was learned alone."""


class Weighed(NamedTuple):
    """A mention, what it weighs among regions, its words, and where they stand."""

    mention: Mention
    weight: float
    words: str
    in_address: bool = False
    is_first: bool = False
    """Of those that name a district or a ward."""


class District(NamedTuple):
    """Of a regency: its score, its probability, and the mentions that speak for it."""

    code: str
    score: float
    p: float
    support: Sequence[Weighed]


def likely_districts(found: Sequence[Weighed], region: str, home: str, margins: Mapping[str, float]) -> list[District]:
    """Districts of a region that are named or learned, the likeliest first. `home`: the account's region."""
    named = by_district(found, region)
    learned = {code: margin for code, margin in margins.items() if code.startswith(region)}
    left_out = _COLD_ONLY if learned else frozenset()
    scores = {code: _score(evidence(code, support), left_out) for code, support in named.items()}
    none = exp(WEIGHTS["none"])
    if learned:
        least, none = min(learned.values()), none * exp(WEIGHTS["none, learned"])
        scores = {code: score + _learned_score(named[code], learned.get(code, least)) for code, score in scores.items()}
        for code in sorted(learned, key=learned.__getitem__, reverse=True)[:_LEARNED]:
            scores.setdefault(code, WEIGHTS["margin"] * learned[code] + WEIGHTS["learned alone"])
    if len(home) >= DISTRICT and home[:DISTRICT] in scores:
        scores[home[:DISTRICT]] += _OWNER
    total = none + sum(map(exp, scores.values()))
    return [
        District(code, score, exp(score) / total, named.get(code, ()))
        for code, score in sorted(scores.items(), key=lambda one: (-one[1], one[0]))
    ]


def _learned_score(support: Sequence[Weighed], margin: float) -> float:
    level = any(one.mention.kind is MentionKind.LEVEL for one in support)
    return WEIGHTS["margin"] * margin + (WEIGHTS["level, learned"] if level else 0.0)


def by_district(found: Sequence[Weighed], region: str) -> dict[str, list[Weighed]]:
    """The mentions that may mean a district of the region, or a ward in it."""
    named: dict[str, list[Weighed]] = {}
    for one in found:
        districts = {code[:DISTRICT] for code in one.mention.codes if len(code) >= DISTRICT}
        for code in districts:
            if code.startswith(region):
                named.setdefault(code, []).append(one)
    return named


def evidence(code: str, support: Sequence[Weighed]) -> Iterator[str]:
    """What speaks for a district, by the names of the weights. Of a name that comes again the strongest counts."""
    strongest: dict[str, Weighed] = {}
    for one in support:
        known = strongest.get(one.mention.name)
        if known is None or _worth(known) < _worth(one):
            strongest[one.mention.name] = one
    for one in strongest.values():
        yield one.mention.kind.name
        if not one.in_address:
            yield "text"
    yield from ["again"] * min(len(support) - len(strongest), _REPEATS)
    if len(strongest) > 1:
        yield "two names"
    if any(one.is_first for one in support):
        yield "first"
    if own := _of_its_name(code, support):
        yield own


def _of_its_name(code: str, support: Sequence[Weighed]) -> str:
    """Is the district named itself, or a ward that bears another district's name? Else empty."""
    if any(code in one.mention.codes for one in support):
        return "district"
    return "namesake" if all(_is_namesake(code, one.mention) for one in support) else ""


def _is_namesake(code: str, mention: Mention) -> bool:
    return any(len(other) == DISTRICT and other != code for other in mention.codes)


def _worth(one: Weighed) -> float:
    return WEIGHTS[one.mention.kind.name] + (0.0 if one.in_address else WEIGHTS["text"])


def _score(found: Iterator[str], left_out: Set[str]) -> float:
    return sum(WEIGHTS[name] for name in found if name not in left_out)


def most_exact(district: District) -> str:
    """The ward for which most is said; the district where none is, or several have as much."""
    said: dict[str, dict[str, float]] = {}
    for one in district.support:
        if all(len(code) == VILLAGE for code in one.mention.codes):
            for code in one.mention.codes:
                if code.startswith(district.code):
                    names = said.setdefault(code, {})
                    names[one.mention.name] = max(one.weight, names.get(one.mention.name, 0.0))
    best, *others = sorted(((sum(names.values()), code) for code, names in said.items()), reverse=True) or [(0.0, "")]
    return best[1] if best[1] and not any(best[0] - other < _TIE for other, _ in others) else district.code

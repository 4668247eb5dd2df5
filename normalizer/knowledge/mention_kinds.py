"""How a name of a region stands in a text, by the words beside it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from enum import Enum
from typing import NamedTuple

from normalizer.knowledge.gazetteer import Gazetteer
from normalizer.knowledge.place_words import AFTER, BEFORE_ESTATES, CITY, ESTATES, LANE_SIGNS, LANES, ORDINARY, Marker
from normalizer.knowledge.tokens import Words


class MentionKind(Enum):
    """How a name stands in the text. The value weighs regions against each other, as log odds; districts of one regency
    have weights of their own (`districts.WEIGHTS`)."""

    LEVEL = 4.0
    """After a word for its level: "Kec. Coblong"."""
    CHAIN = 2.8
    """Before the name of its city: "Siwalankerto, Kota Surabaya"."""
    CHAIN_LANE = 2.81
    """The same after a lane: "Siwalankerto IX, Siwalankerto, Kota Surabaya"."""
    LANE = 2.7
    """Of a lane: "Petemon gang 5", "Kebonsari IV". Lanes lie in the ward that they are called after."""
    MISSPELT = 2.2
    BARE = 1.7
    BARE_BEGUN = 1.69
    """Before another word, which may make it a street's or a market's: "Keputran pasar"."""
    STREET = 1.2
    """After "Jl."."""
    ORDINARY = 0.8
    """An everyday word in small letters."""
    FAR = 1.19
    """After a word for its level, but outside the account's region and the regencies that the text names."""
    ESTATE = 0.4
    """Within a longer name: "Ngagel Jaya", "Darmo Permai", "Raya Kenjeran"; these reach far."""


STREETS = (MentionKind.LANE, MentionKind.STREET, MentionKind.ESTATE)
CHAINS = (MentionKind.CHAIN, MentionKind.CHAIN_LANE)
BARE = (MentionKind.BARE, MentionKind.BARE_BEGUN)
"""No sets: a member is its own equal, and its hash is taken in Python."""
_WITHIN_LINE = 8
"""Words before a ward among which a lane is looked for."""


class KindRules(NamedTuple):
    """Tells the kind of each mention of one text. `near`: names inside the first region, or the regions of its name;
    empty: none is known."""

    known: Gazetteer
    words: Words
    near: Sequence[Container[str]]

    def kind(self, at: int, taken: int, name: str, marker: Marker | None) -> MentionKind:
        if marker is not None and not marker.street:
            return MentionKind.LEVEL
        longer = self._within_longer(at, at + taken)
        if longer is not None and (longer is not MentionKind.STREET or marker or not self._everyday(at, taken, name)):
            return longer
        if marker is not None:
            return MentionKind.STREET
        if self._before_city(at + taken):
            return MentionKind.CHAIN_LANE if self._after_lane(at) else MentionKind.CHAIN
        if self._everyday(at, taken, name):
            return MentionKind.ORDINARY
        return MentionKind.BARE_BEGUN if self._before_word(at + taken) else MentionKind.BARE

    def _everyday(self, at: int, taken: int, name: str) -> bool:
        """Words that are no names unless they are written as one: "air hitam", and "Baru" behind "Depok"."""
        words = self.words
        if taken > 1:
            return not words.capital(at + 1) and ORDINARY.issuperset(words.words[at : at + taken])
        if words.capital(at):
            return name in ORDINARY and at > 0 and words.capital(at - 1) and not words.breaks(at)
        return name in ORDINARY or self._elsewhere(name)

    def _elsewhere(self, name: str) -> bool:
        """Is it the name of a ward or district of another region than the first?"""
        return bool(self.near) and name not in self.known.regencies and not any(name in names for names in self.near)

    def _within_longer(self, first: int, end: int) -> MentionKind | None:
        """Does a word of the same name stand beside it, or a number, as in a street's?"""
        words = self.words
        if first and words.words[first - 1] in BEFORE_ESTATES and not words.breaks(first):
            return MentionKind.ESTATE
        if end >= len(words) or words.breaks(end):
            return None
        after = words.words[end]
        if after in LANES:
            return MentionKind.LANE
        if after in ESTATES:
            return MentionKind.ESTATE
        if after[0].isdigit() or (words.capital(end) and after not in AFTER):
            return MentionKind.STREET
        return None

    def _before_word(self, at: int) -> bool:
        words = self.words
        return at < len(words) and words.words[at].isalpha() and not words.breaks(at)

    def _after_lane(self, at: int) -> bool:
        return not LANE_SIGNS.isdisjoint(self.words.words[max(0, at - _WITHIN_LINE) : at])

    def _before_city(self, at: int) -> bool:
        after = self.words.words[at : at + 2]
        return len(after) == 2 and after[0] in CITY and after[1] in self.known.regencies and self.words.breaks(at)

"""Which known reports a report is like: the same citizen's, others' of the same incident, or one text passed on.

Candidates share keys with it (`incidents_profile.py`), the model says how alike each is (`incidents_likeness.py`), and
places decide what a likeness means:

* the same citizen, proven, nearly the same words: the report is joined to the earlier one (`same_report`);
* others, alike and not from elsewhere: linked to the incident, and each keeps a number of its own (`same_incident`);
* the same text from elsewhere, or from many: marked (`chain`), and linked to nothing. The same few words are marked
  only where both places are stated and differ, and no incident is found.

A report that names no place is never linked: "lampu jalan mati" is true of many lamps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter

from normalizer.incidents_likeness import (
    NOT_KNOWN,
    SAME_DISTRICT,
    SAME_VILLAGE,
    is_far,
    likeness,
    place_relation,
)
from normalizer.incidents_points import (
    POINT_WORDS,
    Named,
    are_apart,
    are_at_other_houses,
    are_in_other_areas,
    are_of_other_persons,
    have_other_landmarks,
)
from normalizer.incidents_profile import MOST_WORDS, WHOLE_TEXT, ComparedWords, everyday_words, unpack
from normalizer.incidents_things import are_of_other_things, are_of_persons
from schemas import Match
from schemas.memory import Candidate, Known, Profile, sharing_most

WINDOW = 30 * 24 * 3600
"""Seconds between two reports of one incident, at most; twice as many where the words are the same, and many or
of one village, or where many of them are and all are surely alike."""
LONG_TEXT = 20
"""Different words that two texts share."""
SAME_LONG_TEXT = 0.6
"""Part of all their words that two such texts share, from which they are one text."""
ALIKE, SURELY_ALIKE, ALIKE_BY_NAMES = 0.6, 0.9, 0.3
"""Likeness from which two reports are one incident; where place or category speak against it; and where they share so
many names beside those of their addresses: the same matter in other words."""
MANY_NAMES = 4
SAME_REPORT = 0.8
FEW_WORDS = 0.5
"""Score of a mark on a text that is the same by chance, perhaps."""
MANY = 5
"""Senders of one text; more make it a chain."""
_ORDER = attrgetter("order")
_RELATIONS = {SAME_VILLAGE: "the same place", SAME_DISTRICT: "the same district", NOT_KNOWN: "no place against it"}


class Scored:
    """A candidate with how alike it is. `relation`: of the two places; `reference`: the higher, the newer."""

    __slots__ = ("_grounded", "_score", "candidate", "reference", "relation", "report", "words")

    def __init__(
        self, report: Profile, candidate: Candidate, reference: int, words: tuple[ComparedWords, ComparedWords]
    ) -> None:
        self.report, self.candidate, self.reference, self.words = report, candidate, reference, words
        self.relation = place_relation(report, candidate.profile)
        self._score: float | None = None
        self._grounded: bool | None = None

    @property
    def score(self) -> float:
        """The likeness, from 0 to 1. It is asked for last: most candidates are out for a simpler reason."""
        if self._score is None:
            self._score = likeness().of_reports(*self.words, self.relation)
        return self._score

    @property
    def order(self) -> tuple[bool, float, int]:
        """The likeliest first, of equal ones the oldest; those from elsewhere after all others."""
        return self.relation < NOT_KNOWN, -self.score, self.reference

    @property
    def same_words(self) -> bool:
        """Word by word, however few."""
        one, other = self.words
        return one.length == other.length and one.text == other.text

    @property
    def same_text(self) -> bool:
        """The same, and long enough to be no chance."""
        return self.words[0].length >= WHOLE_TEXT and self.same_words

    @property
    def elsewhere(self) -> bool:
        """Another place is stated: by code, or by an address that shares no name."""
        one, other = (words.address for words in self.words)
        if self.in_another_area:
            return True
        return self.relation < NOT_KNOWN or bool(self.relation == NOT_KNOWN and one and other and not one & other)

    @property
    def surely_elsewhere(self) -> bool:
        """Of equal texts, whose names and numbers differ by their addresses alone: other regions are stated beside one
        address, or other places are and most of the names differ, or each address says what the other does not and no
        name is the same."""
        one, other = self.words
        shared = one.address & other.address
        if self.elsewhere:
            same_address = (one.address, one.numbers) == (other.address, other.numbers)
            return same_address or 2 * len(shared) <= min(len(one.address), len(other.address))
        here, there = one.names | one.numbers, other.names | other.numbers
        return not shared and bool(here - there and there - here)

    @property
    def apart(self) -> bool:
        """Other houses, gangs or the like are named."""
        one, other = self.words
        return are_apart(one.points, other.points)

    @property
    def of_other_things(self) -> bool:
        """A lamp and a pavement; of texts whose words are all remembered."""
        one, other = (words.text for words in self.words)
        return max(len(one), len(other)) < MOST_WORDS and are_of_other_things(one, other)

    @property
    def of_another_person(self) -> bool:
        """Personal matters, with other identity numbers."""
        one, other = self.words
        return are_of_other_persons(one.points, other.points) and are_of_persons(one.text, other.text)

    @property
    def in_another_area(self) -> bool:
        """Other neighbourhoods are named, or points that were told apart."""
        one, other = self.words
        return are_in_other_areas(one.points, other.points)

    @property
    def at_another_point(self) -> bool:
        """Other landmarks are named, or other houses; one text that was sent for several houses of a street is one
        errand."""
        one, other = self.words
        if are_at_other_houses(one.points, other.points):
            return bool((one.text ^ other.text) - one.numbers - other.numbers - POINT_WORDS)
        return have_other_landmarks(Named(one.points, one.names), Named(other.points, other.names))

    @property
    def far_away(self) -> bool:
        """By the coordinates of both, which are not read from words."""
        return is_far(self.report, self.candidate.profile)

    @property
    def grounded(self) -> bool:
        """Something speaks for one place: a shared name, the same village, or a long text that is nearly the same."""
        if self._grounded is None:
            one, other = self.words
            shared = one.names & other.names
            named = not shared <= everyday_words()
            self._grounded = named or self.relation == SAME_VILLAGE or self.same_text
            if shared and not self._grounded:
                words = len(one.text & other.text)
                self._grounded = words >= LONG_TEXT and words >= SAME_LONG_TEXT * len(one.text | other.text)
        return self._grounded

    @property
    def in_time(self) -> bool:
        """Few enough days apart to be one incident."""
        apart = abs(self.report.at - self.candidate.profile.at)
        return apart <= WINDOW or (apart <= 2 * WINDOW and self._nearly_same)

    @property
    def _nearly_same(self) -> bool:
        one, other = self.words
        if one.text == other.text and (self.same_text or self.relation == SAME_VILLAGE):
            return True
        return len(one.text & other.text) >= LONG_TEXT and self.score >= SURELY_ALIKE

    @property
    def is_alike(self) -> bool:
        """Enough to be one incident."""
        categories = (self.report.category, self.candidate.profile.category)
        differ = None not in categories and categories[0] != categories[1]
        if self.relation < NOT_KNOWN or differ:
            return self.score >= SURELY_ALIKE
        return self.score >= ALIKE or (self.score >= ALIKE_BY_NAMES and self._share_many_names)

    @property
    def _share_many_names(self) -> bool:
        one, other = self.words
        return len(one.names & other.names) - len(one.address & other.address) >= MANY_NAMES

    @property
    def evidence(self) -> str:
        """What speaks for it, in numbers: never the words."""
        one, other = self.words
        shared = [
            (len(one.names & other.names), "names"),
            (len(one.matter & other.matter), "other words"),
            (len(one.numbers & other.numbers), "numbers"),
        ]
        days = abs(self.report.at - self.candidate.profile.at) // 86400
        words = "the same text" if self.same_text else ", ".join(f"{n} {what}" for n, what in shared if n) + " shared"
        place = _RELATIONS.get(self.relation, "another place nearby")
        return f"likeness {self.score:.2f}: {words}; {place}; {days} days apart"


def scored(report: Profile, known: Known) -> list[Scored]:
    """Of the candidates that share most with the report, those of which something speaks for one place or text."""
    own, found = unpack(report.words), []
    lists = [known.alike[pair] for pair in report.asked_under if pair in known.alike]
    for reference in sharing_most(Counter(chain.from_iterable(lists))):
        if (candidate := known.reports.get(reference)) is None:
            continue
        words = unpack(candidate.profile.words)
        if own.names.isdisjoint(words.names) and own.text != words.text and not _in_one_village(report, candidate):
            continue
        one = Scored(report, candidate, reference, (own, words))
        if one.grounded or one.same_words:
            found.append(one)
    return found


def _in_one_village(report: Profile, candidate: Candidate) -> bool:
    return place_relation(report, candidate.profile) == SAME_VILLAGE


def own_report(found: Iterable[Scored], identities: Iterable[str]) -> Scored | None:
    """An open report of the same citizen, of nearly the same words."""
    mine = set(identities)
    own = (one for one in found if not one.candidate.reporter.isdisjoint(mine) and _is_open(one))
    alike = (one for one in own if one.score >= SAME_REPORT and _may_be_own(one))
    return min(alike, key=_ORDER, default=None)


def _may_be_own(one: Scored) -> bool:
    return not (one.of_other_things or one.of_another_person or one.elsewhere or one.apart)


def match_of_others(found: Sequence[Scored], sender: str) -> Match | None:
    """Of a report that is recorded: what others reported before it."""
    if passed_on := _chain(found, sender):
        return passed_on
    open_ones = (one for one in found if _is_open(one) and not (one.of_other_things or one.in_another_area))
    likely = sorted((one for one in open_ones if one.is_alike), key=_ORDER)
    one = next((one for one in likely if _may_be_one(one, sender)), None)
    if one is None:
        return _few_words(found)
    if one.candidate.sender == sender:
        evidence = f"the same sender, not proven; {one.evidence}"
        return Match(kind="same_report", of=one.candidate.complaint, score=round(one.score / 2, 3), evidence=evidence)
    return Match(kind="same_incident", of=one.candidate.incident, score=round(one.score, 3), evidence=one.evidence)


def _may_be_one(one: Scored, sender: str) -> bool:
    """Do neither points nor persons or places speak against it?"""
    if one.of_another_person or one.at_another_point:
        return False
    return not one.apart if one.candidate.sender == sender else not (one.same_words and one.surely_elsewhere)


def _is_open(one: Scored) -> bool:
    return one.grounded and one.in_time and not one.candidate.closed and not one.far_away


def _chain(found: Sequence[Scored], sender: str) -> Match | None:
    same = [one for one in found if one.same_text]
    if not same:
        return None
    senders = {one.candidate.sender for one in same} | {sender}
    elsewhere = [one for one in same if one.elsewhere]
    if not elsewhere and len(senders) <= MANY:
        return None
    why = "from other places" if elsewhere else f"from more than {MANY} senders"
    return _chain_of(same, f"the same text {why}", 1.0)


def _few_words(found: Sequence[Scored]) -> Match | None:
    """Words as few as these are the same by chance: of what has no place, nothing is said."""
    same = [one for one in found if one.same_words and one.surely_elsewhere]
    return _chain_of(same, "the same few words from other places", FEW_WORDS) if same else None


def _chain_of(same: Sequence[Scored], evidence: str, score: float) -> Match:
    first = min(same, key=lambda one: one.reference).candidate
    return Match(kind="chain", of=first.complaint, score=score, evidence=evidence)

"""Candidates for a place are settled by the matcher: by the complaint's region, else the likeliest."""

from __future__ import annotations

import pytest

from normalizer import PlaceQuestion, match
from normalizer.place_words import PlaceWords
from schemas import NATION, Place
from tests.normalizer.stage import LAMP, ROAD, MemoryDouble, message, opened

OWNER = Place(code="32.73", source="owner")
BANDUNG = Place(code="32.73.01", source="text", words="Sukasari", p=0.3)
BOGOR = Place(code="32.71.05", source="text", words="Sukasari", p=0.6)
STATED = Place(code="32.73", source="keyword")
SURER = Place(code="32.73.01", source="text", words="Sukasari", p=0.8)
SHARED = Place(lat=-6.9, lon=107.6, source="shared")


@pytest.mark.parametrize(
    ("stated", "candidates", "place"),
    [
        (None, (BANDUNG, BOGOR), BOGOR),
        (OWNER, (BANDUNG, BOGOR), BOGOR),
        (Place(code="36.03", source="keyword"), (BANDUNG,), Place(code="36.03", source="keyword")),
        (STATED, (BANDUNG,), STATED),
        (STATED, (SURER,), SURER),
        (SHARED, (BANDUNG,), Place(code="32.73.01", words="Sukasari", p=0.3, lat=-6.9, lon=107.6, source="text")),
        (OWNER, (Place(words="Jl. Mawar", source="text"),), Place(code="32.73", words="Jl. Mawar", source="owner")),
        (None, (Place(words="Jl. Mawar", source="text"),), Place(words="Jl. Mawar", source="text")),
        (OWNER, (), OWNER),
    ],
)
def test_the_place_that_is_settled_on(stated: Place | None, candidates: tuple, place: Place) -> None:
    settled = opened(MemoryDouble(), place=stated, places=candidates)
    assert settled.message
    assert (settled.message.place, settled.message.places) == (place, ())


def test_the_region_of_the_complaint_decides_between_candidates() -> None:
    memory = MemoryDouble()
    opened(memory, place=Place(code="32.73", source="said"))
    (added,) = match([message("1", "di Sukasari", place=None, places=(BOGOR, BANDUNG), minutes=5)], memory)
    assert added.message
    assert added.message.place == BANDUNG


def test_a_decision_that_is_published_again_has_the_same_place() -> None:
    memory = MemoryDouble()
    report = message("0", ROAD, place=None, places=(BANDUNG, BOGOR))
    assert match([report], memory) == match([report], memory)


def test_a_place_in_the_words_is_not_asked_for() -> None:
    [(candidate,)] = PlaceWords().places([PlaceQuestion("Jalan berlubang di depan Puskesmas Cibiru Kota Bandung", "")])
    assert opened(MemoryDouble(), place=None, places=(candidate,)).missing == ()


def test_a_street_whose_region_nobody_knows_is_asked_for_where_the_account_is_the_nations() -> None:
    street, city = (Place(words="Jalan Melati", source="text", code=code) for code in (None, "32.73"))
    asked = [opened(MemoryDouble(), place=None, places=(one,), owner=NATION).missing for one in (street, city)]
    assert asked == [("place",), ()]
    stated = opened(MemoryDouble(), place=Place(words="Jalan Melati"), owner=NATION)
    assert stated.missing == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jalan berlubang di depan Puskesmas Cibiru Kota Bandung", "Puskesmas Cibiru Kota Bandung"),
        (LAMP, "gang mawar"),
        ("lampu mati di RT 03 RW 05 kelurahan sukamaju", "RT 03, RW 05, kelurahan sukamaju"),
        ("Jl. Melati 5 banjir", "Jl. Melati 5"),
        ("Lampu jalan di Jalan Melati 5 mati", "Jalan Melati 5"),
        ("lampu jalan di jalan kenanga mati, é", "jalan kenanga"),
        ("Jalan Pak Kasih rusak", "Jalan Pak Kasih"),
    ],
)
def test_words_that_name_a_place_are_found(text: str, words: str) -> None:
    assert [[p.words for p in found] for found in PlaceWords().places([PlaceQuestion(text, "32.73")])] == [[words]]


@pytest.mark.parametrize("text", [
    "jalan rusak parah", "jalan berlubang", "kota kami kotor", "jalan di sini gelap", "", "pohon menutup jalan pak",
    "lampu jalan min mati, é", "jembatan bu roboh", "jalan aku rusak", "gang buntu banjir",
])  # fmt: skip
def test_words_that_name_no_place_are_left(text: str) -> None:
    assert PlaceWords().places([PlaceQuestion(text, "32.73")]) == [()]

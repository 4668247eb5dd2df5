"""Streets and landmarks that rows with a known place taught."""

from __future__ import annotations

import pytest

from normalizer import PlaceQuestion
from normalizer.knowledge.learned_places import NOTHING, PlacedText, load_places
from normalizer.knowledge.shipped import ShippedKnowledge
from normalizer.models.place_training import learn_places
from normalizer.settle import likeliest

ROWS = [
    *(PlacedText(f"lampu mati nomor {n}", f"Jl. Kenanga Asri blok {n}", "32.73.02") for n in range(8)),
    *(PlacedText("banjir dekat Toko Sinar", f"Gang Sentosa {n}", "32.73.25.1002") for n in range(6)),
    *(PlacedText("jalan rusak", f"Jalan Raya Utama {n}", f"32.73.0{n}") for n in range(1, 8)),
]


def knowledge(learned: str | None) -> ShippedKnowledge:
    places = load_places(learned) if learned else NOTHING
    return ShippedKnowledge(lambda: places)


def code(text: str, learned: str | None) -> str | None:
    [found] = map(likeliest, knowledge(learned).places([PlaceQuestion(text, "32.73")]))
    return found.code if found else None


def test_a_street_that_was_learned_says_the_district() -> None:
    learned = learn_places(ROWS)
    assert [code("pohon tumbang di Kenanga Asri", one) for one in (None, learned)] == [None, "32.73.02"]
    assert code("depan toko sinar macet", learned) == "32.73.25"


def test_a_street_of_many_districts_says_none() -> None:
    assert code("macet di Jalan Raya Utama", learn_places(ROWS)) is None


def test_a_district_that_is_named_goes_before_a_street_that_was_learned() -> None:
    assert code("Kenanga Asri, Kec. Cibiru", learn_places(ROWS)) == "32.73.25"


def test_numbers_of_people_are_not_learned() -> None:
    rows = [
        PlacedText(f"telepon 081234567890 di Blok {n}", f"Gang Melur 081234567890 {n}", "32.73.11") for n in range(9)
    ]
    learned = learn_places([*ROWS, *rows])
    assert ("melur" in learned, "081234567890" in learned) == (True, False)


def test_a_place_says_by_which_learned_words() -> None:
    [[found, *_]] = knowledge(learn_places(ROWS)).places([PlaceQuestion("depan toko sinar macet", "32.73")])
    assert found.evidence == "learned: toko, sinar"


def test_the_version_changes_with_what_was_learned() -> None:
    versions = {knowledge(body).version for body in (None, learn_places(ROWS), learn_places(ROWS[:8]))}
    assert len(versions) == 3


def test_the_same_rows_give_the_same_body_in_any_order() -> None:
    assert learn_places(ROWS) == learn_places(reversed(ROWS))


@pytest.mark.parametrize("body", ["[]", '{"a": 1}', '{"districts": {"327302": 1}, "phrases": {"a": 1}}'])
def test_a_body_that_is_none_is_refused(body: str) -> None:
    with pytest.raises(ValueError, match="learned places are"):
        load_places(body)

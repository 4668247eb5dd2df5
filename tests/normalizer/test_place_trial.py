"""Names of places from decided reports, tried on the newest."""

from __future__ import annotations

from collections.abc import Sequence

from normalizer.knowledge.learned_places import NOTHING, load_places
from normalizer.models.learning import Decided
from normalizer.models.place_trial import try_places
from schemas import Place

STREETS = (("Kenanga Asri", "32.73.02"), ("Toko Sinar", "32.73.25.1002"), ("Gang Melur", "32.73.11"))


def decided(count: int, streets: Sequence[tuple[str, str]] = STREETS) -> list[Decided]:
    rows = (streets[n % len(streets)] for n in range(count))
    return [
        Decided(f"\nlampu mati di {street}", Place(code=code, source="text"), None, None, None) for street, code in rows
    ]


def test_streets_that_no_list_holds_are_learned() -> None:
    trial = try_places(decided(120), NOTHING)
    assert (trial.before, trial.after, trial.unseen, trial.rows) == (0.0, 1.0, 30, 120)
    again = try_places(decided(120), load_places(trial.body or ""))
    assert (again.before, again.body) == (1.0, None)


def test_few_reports_with_a_district_teach_nothing() -> None:
    regency = [Decided("lampu mati", Place(code="32.73", source="owner"), None, None, None)] * 200
    assert try_places(decided(99) + regency, NOTHING) == (None, 0.0, 0.0, 0, 99)


def test_places_that_make_it_worse_are_not_published() -> None:
    moved = tuple((street, "32.73.30") for street, _ in STREETS)
    trial = try_places(decided(90) + decided(30, moved), NOTHING)
    assert (trial.before, trial.after, trial.better) == (0.0, -1.0, False)

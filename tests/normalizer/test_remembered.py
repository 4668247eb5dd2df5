"""Words that say nothing are left out of later questions."""

from __future__ import annotations

from normalizer.knowledge import remembered
from normalizer.knowledge.remembered import RememberedWords


def test_a_word_that_says_nothing_is_tested_once_and_one_that_speaks_is_found_each_time():
    tested: list[str] = []
    words = RememberedWords(lambda word: tested.append(word) or word == "api")

    found = [words.speaking({"ada", "api"}) for _ in range(3)]

    assert found == [["api"]] * 3
    assert sorted(tested) == ["ada", "api", "api", "api"]


def test_no_more_is_remembered_than_fits_and_no_long_word(monkeypatch):
    monkeypatch.setattr(remembered, "_MOST", 2)
    tested: list[str] = []
    words = RememberedWords(tested.append)

    for word in ("satu", "dua", "tiga", "satu", "x" * 41, "x" * 41):
        words.speaking({word})

    assert tested == ["satu", "dua", "tiga", "satu", "x" * 41, "x" * 41]

"""What is found in a word is remembered; words that say nothing are left out of later questions."""

from __future__ import annotations

from normalizer.knowledge import remembered
from normalizer.knowledge.remembered import Remembered


def test_each_word_is_looked_at_once_and_what_was_found_is_found_each_time() -> None:
    asked: list[str] = []
    words = Remembered(lambda word: asked.append(word) or (word.upper() if word == "api" else None))

    found = [words.of({"ada", "api"}) for _ in range(3)]

    assert found == [["API"]] * 3
    assert sorted(asked) == ["ada", "api"]


def test_no_more_is_remembered_than_fits_and_no_long_word(monkeypatch) -> None:
    monkeypatch.setattr(remembered, "_MOST_SILENT", 2)
    monkeypatch.setattr(remembered, "_MOST_FOUND", 1)
    asked: list[str] = []
    words = Remembered(lambda word: asked.append(word) or word.isdigit())

    for word in ("satu", "dua", "tiga", "satu", "x" * 41, "x" * 41, "1", "2", "1"):
        words.of({word})

    assert asked == ["satu", "dua", "tiga", "satu", "x" * 41, "x" * 41, "1", "2", "1"]

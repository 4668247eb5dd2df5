"""Words of a text and where they stand, by whichever way the text is taken apart."""

from __future__ import annotations

import pytest

from normalizer.knowledge.tokens import Words

TEXTS = {
    "plain": ("Jl. Mawar  no 5,\nRT03", ["jl", "mawar", "no", "5", "rt03"]),
    "signs": ("🙏 Jl. Mawar – depan…pasar", ["jl", "mawar", "depan", "pasar"]),
    "glued": ("KabupatenBandung, RT03Kel Mawar", ["kabupaten", "bandung", "rt03", "kel", "mawar"]),
    "letters": ("kafé Ma'ruf di Blok² A", ["kafé", "maruf", "di", "blok²", "a"]),
    "none": (" … 🙏", []),
}


@pytest.mark.parametrize(("text", "words"), TEXTS.values(), ids=TEXTS)
def test_each_word_stands_where_it_is_said_to(text: str, words: list[str]) -> None:
    found = Words(text)
    assert found.words == words
    spans = [found.span(at, 1) for at in range(len(words))]
    assert [text[start:end].lower().replace("'", "") for start, end in spans] == words


def test_a_sign_that_no_name_holds_stands_before_a_word_and_a_dash_does_not() -> None:
    found = Words("Jl Mawar, Coblong - Bandung. Barat")
    assert [found.breaks(at) for at in range(len(found))] == [False, False, True, False, True]
    beyond = Words("Mawar – Coblong (Bandung)")
    assert [beyond.breaks(at) for at in range(len(beyond))] == [False, False, True]


def test_words_are_as_written_only_where_none_was_taken_apart() -> None:
    assert [Words(text).as_written for text in ("jl Mawar 🙏", "KabupatenBandung", "Ma'ruf")] == [True, False, False]


class Counted(str):
    """A text that counts how often it is asked whether all of it is in capitals."""

    asked = 0

    def isupper(self) -> bool:
        self.asked += 1
        return super().isupper()


def test_a_long_text_in_capitals_is_gone_through_once() -> None:
    """A quarter of a megabyte of "LAPOR#BANDUNG#" took forty seconds once."""
    text = Counted("LAPOR#BANDUNG#" * 200)
    words = Words(text)
    assert not any(words.capital(at) for at in range(len(words)))
    assert text.asked == 1

"""The word lists beside this file: TOML, each value words with blanks between them."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def word_lists(name: str) -> dict[str, Any]:
    """The tables of `NAME.toml`."""
    return tomllib.loads(Path(__file__).with_name(f"{name}.toml").read_text(encoding="utf-8"))


def words_of(text: str) -> frozenset[str]:
    """The words of a list."""
    return frozenset(text.split())


def names_by_word(table: dict[str, str]) -> dict[str, str]:
    """Each word of the values with the key that it stands under."""
    return {word: key for key, words in table.items() for word in words.split()}

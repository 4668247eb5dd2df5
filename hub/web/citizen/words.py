"""Every sentence that people read, in Indonesian and in English; they stand in `words.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

Language = Literal["id", "en"]

_WORDS: dict[str, tuple[str, str]] = {
    key: (both[0], both[1])
    for key, both in tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8")).items()
}


class Said(NamedTuple):
    """A sentence not yet in a language: its key, and what it names, which may be words of ours too."""

    key: str
    values: dict[str, object] = {}  # noqa: RUF012 - a tuple's default, never written to

    def to(self, language: Language) -> str:
        """The sentence."""
        values = {name: v.to(language) if isinstance(v, Said) else v for name, v in self.values.items()}
        return say(self.key, language, **values)


def say(key: str, language: Language, **values: object) -> str:
    """The sentence of that key."""
    words = _WORDS[key][language == "en"]
    return words.format(**values) if values else words


def chosen(said: object) -> Language:
    """The language of a page: English only where it is asked for."""
    return "en" if said == "en" else "id"


def other(language: Language) -> Language:
    """The language that this one is not."""
    return "id" if language == "en" else "en"


def asked(accept_language: str) -> Language:
    """Which of our two an Accept-Language header likes better; Indonesian where it does not say."""
    best: dict[str, float] = {}
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";")
        name = tag.strip().partition("-")[0]
        best[name] = max(best.get(name, 0.0), _weight(weight))
    return "en" if best.get("en", 0.0) > best.get("id", 0.0) else "id"


def _weight(said: str) -> float:
    if not said:
        return 1.0
    try:
        return float(said.strip().removeprefix("q="))
    except ValueError:
        return 0.0

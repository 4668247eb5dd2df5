"""Every sentence that people read, in Indonesian and in English; they stand in `translations.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal, NamedTuple

Language = Literal["id", "en"]
_OLD_CODES = {"in": "id"}
"""Indonesian as older Androids and Java name it."""

_SENTENCES: dict[str, tuple[str, str]] = {
    key: (both[0], both[1])
    for key, both in tomllib.loads((Path(__file__).parent / "translations.toml").read_text(encoding="utf-8")).items()
}


class TranslatableText(NamedTuple):
    """A sentence not yet in a language: its key, and the values in it, which may be texts too."""

    key: str
    values: dict[str, object] = {}  # noqa: RUF012 - a tuple's default, never written to

    def to(self, language: Language) -> str:
        """The sentence."""
        values = {name: v.to(language) if isinstance(v, TranslatableText) else v for name, v in self.values.items()}
        return translate(self.key, language, **values)


def translate(key: str, language: Language, **values: object) -> str:
    """The sentence of that key."""
    sentence = _SENTENCES[key][language == "en"]
    return sentence.format(**values) if values else sentence


def has_translation(key: str) -> bool:
    """Is there a sentence of that key?"""
    return key in _SENTENCES


def language_of(word: object) -> Language:
    """The language of a page: English only where it is asked for."""
    return "en" if word == "en" else "id"


def other_language(language: Language) -> Language:
    """The language that this one is not."""
    return "id" if language == "en" else "en"


def page_language(asked: object, accept_language: str) -> Language:
    """The language of a page: the one asked for in its address, else English where the browser asks for English and
    not for Indonesian, else Indonesian. Many phones here are set to English by people who read Indonesian as well."""
    if asked in ("id", "en"):
        return language_of(asked)
    wanted = _weights(accept_language)
    return "en" if wanted.get("en", 0.0) > 0.0 and not wanted.get("id") else "id"


def language_query(language: Language, accept_language: str) -> dict[str, str]:
    """What an address carries so that its page is in this language too."""
    return {} if page_language(None, accept_language) == language else {"lang": language}


def preferred_language(accept_language: str) -> Language:
    """Which of our two an Accept-Language header prefers; Indonesian where it does not say."""
    wanted = _weights(accept_language)
    return "en" if wanted.get("en", 0.0) > wanted.get("id", 0.0) else "id"


def _weights(accept_language: str) -> dict[str, float]:
    best: dict[str, float] = {}
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";")
        name = _OLD_CODES.get(code := tag.strip().partition("-")[0], code)
        best[name] = max(best.get(name, 0.0), _weight(weight))
    return best


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    try:
        return float(parameter.strip().removeprefix("q="))
    except ValueError:
        return 0.0

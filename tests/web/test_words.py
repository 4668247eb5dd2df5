"""The words: whole in both languages, each used, none missing."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import hub.web
from hub.web.citizen.dates import when
from hub.web.citizen.look import steps
from hub.web.citizen.words import asked
from tests.web.test_door import NOW

WEB = Path(hub.web.__file__).parent
WORDS: dict[str, list[str]] = tomllib.loads((WEB / "words.toml").read_text())
SOURCES = "\n".join(p.read_text() for p in (*WEB.glob("*.py"), *WEB.glob("templates/*.html")))
MADE = ("step_", "state_", "happened_", "p_")
"""Beginnings of keys that are put together."""


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", WORDS)
def test_every_sentence_is_there_in_both_languages_and_is_used(key: str) -> None:
    indonesian, english = WORDS[key]
    assert _names(indonesian) == _names(english)
    assert key.startswith(MADE) or re.search(rf"\b{key.removesuffix('_hint')}\b", SOURCES)


def test_every_problem_has_its_words() -> None:
    problems = set(re.findall(r'Problem\(\s*\d+, "(\w+)"', SOURCES)) | {"method", "malformed", "fault"}
    assert {f"p_{p}{end}" for p in problems for end in ("", "_detail")} <= WORDS.keys()


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "id"),
        ("en", "en"),
        ("EN-us", "en"),
        ("id, en", "id"),
        ("en;q=0.5, id;q=0.9", "id"),
        ("id;q=0.1,en", "en"),
        ("fr", "id"),
        ("en;q=x", "id"),
        ("*", "id"),
    ],
)
def test_the_language_is_the_better_liked_one(header: str, language: str) -> None:
    assert asked(header) == language


@pytest.mark.parametrize(
    ("status", "now"),
    [
        ("unverified", "received"),
        ("verified", "verified"),
        ("in_progress", "in_progress"),
        ("done", "done"),
        ("archived", "archived"),
        ("rejected", "rejected"),
        ("unknown", "received"),
    ],
)
def test_every_status_stands_on_the_way(status: str, now: str) -> None:
    assert [step for step, state in steps(status) if state == "now"] == [now]


def test_instants_are_told_in_the_zone_of_the_hub() -> None:
    assert when(NOW, ZoneInfo("Asia/Makassar"), "id").replace("\N{NO-BREAK SPACE}", " ") == "2 Maret 2026, 10.30 WITA"
    assert when(NOW, ZoneInfo("Asia/Jakarta"), "en").replace("\N{NO-BREAK SPACE}", " ") == "2 March 2026, 09:30 WIB"

"""The sentences: there in both languages, each used, none missing."""

from __future__ import annotations

import re
import string
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import hub.web
from hub.web.citizen.dates import format_time
from hub.web.citizen.rendering import progress_steps
from hub.web.translations import preferred_language

NOW = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
WEB = Path(hub.web.__file__).parent
SENTENCES: dict[str, list[str]] = tomllib.loads((WEB / "translations.toml").read_text())
SOURCES = "\n".join(p.read_text() for p in (*WEB.rglob("*.py"), *WEB.rglob("templates/*.html")))
COMPOSED = ("step_", "state_", "happened_", "p_", "came_by_", "sent_")
"""Beginnings of keys that are put together."""


def _names(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_sentence_is_there_in_both_languages() -> None:
    assert len(SENTENCES) > 100
    assert [key for key, (indonesian, english) in SENTENCES.items() if _names(indonesian) != _names(english)] == []


def test_every_sentence_is_used() -> None:
    words = set(re.findall(r"\w+", SOURCES))
    plain = [key for key in SENTENCES if not key.startswith(COMPOSED)]
    assert [key for key in plain if key.removesuffix("_hint") not in words] == []


def test_every_problem_has_its_sentences() -> None:
    problems = set(re.findall(r'Problem\(\s*\d+, "(\w+)"', SOURCES))
    assert len(problems) > 10
    assert {f"p_{p}{end}" for p in problems for end in ("", "_detail")} <= SENTENCES.keys()


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
def test_the_language_is_the_preferred_one(header: str, language: str) -> None:
    assert preferred_language(header) == language


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
def test_every_status_is_a_step(status: str, now: str) -> None:
    assert [step for step, state in progress_steps(status) if state == "now"] == [now]


def test_instants_are_written_in_the_zone_of_the_hub() -> None:
    assert (
        format_time(NOW, ZoneInfo("Asia/Makassar"), "id").replace("\N{NO-BREAK SPACE}", " ")
        == "2 Maret 2026, 10.30 WITA"
    )
    assert (
        format_time(NOW, ZoneInfo("Asia/Jakarta"), "en").replace("\N{NO-BREAK SPACE}", " ") == "2 March 2026, 09:30 WIB"
    )


def test_no_sentence_speaks_of_what_offices_do_not_call_so() -> None:
    """`instansi`, not `kantor`; nobody but a developer reads `huruf` or a code."""
    unfit = re.compile(r"\b(kantor|pintu depan|meja depan|dilayani)\b", re.IGNORECASE)
    assert [key for key, (indonesian, _) in SENTENCES.items() if unfit.search(indonesian)] == []

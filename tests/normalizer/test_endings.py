"""BELUM and NILAI: as citizens write them, and to which report they lead."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from normalizer import match
from normalizer.keywords import Keywords
from schemas import Matched, Message
from tests.normalizer.stage import BUDI, NOON, MemoryDouble, message, opened

OURS, WRONG = "1708000011", "1708000012"
KEYWORDS = Keywords({})


@pytest.mark.parametrize(
    ("text", "command", "number", "rating", "rest"),
    [
        (f"BELUM {OURS} lampu masih mati", "BELUM", OURS, None, "lampu masih mati"),
        (f"belum selesai, laporan no {OURS}", "BELUM", OURS, None, ""),
        (f"Laporan belum selesai: {OURS}. masih mati", "BELUM", OURS, None, "masih mati"),
        (f"Buka kembali {OURS}", "BELUM", OURS, None, ""),
        (f"NILAI {OURS} 4 cukup cepat", "NILAI", OURS, 4, "cukup cepat"),
        (f"nilai laporan {OURS}: 5/5", "NILAI", OURS, 5, ""),
        ("Nilai 5", "NILAI", None, 5, ""),
    ],
    ids=range(7),
)
def test_a_command_is_taken_apart(text: str, command: str, number: str | None, rating: int | None, rest: str) -> None:
    found = KEYWORDS.parse(text)
    assert (found.command, found.number, found.rating, found.text) == (command, number, rating, rest)


@pytest.mark.parametrize(
    "text",
    [
        f"BELUM {WRONG} lampu masih mati", "belum ada perbaikan sejak 2024", "Nilai 5 rumah rusak kena banjir",
        "nilai jual tanah turun", f"NILAI {OURS}", f"NILAI {OURS} 9", f"nilai {WRONG} 4", "nilai 45",
    ],
    ids=range(8),
)  # fmt: skip
def test_words_of_a_report_are_no_command(text: str) -> None:
    found = KEYWORDS.parse(text)
    assert (found.command, found.text) == (None, text)


class Finished(MemoryDouble):
    """A memory whose reports are done, and may be reopened for a week."""

    def recall(self, queries: Any) -> Any:
        known = super().recall(queries)
        until = NOON + timedelta(days=7)
        known.by_number = {n: replace(r, closed=True, reopen_until=until) for n, r in known.by_number.items()}
        return known


def said(report: Matched, command: str, *, days: float = 1, **known: Any) -> Message:
    return message(f"{command}{days}", command=command, number=report.number, minutes=days * 1440, **known)


def test_the_reporter_reopens_in_time() -> None:
    memory = Finished()
    first = opened(memory)
    (again,) = match([said(first, "BELUM", text="masih rusak")], memory)
    assert (again.outcome, again.id, again.matches) == ("added", first.id, ())


def test_later_it_is_a_report_of_its_own_that_is_linked() -> None:
    memory = Finished()
    first = opened(memory)
    (late,) = match([said(first, "BELUM", days=8, text="jalan itu masih rusak parah sekali")], memory)
    assert (late.outcome, late.missing) == ("recorded", ())
    assert late.id != first.id
    assert [(m.kind, m.of) for m in late.matches] == [("same_report", first.id)]


def test_an_open_report_takes_the_word_at_any_time() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    (word,) = match([said(first, "BELUM", days=30, text="masih rusak")], memory)
    assert (word.outcome, word.id) == ("added", first.id)


@pytest.mark.parametrize("command", ["BELUM", "NILAI"])
def test_a_stranger_without_words_is_refused(command: Any) -> None:
    memory = Finished()
    first = opened(memory)
    (other,) = match([said(first, command, by=BUDI, rating=1 if command == "NILAI" else None)], memory)
    assert (other.outcome, other.id) == ("refused", None)


def test_a_strangers_words_are_a_report_of_their_own_without_a_link() -> None:
    memory = Finished()
    first = opened(memory)
    (other,) = match([said(first, "BELUM", days=8, by=BUDI, text="saya juga terganggu jalan rusak itu")], memory)
    assert other.outcome == "recorded"
    assert first.id not in [m.of for m in other.matches if m.score == 1.0]


def test_a_rating_without_a_number_is_of_the_conversations_latest_report() -> None:
    memory = Finished()
    first = opened(memory)
    (rating,) = match([message("n", command="NILAI", rating=3, minutes=60)], memory)
    assert (rating.outcome, rating.id) == ("added", first.id)
    (nobody,) = match([message("m", command="NILAI", rating=3, by=BUDI, minutes=61)], memory)
    assert (nobody.outcome, nobody.reason) == ("refused", "NILAI without a number")

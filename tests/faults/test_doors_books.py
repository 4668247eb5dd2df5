"""The checks of the doors' drill find what they are for: each is proved by one sabotage."""

from __future__ import annotations

from typing import Any

import pytest

from bench.doors.books import CHECKS, Books, Stored, in_doubt
from bench.doors.citizens import Complaint

SMS = "LAPOR Lampu jalan padam dekat tiang nomor 1."
MAIL = "LAPOR Jalan berlubang dekat tiang nomor 2. Sudah lama."


def row(recorded: int, **more: int) -> dict[str, int]:
    columns = ("recorded", "added", "asked", "redelivered", "refused", "dead", "in_flight", "lost")
    counts = dict.fromkeys(columns, 0) | {"recorded": recorded} | more
    return {"received": counts["recorded"] + counts["redelivered"], **counts}


def sound(**changed: Any) -> Books:
    """Two complaints, each answered once; the mail came twice."""
    return Books(**{
        "written": {1: Complaint(1, "seluler", SMS), 2: Complaint(2, "surel", MAIL)},
        "waiting": {"seluler": 0, "surel": 0, "telegram": 0},
        "stored": [Stored("111", "seluler", [SMS], ["sent"]), Stored("222", "surel", [f"Laporan\n{MAIL}"], ["sent"])],
        "heard": {1: ["Nomor 111"], 2: ["Nomor 222"]},
        "ledger": {"all": row(2, redelivered=1), "accounts": {"seluler": row(1), "surel": row(1, redelivered=1)}},
    } | changed)  # fmt: skip


def first(*texts: str, replies: tuple[str, ...] = ("sent",), door: str = "seluler") -> list[Stored]:
    """The record with another first complaint."""
    return [Stored("111", door, texts, replies), sound().stored[1]]


SABOTAGE: dict[str, tuple[str, dict[str, Any]]] = {
    "waits at the peer": ("not taken", {"waiting": {"seluler": 1}}),
    "not stored": ("lost", {"stored": sound().stored[1:]}),
    "stored with a gap": ("lost", {"stored": first("LAPOR Lampu [bagian 2 dari 2] tiang nomor 1.")}),
    "stored for another account": ("lost", {"stored": first(SMS, door="surel")}),
    "two complaints": ("twice", {"stored": [*sound().stored, Stored("333", "seluler", [SMS], ["sent"])]}),
    "two messages": ("twice", {"stored": first(SMS, SMS)}),
    "two complaints in one": ("foreign", {"stored": first(SMS, MAIL)}),
    "nobody's": ("foreign", {"stored": [*sound().stored, Stored("333", "surel", ["Halo"], ["sent"])]}),
    "heard twice": ("answered twice", {"heard": {1: ["Nomor 111"] * 2, 2: ["Nomor 222"]}}),
    "never heard": ("unanswered", {"heard": {2: ["Nomor 222"]}}),
    "still owed": ("unanswered", {"stored": first(SMS, replies=("owed",)), "heard": {2: ["Nomor 222"]}}),
    "no reply": ("unanswered", {"stored": first(SMS, replies=()), "heard": {2: ["Nomor 222"]}}),
    "another's number": ("unanswered", {"heard": {1: ["Nomor 222"], 2: ["Nomor 222"]}}),
    "no sum": ("unbalanced", {"ledger": {"all": row(2, added=1), "accounts": {}}}),
    "more than stands there": ("unbalanced", {"ledger": {"all": row(3), "accounts": {}}}),
    "in flight": ("unbalanced", {"ledger": {"all": row(2, in_flight=1), "accounts": {}}}),
}


def found(books: Books) -> dict[str, list[str]]:
    return {name: wrong for name, check in CHECKS.items() if (wrong := list(check(books)))}


def test_sound_books_are_sound() -> None:
    assert found(sound()) == {}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_each_sabotage_is_found(sabotage: str) -> None:
    check, changed = SABOTAGE[sabotage]
    assert check in found(sound(**changed))


def test_every_check_is_proved() -> None:
    assert {check for check, _ in SABOTAGE.values()} == CHECKS.keys()


def test_a_reply_in_doubt_may_have_been_heard_or_not() -> None:
    stored = first(SMS, replies=("unknown",))
    for heard, silent in (({1: ["Nomor 111"], 2: ["Nomor 222"]}, 0), ({2: ["Nomor 222"]}, 1)):
        books = sound(stored=stored, heard=heard)
        assert found(books) == {}
        assert in_doubt(books, "seluler") == (1, silent)

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas import Category, Message, Place
from sink import Record, apply_rereading, export
from sink.readings import Reading
from sink.rereading import Rereading
from tests.sink.made import NOW, acted, action, message, persist, routed, rows

PLACE = Place(code="32.73", name="Kota Bandung", words="Melati", source="text", p=0.9, evidence="gazetteer")
CHANGED: dict[str, Any] = {
    "report_class": "complaint", "category": Category(id="7", name="Jalan"), "place": PLACE, "title": "Lampu mati",
    "needs_investigation": False, "incident_date": "2025-06-30", "tags": ("lampu",), "extra": {"rt": "03"},
    "cleaned": "lampu jalan mati", "external_ids": {"sp4n": "1234567"},
}  # fmt: skip
KEPT = ("number", "status", "updated_at", "matcher", "owner")


def reread(n: int = 1, **more: Any) -> Message:
    """What the next version of the reader makes of it."""
    return message(n, **{"reader": "2", **more})


def apply(record: Record, *messages: Message, dry_run: bool = False) -> list[Rereading]:
    return apply_rereading(record, messages, now=NOW, dry_run=dry_run)


def snapshot(record: Record) -> list[Any]:
    return [rows(record, f"SELECT * FROM {t}") for t in ("complaints", "messages", "readings", "outbox", "outcomes")]


def test_a_dry_run_lists_what_would_change_and_changes_nothing(record: Record) -> None:
    event = routed(message(1))
    persist(record, event)
    before = snapshot(record)
    (one,) = apply(record, reread(title="Lampu mati"), dry_run=True)
    assert one == Rereading(
        message(1).raw, 0, event.matched.number, "2", {"title": ("", "Lampu mati")}, False, "dry_run"
    )
    assert snapshot(record) == before


def test_everything_that_was_read_may_change_and_nothing_else(record: Record) -> None:
    persist(record, routed(message(1)))
    kept = rows(record, f"SELECT {', '.join(KEPT)} FROM complaints")
    around = [rows(record, f"SELECT * FROM {table}") for table in ("outbox", "outcomes", "timeline", "assignments")]
    (one,) = apply(record, reread(**CHANGED))
    assert (set(one.changes), one.applied) == (set(CHANGED), True)
    (line,) = export(record, None)
    assert (line["class"], line["category"], line["title"]) == ("complaint", {"id": "7", "name": "Jalan"}, "Lampu mati")
    assert line["place"]["name"] == "Kota Bandung"
    assert rows(record, "SELECT cleaned, reader FROM messages") == [("lampu jalan mati", "2")]
    assert rows(record, f"SELECT {', '.join(KEPT)} FROM complaints") == kept
    assert [
        rows(record, f"SELECT * FROM {table}") for table in ("outbox", "outcomes", "timeline", "assignments")
    ] == around


def test_the_same_reading_changes_nothing(record: Record) -> None:
    persist(record, routed(message(1, **CHANGED)))
    assert apply(record, reread(**CHANGED)) == []
    assert rows(record, "SELECT count(*) FROM readings") == [(0,)]


def test_both_readings_stand_beside_each_other(record: Record) -> None:
    persist(record, routed(message(1)))
    for _ in range(2):
        apply(record, reread(title="Lampu mati"))
    found = rows(record, "SELECT version, reading, applied FROM readings ORDER BY version")
    read = [msgspec.json.decode(record.vault.open(bytes(r), "readings.reading"), type=Reading) for _, r, _ in found]
    assert [(version, reading.title) for (version, _, _), reading in zip(found, read, strict=True)] == [
        ("1", ""), ("2", "Lampu mati"),
    ]  # fmt: skip


def test_what_an_officer_has_acted_on_stays(record: Record) -> None:
    persist(record, routed(message(1)), routed(message(2), "added", message(1)))
    persist(record, acted(action(5, "note", text="Sudah saya lihat"), message(1)))
    found = apply(record, reread(1, title="Lampu mati"), reread(2, cleaned="masih"))
    assert [(one.applied, one.reason) for one in found] == [(False, "touched")] * 2
    assert rows(record, "SELECT title FROM complaints") == [(None,)]
    assert sorted(rows(record, "SELECT version, applied FROM readings"))[-1] == ("2", False)


def test_of_an_addition_only_its_own_words_change(record: Record) -> None:
    persist(record, routed(message(1)), routed(message(2), "added", message(1)))
    (one,) = apply(record, reread(2, title="Judul", cleaned="masih mati"))
    assert set(one.changes) == {"cleaned"}
    assert rows(record, "SELECT title FROM complaints") == [(None,)]
    assert rows(record, "SELECT cleaned FROM messages ORDER BY raw") == [(None,), ("masih mati",)]


def test_a_message_that_is_in_no_complaint_is_named_and_left_alone(record: Record) -> None:
    persist(record, routed(message(1), "refused"))
    assert [one.reason for one in apply(record, reread(title="x"))] == ["not_recorded"]
    assert rows(record, "SELECT count(*) FROM readings") == [(0,)]


@pytest.mark.parametrize("dry_run", [True, False])
def test_many_are_compared_at_once(record: Record, dry_run: bool) -> None:
    persist(record, *(routed(message(n, conversation=f"c{n}")) for n in range(1, 701)))
    changed = [reread(n, conversation=f"c{n}", title="Lampu" if n % 2 else "") for n in range(1, 701)]
    assert len(apply(record, *changed, dry_run=dry_run)) == 350

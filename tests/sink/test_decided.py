"""What models learn from: complaints as officers left them."""

from __future__ import annotations

import pytest

from schemas import Place
from sink import Record
from sink.decided import DecidedComplaint, decided_complaints
from tests.sink.made import execute, message, persist, routed


def decided(record: Record) -> list[DecidedComplaint]:
    with record.read() as connection:
        return decided_complaints(connection)


def test_only_complaints_on_which_somebody_acted_teach(record: Record) -> None:
    place = Place(code="32.73.25", words="Jalan Melati")
    for n, more in ((1, {"place": place, "title": "Lampu"}), (2, {"secret": True}), (3, {})):
        persist(record, routed(message(n, conversation=f"c{n}", **more)))
    assert decided(record) == []
    but_the_last = "raw < (SELECT max(raw) FROM messages)"
    execute(record, f"UPDATE complaints SET status = 'verified', touched_at = received_at WHERE {but_the_last}")
    [one] = decided(record)
    assert (one.title, one.text, one.place_code, one.place_words, one.category_id) == (
        "Lampu", message(1).text, "32.73.25", "Jalan Melati", None
    )  # fmt: skip


def test_the_newest_office_that_kept_it_counts_and_the_oldest_complaint_comes_first(record: Record) -> None:
    for n in (2, 1):
        persist(record, routed(message(n, conversation=f"c{n}", text=f"Lampu {n} mati")))
    execute(record, "UPDATE complaints SET status = 'done', touched_at = received_at")
    execute(record, "UPDATE assignments SET state = 'passed_on'")
    assert [(one.text, one.office_id) for one in decided(record)] == [("Lampu 1 mati", None), ("Lampu 2 mati", None)]
    execute(record, "UPDATE assignments SET state = 'done'")
    assert {one.office_id for one in decided(record)} == {"front"}


@pytest.mark.parametrize("column", ["completed", "missing"])
def test_a_report_that_lacked_something_teaches_by_all_its_words(record: Record, column: str) -> None:
    persist(record, routed(message(1, text="Lampu mati")), routed(message(2, text="di Dago"), "added", message(1)))
    execute(record, "UPDATE complaints SET status = 'done', touched_at = received_at")
    assert [one.text for one in decided(record)] == ["Lampu mati"]
    execute(record, f"UPDATE complaints SET {column} = '[\"place\"]'")
    assert [one.text for one in decided(record)] == ["Lampu mati\ndi Dago"]

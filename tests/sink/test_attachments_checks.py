"""Checks of files: due, claimed, stored once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from schemas import Attachment
from sink import Record
from sink.attachments_checks import (
    CLAIMED,
    CheckedFile,
    claim_checks,
    count_unscanned,
    count_withheld,
    store_checks,
)
from sink.export import export
from sink.forward_claims import forward_files
from tests.sink.made import NOW, message, persist, routed, rows

FILES = tuple(
    Attachment(native_id=f"m{n}", media_type="image/jpeg", sha256=f"{n}" * 64, state="fetched") for n in (1, 2)
)
IDS = tuple(f"{message(1).raw}.0.{n}" for n in (0, 1))
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def filled(record: Record) -> Record:
    persist(record, routed(message(1, attachments=(*FILES, Attachment(native_id="m3")))))
    return record


def test_files_whose_bytes_are_here_are_claimed_one_process_at_a_time(filled: Record) -> None:
    first = claim_checks(filled, 1, LATER)
    second = claim_checks(filled, 5, LATER)
    assert [(f.id, f.sha256, f.media_type, f.checks) for f in first + second] == [
        (id, file.sha256, "image/jpeg", 0) for id, file in zip(IDS, FILES, strict=True)
    ]
    assert claim_checks(filled, 5, LATER) == []
    again = claim_checks(filled, 5, LATER + timedelta(seconds=CLAIMED))
    assert [(f.id, f.checks) for f in again] == [(IDS[0], 1), (IDS[1], 1)]


def test_nothing_may_leave_before_the_check_and_only_what_it_allows_after(filled: Record) -> None:
    assert [(f.shown, f.pending) for f in forward_files(filled, IDS)] == [(None, True), (None, True)]
    claim_checks(filled, 5, LATER)
    store_checks(filled, [
        CheckedFile(IDS[0], "clean", shown="a" * 64, shown_type="image/png", preview="b" * 64),
        CheckedFile(IDS[1], "infected", "Eicar-Test"),
    ], LATER)  # fmt: skip
    assert [(f.media_type, f.shown, f.pending) for f in forward_files(filled, IDS)] == [
        ("image/png", "a" * 64, False), ("image/jpeg", None, False),
    ]  # fmt: skip
    assert count_withheld(filled) == {("infected", "Eicar-Test"): 1}
    with filled.read() as connection:
        seen = connection.execute(text("SELECT verdict, why, shown FROM attachments ORDER BY id")).all()
    assert seen == [("clean", None, "a" * 64), ("infected", "Eicar-Test", None), (None, None, None)]


def test_what_was_never_scanned_is_counted_to_a_bound(filled: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    claim_checks(filled, 5, LATER)
    store_checks(filled, [CheckedFile(id, "unscanned", shown=id, shown_type="image/png") for id in IDS], LATER)
    counted = [count_unscanned(filled)]
    monkeypatch.setattr("sink.attachments_checks.MOST_COUNTED", 1)
    assert [*counted, count_unscanned(filled)] == [2, 1]


def test_officers_read_once_in_the_timeline_why_a_file_is_not_shown(filled: Record) -> None:
    result = [CheckedFile(IDS[0], "unscanned", "picture_broken")]
    claim_checks(filled, 5, LATER)
    store_checks(filled, result, LATER)
    store_checks(filled, result, LATER)
    steps = rows(filled, "SELECT actor_kind, why FROM timeline WHERE what = 'file_withheld'")
    assert steps == [("system", "picture_broken")]


def test_a_file_without_an_answer_is_due_again_and_is_no_last_word(filled: Record) -> None:
    claim_checks(filled, 5, LATER)
    later = LATER + timedelta(seconds=9)
    store_checks(filled, [CheckedFile(IDS[0], "no_verdict", "scanner_unavailable", again_at=later)], LATER)
    assert forward_files(filled, IDS)[0].pending is True
    assert [f.id for f in claim_checks(filled, 5, later)] == [IDS[0]]
    assert rows(filled, "SELECT 1 FROM timeline WHERE what = 'file_withheld'") == []


def test_the_first_position_of_a_picture_stands_where_the_report_has_none(filled: Record) -> None:
    claim_checks(filled, 5, LATER)
    store_checks(filled, [
        CheckedFile(IDS[1], "clean", shown="b" * 64, position=(-6.5, 107.5)),
        CheckedFile(IDS[0], "clean", shown="a" * 64, position=(-6.25, 106.75)),
    ], LATER)  # fmt: skip
    (complaint,) = export(filled, None)
    assert (complaint["place"]["lat"], complaint["place"]["lon"]) == (-6.25, 106.75)

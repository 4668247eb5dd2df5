"""Pictures, voice and words within seconds are one report, answered once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas import Attachment, Message, Owed
from sink import Record
from tests.sink.made import NOW, message, persist, routed, rows

PICTURE = Attachment(native_id="f1", media_type="image/jpeg", sha256="a" * 64, state="fetched")


def written(n: int, seconds: float, **more: Any) -> Message:
    return message(n, received_at=NOW + timedelta(seconds=seconds), **more)


def answers(record: Record) -> list[str]:
    return [template for (template,) in rows(record, "SELECT template FROM outbox ORDER BY created_at, id")]


PHOTO = written(1, 0, text="", attachments=(PICTURE,))
WORDS = written(2, 3, text="Jalan ini berlubang besar")
MORE = written(3, 8, text="Dekat pasar")
LATE = written(4, 60, text="Belum juga diperbaiki")


@pytest.mark.parametrize("at_once", [True, False], ids=["one batch", "one by one"])
def test_case_08_pictures_and_words_within_seconds_are_answered_once_with_everything_in_it(
    record: Record, at_once: bool
) -> None:
    events = [routed(PHOTO), routed(WORDS, "added", PHOTO), routed(MORE, "added", PHOTO)]
    for batch in [events] if at_once else [[event] for event in events]:
        persist(record, *batch)
    assert answers(record) == ["number_given"]
    assert rows(record, "SELECT count(*) FROM complaints") == [(1,)]
    assert rows(record, "SELECT count(*) FROM messages") == [(3,)]
    assert rows(record, "SELECT count(*) FROM attachments") == [(1,)]


def test_words_that_come_later_are_answered_however_late_they_are_recorded(record: Record) -> None:
    persist(record, routed(PHOTO), routed(WORDS, "added", PHOTO), routed(LATE, "added", PHOTO))
    assert sorted(answers(record)) == ["added", "number_given"]


def test_words_after_a_question_are_answered_at_once(record: Record) -> None:
    asked = routed(WORDS, "added", PHOTO, owed=Owed(template="awaiting_words"))
    persist(record, routed(PHOTO), asked, routed(MORE, "added", PHOTO))
    assert sorted(answers(record)) == ["added", "awaiting_words", "number_given"]


def test_another_conversation_within_seconds_has_its_own_answer(record: Record) -> None:
    other = written(5, 4, conversation="+628120000999", text="Saya juga lewat sana")
    persist(record, routed(PHOTO), routed(other, "added", PHOTO))
    assert sorted(answers(record)) == ["added", "number_given"]


def test_the_same_batch_once_more_owes_nothing_new(record: Record) -> None:
    for _ in range(2):
        persist(record, routed(PHOTO), routed(WORDS, "added", PHOTO))
    assert answers(record) == ["number_given"]

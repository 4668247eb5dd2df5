"""A reporter is asked only for what the report still lacks when the question is sent."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import Owed, Place, Routed
from sink import Record
from sink.batch_items import PersistOptions
from sink.persist import persist_batch
from tests.sink.made import FRONT_DESK, NOW, message, routed
from tests.sink.made_replies import claim, lease

DAGO = Place(code="32.73.02.1004", level="village", name="Dago", words="Dago", source="text", p=0.98)
STREET = Place(words="Jalan Melati", source="text")
LIGHTS = message(1, text="LAPOR lampu mati", owner="nasional")
PHOTO = message(1, text="", kind="image", place=Place(code="32.73", source="owner"))


def asking(opener: Any, *missing: str) -> Routed:
    return routed(opener, missing=missing, owed=Owed(template="number_given", params={"missing": missing}))


def asked(record: Record, *batches: list[Routed]) -> Any:
    options = PersistOptions(speaks={"sms"}, choose_offices=lambda reports: [(FRONT_DESK,) for _ in reports])
    for batch in batches:
        persist_batch(record, batch, NOW, options)
    (question,) = claim(record, lease(record))
    return question.params["missing"]


@pytest.mark.parametrize("order", ["later", "together", "before its report"])
def test_a_place_that_was_given_before_the_question_is_sent_is_not_asked_for(record: Record, order: str) -> None:
    first, second = (
        asking(LIGHTS, "text", "place"),
        routed(message(2, text="Dago", place=DAGO), "added", LIGHTS, owed=None),
    )
    batches = {"later": [[first], [second]], "together": [[first, second]], "before its report": [[second], [first]]}
    assert asked(record, *batches[order]) == []


@pytest.mark.parametrize(("opener", "missing", "second", "left"), [
    (LIGHTS, ("place",), {"text": "di Jalan Melati", "place": STREET}, ["place"]),
    (LIGHTS, ("place",), {"text": "tolong segera"}, ["place"]),
    (PHOTO, ("text",), {"text": "Jalan berlubang besar"}, []),
    (PHOTO, ("text",), {"text": "ini pak"}, ["text"]),
])  # fmt: skip
def test_what_is_still_lacking_is_asked_for(
    record: Record, opener: Any, missing: tuple[str, ...], second: dict[str, Any], left: list[str]
) -> None:
    more = routed(message(2, owner=opener.owner, **second), "added", opener, owed=None)
    assert asked(record, [asking(opener, *missing), more]) == left


def test_a_question_to_which_nothing_was_said_stays(record: Record) -> None:
    assert asked(record, [asking(LIGHTS, "place")]) == ["place"]

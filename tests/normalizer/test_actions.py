"""`match` of actions: by our number, by a foreign id, or refused."""

from __future__ import annotations

import pytest

from normalizer import match
from schemas import Office, Retry, complaint_id
from tests.normalizer.stage import BUDI, LAMP, MemoryDouble, action, after, match_each, message, number_of, opened


@pytest.mark.parametrize("batch", [True, False])
def test_an_action_finds_its_complaint_by_our_number(batch: bool) -> None:
    memory, report = MemoryDouble(), message("0", LAMP)
    done = action("1", number=number_of(complaint_id(report.id)), what="status", status="done")
    first, applied = match([report, done], memory) if batch else match_each(memory, report, done)
    assert (applied.outcome, applied.id, applied.number) == ("added", first.id, first.number)
    assert applied.action == done
    assert applied.message is None


@pytest.mark.parametrize("batch", [True, False])
def test_an_action_finds_its_complaint_by_a_foreign_id(batch: bool) -> None:
    memory, report = MemoryDouble(), message("0", LAMP, external_ids={"sp4n": "1234567"})
    answer = action("1", of={"lapor": "9", "sp4n": "1234567"})
    first, applied = match([report, answer], memory) if batch else match_each(memory, report, answer)
    assert (applied.outcome, applied.id) == ("added", first.id)


@pytest.mark.parametrize("known", [{"number": "1234567897"}, {"of": {"sp4n": "7654321"}}, {}])
def test_an_action_on_an_unknown_report_is_refused_with_a_reason(known: dict) -> None:
    memory = MemoryDouble()
    opened(memory, external_ids={"sp4n": "1234567"})
    (refused,) = match([action("1", **known)], memory)
    assert (refused.outcome, refused.id, refused.number) == ("refused", None, None)
    assert refused.reason


def test_an_action_switches_no_thread_and_is_no_reporter() -> None:
    memory = MemoryDouble()
    first = opened(memory)
    second = opened(memory, "1", LAMP, opens_report=True, minutes=1)
    note = action("1", number=first.number, what="disposition", office=Office(id="pupr"), minutes=2)
    assert match_each(memory, note, message("2", "masih mati", minutes=3))[1].id == second.id


def test_the_same_batch_again_gives_the_same() -> None:
    memory = MemoryDouble()
    batch = [action("1", number=opened(memory).number), action("2", number="1234567897")]
    assert match(batch, memory) == match(batch, memory)
    assert len(memory.entries) == 3


def test_an_action_that_comes_before_its_complaint_waits_a_while() -> None:
    memory = MemoryDouble()
    opened(memory, external_ids={"sp4n": "1234567"})
    known, early = action("1", of={"sp4n": "1234567"}), action("2", minutes=1, of={"portal-1": "9"})
    with pytest.raises(Retry):
        match([known, early], memory, early_since=after(0))
    report = message("5", LAMP, external_ids={"portal-1": "9"})
    (first,) = match([report], memory)
    assert [m.outcome for m in match([known, early], memory, early_since=after(0))] == ["added", "added"]
    assert match([early], memory)[0].id == first.id


def test_case_04_an_answer_beside_a_report_is_about_that_one_whatever_had_its_id_before() -> None:
    memory, of = MemoryDouble(), {"rows": "1"}
    first = opened(memory, "1", account="rows", external_ids=of)
    answer = action("1", raw="raw-2", item_index=1, minutes=1, of=of, beside_report=True)
    with pytest.raises(Retry):
        match([answer], memory, early_since=after(0))
    second = opened(memory, "2", LAMP, by=BUDI, account="rows", external_ids=of)
    (about,) = match([answer], memory, early_since=after(0))
    assert about.id == second.id != first.id
    (late,) = match([action("3", raw="raw-9", item_index=1, of=of, beside_report=True)], memory, early_since=after(0))
    assert late.id == first.id, "its report is dead: the one that is known by that id"


@pytest.mark.parametrize(
    "known", [{"of": {"sp4n": "7"}}, {"number": "1234567897"}, {"of": {"x": "1"}, "refusal": "an echo"}]
)
def test_an_action_waits_for_no_complaint_that_would_be_there(known: dict) -> None:
    given = action("1", minutes=1, **known)
    (refused,) = match([given], MemoryDouble(), early_since=after(1 if "sp4n" in known.get("of", ()) else 0))
    assert refused.outcome == "refused"

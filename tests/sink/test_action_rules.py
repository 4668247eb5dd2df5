"""The monotone rule alone, without a database."""

from __future__ import annotations

from typing import Any

import pytest

from schemas import Actor, Attachment, Office, Status
from sink.action_rules import ComplaintState, OfficeState, apply_action
from tests.sink.made import action

ROADS = Office(id="pu", name="Dinas Pekerjaan Umum")


def case(status: str = "verified", at: int | None = 5, **offices: tuple[str, str]) -> ComplaintState:
    """A complaint with that status since minute `at`; offices as state and kind of the actor that chose them."""
    states = {office: OfficeState(None, state, by, None, since=1) for office, (state, by) in offices.items()}
    return ComplaintState("c", status=status, status_at=at, offices=states)


@pytest.mark.parametrize(
    ("status", "at", "reopens", "moves", "reason"),
    [
        ("in_progress", 6, False, True, None),
        ("in_progress", 5, False, True, None),
        ("in_progress", 4, False, False, "older_than_the_current_status"),
        ("done", 6, False, True, None),
        ("verified", 6, False, False, "status_is_current"),
        ("unverified", 6, False, False, "status_would_move_back"),
        ("unverified", 6, True, True, None),
        ("unverified", 4, True, False, "older_than_the_current_status"),
        ("unknown", 6, False, False, "status_unknown"),
        ("unknown", 6, True, False, "status_unknown"),
    ],
)
def test_a_status_moves_forward_only_by_the_sources_own_time(
    status: Any, at: int, reopens: bool, moves: bool, reason: str | None
) -> None:
    now = case("verified", 5)
    effect = apply_action(action(1, "status", status=status, status_said="BARU", reopens=reopens), now, None, at)
    assert (effect.status_moved, effect.reason) == (moves, reason)
    assert (now.status, now.status_said) == ((status, "BARU") if moves else ("verified", None))


def test_a_closed_complaint_moves_between_closed_statuses_and_opens_only_where_stated() -> None:
    now = case("done")
    assert apply_action(action(1, "status", status="archived"), now, None, 6).status_moved
    assert not apply_action(action(2, "status", status="in_progress"), now, None, 7).status_moved
    assert apply_action(action(3, "status", status="in_progress", reopens=True), now, None, 7).status_moved
    assert now.status == "in_progress"


@pytest.mark.parametrize(("at", "moves"), [(2, False), (3, True), (4, True)])
def test_the_state_of_an_office_moves_from_the_time_when_it_got_the_report(at: int, moves: bool) -> None:
    now = case("verified", 1, pu=("assigned", "router"))
    now.offices["pu"].since = 3
    apply_action(action(1, "status", status="in_progress", office=ROADS), now, None, at)
    assert now.offices["pu"].state == ("in_progress" if moves else "assigned")


@pytest.mark.parametrize("status", ["verified", "in_progress"])
@pytest.mark.parametrize("at", [4, 6])
def test_an_office_does_not_begin_again_with_a_closed_complaint(status: Any, at: int) -> None:
    now = case("rejected", pu=("returned", "officer"))
    effect = apply_action(action(1, "status", status=status, office=ROADS), now, None, at)
    assert (effect.applied, effect.steps, now.offices["pu"].state) == (False, [], "returned")
    assert effect.reason == ("status_would_move_back" if at == 6 else "older_than_the_current_status")


def test_an_answer_after_the_end_is_words_alone() -> None:
    now = case("rejected", pu=("returned", "officer"))
    late = action(1, "answer", text="Silakan ke dinas provinsi", status="in_progress", office=ROADS)
    assert [step.what for step in apply_action(late, now, None, 6).steps] == ["answer"]
    assert (now.status, now.offices["pu"].state) == ("rejected", "returned")


def test_the_first_status_needs_no_earlier_time() -> None:
    now = case("unverified", None)
    assert apply_action(action(1, "status", status="done"), now, None, 1).status_moved


def test_an_answer_with_a_late_status_is_applied_without_it() -> None:
    now = case("done", 9)
    effect = apply_action(action(1, "answer", text="Sudah kami periksa", status="in_progress"), now, None, 3)
    assert (effect.applied, effect.status_moved, effect.reason) == (True, False, "older_than_the_current_status")
    assert [step.what for step in effect.steps] == ["answer"]


@pytest.mark.parametrize(
    ("what", "more", "reason"),
    [
        ("unknown", {"text": "x"}, "unknown_action"),
        ("answer", {}, "nothing_to_apply"),
        ("status", {}, "no_status"),
        ("disposition", {}, "no_office"),
        ("join", {"to": "1708000001"}, "no_other_complaint"),
        ("undo", {}, "no_other_complaint"),
    ],
)
def test_what_is_not_applied_has_a_reason(what: str, more: dict[str, Any], reason: str) -> None:
    effect = apply_action(action(1, what, **more), case(), None, 6)
    assert (effect.applied, effect.reason, effect.steps) == (False, reason, [])


def test_a_file_alone_is_an_answer() -> None:
    letter = Attachment(url="https://contoh.id/surat.pdf")
    assert apply_action(action(1, "answer", attachments=(letter,)), case(), None, 6).applied


def test_a_disposition_comes_before_the_choice_of_a_rule() -> None:
    now = case(front=("assigned", "router"), police=("in_progress", "router"), water=("assigned", "officer"))
    apply_action(action(1, "disposition", office=ROADS), now, None, 6)
    assert {office: had.state for office, had in now.offices.items()} == {
        "front": "passed_on", "police": "in_progress", "water": "assigned", "pu": "assigned",
    }  # fmt: skip
    assert (now.offices["front"].until, now.offices["pu"].since, now.offices["pu"].by_kind) == (6, 6, "officer")


def test_an_office_that_passes_a_complaint_on_no_longer_has_it() -> None:
    now = case(water=("in_progress", "officer"))
    office = Actor(kind="office", id="water")
    apply_action(action(1, "disposition", office=ROADS, actor=office), now, None, 6)
    assert now.offices["water"].state == "passed_on"


@pytest.mark.parametrize("status", ["verified", "in_progress", "done", "rejected"])
def test_an_office_that_passed_a_complaint_on_neither_begins_nor_ends_it(status: Status) -> None:
    now = case("unverified", water=("passed_on", "router"), pu=("assigned", "officer"))
    effect = apply_action(action(1, "status", status=status, office=Office(id="water")), now, None, 6)
    assert (effect.applied, effect.reason, now.status, now.changed) == (False, "passed_on", "unverified", set())
    answer = action(2, "answer", text="Sudah kami teruskan", status="in_progress", office=Office(id="water"))
    assert apply_action(answer, now, None, 7).applied
    assert (now.status, now.holders) == ("unverified", ["pu"])


def test_a_disposition_to_an_office_that_had_it_gives_it_back() -> None:
    now = case(pu=("returned", "officer"))
    apply_action(action(1, "disposition", office=ROADS), now, None, 6)
    assert (now.offices["pu"].state, now.offices["pu"].since) == ("assigned", 6)
    assert now.changed == {"pu"}


def test_one_office_that_is_done_does_not_close_what_another_works_on() -> None:
    now = case("in_progress", pu=("in_progress", "officer"), water=("assigned", "officer"))
    first = apply_action(action(1, "status", status="done", office=ROADS), now, None, 6)
    assert (first.applied, first.reason, now.status) == (True, "another_office_works_on_it", "in_progress")
    assert now.offices["pu"].state == "done"
    last = apply_action(action(2, "status", status="done", office=Office(id="water")), now, None, 7)
    assert (last.status_moved, now.status) == (True, "done")


def test_a_reopened_complaint_is_with_the_office_again_that_was_done_with_it_last() -> None:
    now = case("in_progress", pu=("in_progress", "officer"), water=("in_progress", "officer"))
    for minute, office in enumerate(("pu", "water"), 6):
        apply_action(action(minute, "status", status="done", office=Office(id=office)), now, None, minute)
    now.changed.clear()
    apply_action(action(9, "status", status="in_progress", reopens=True), now, None, 9)
    assert {id: (had.state, had.until) for id, had in now.offices.items()} == {
        "pu": ("done", 6), "water": ("in_progress", None),
    }  # fmt: skip
    assert now.changed == {"status", "water"}


def test_a_reopened_complaint_stays_with_the_office_that_has_it_still() -> None:
    now = case("done", pu=("done", "officer"), water=("assigned", "officer"))
    apply_action(action(1, "status", status="in_progress", reopens=True), now, None, 9)
    assert (now.changed, now.offices["pu"].state) == ({"status"}, "done")


def test_an_office_that_is_not_assigned_closes_the_complaint_for_all() -> None:
    now = case("in_progress", front=("assigned", "router"))
    assert apply_action(action(1, "status", status="done", office=ROADS), now, None, 6).status_moved


def test_a_complaint_is_not_linked_with_itself() -> None:
    assert not apply_action(action(1, "link", to="1708000001"), case(), "c", 6).applied


def test_a_link_stands_in_both_timelines() -> None:
    effect = apply_action(action(1, "link", to="1708000001"), case(), "d", 6)
    assert [(step.complaint, step.what) for step in effect.steps] == [("c", "link"), ("d", "link")]
    assert effect.link == ("same_incident", "d")


@pytest.mark.parametrize(
    ("was", "status", "moves"),
    [("done", "archived", True), ("done", "rejected", False), ("rejected", "done", False),
     ("rejected", "archived", False), ("archived", "done", False), ("archived", "rejected", False)],
)  # fmt: skip
def test_one_end_becomes_another_only_where_that_is_stated(was: str, status: Any, moves: bool) -> None:
    now = case(was, pu=("returned", "officer"))
    effect = apply_action(action(1, "status", status=status, office=ROADS), now, None, 6)
    assert (effect.status_moved, effect.applied, now.status) == (moves, moves, status if moves else was)
    stated = apply_action(action(2, "status", status=status, reopens=True), now, None, 7)
    assert (stated.status_moved or moves, now.status) == (True, status)
    assert now.holders == []


@pytest.mark.parametrize(("first", "last", "ends"), [
    ("done", "rejected", "done"), ("rejected", "done", "done"), ("archived", "rejected", "rejected"),
    ("rejected", "rejected", "rejected"),
])  # fmt: skip
def test_of_several_offices_one_that_is_done_makes_the_complaint_done(first: Any, last: Any, ends: str) -> None:
    now = case("in_progress", pu=("in_progress", "officer"), water=("assigned", "officer"))
    part = apply_action(action(1, "status", status=first, text="Bagian kami", office=ROADS), now, None, 6)
    assert (part.part, part.status_moved, now.status) == (True, False, "in_progress")
    end = apply_action(action(2, "status", status=last, office=Office(id="water")), now, None, 7)
    assert (end.part, end.status_moved, now.status) == (False, True, ends)
    assert end.steps[-1].what == f"status_{ends}"


@pytest.mark.parametrize(("at", "told"), [(4, ["disposition"]), (5, []), (9, [])])
def test_a_closed_complaint_is_passed_to_nobody(at: int, told: list[str]) -> None:
    now = case("done", pu=("done", "officer"))
    effect = apply_action(action(1, "disposition", office=Office(id="water", name="PDAM")), now, None, at)
    assert [step.what for step in effect.steps] == told
    assert effect.reason == (None if told else "closed")
    assert (now.holders, sorted(now.offices), now.passed) == ([], ["pu"], [])


def test_an_office_that_has_it_does_not_get_it_again() -> None:
    now = case(pu=("in_progress", "officer"))
    again = apply_action(action(1, "disposition", office=ROADS), now, None, 6)
    assert (again.applied, again.reason, now.passed, now.changed) == (False, "office_has_it", [], set())

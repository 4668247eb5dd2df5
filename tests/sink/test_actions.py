from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas import Actor, Attachment, Message, Office, Owed, Party, complaint_id, message_id
from sink import Record, book_received, export, outcomes_of
from tests.sink.made import (
    FRONT_DESK,
    NOW,
    PHONE,
    acted,
    action,
    decision,
    ledger,
    message,
    persist,
    recall,
    received,
    remember,
    replies,
    routed,
    rows,
)

ANSWER = Owed(template="officer_answer", params={"text": "Sudah kami perbaiki"})
ROADS = Office(id="pu", name="Dinas Pekerjaan Umum")


def status_of(record: Record) -> Any:
    return rows(record, "SELECT status, status_said FROM complaints")[0]


def answer(n: int, **more: Any) -> Any:
    return acted(action(n, "answer", text="Sudah kami perbaiki", **more), message(1), owed=ANSWER)


def test_a_status_is_applied_once_and_stands_with_the_sources_own_word(record: Record) -> None:
    persist(record, routed(message(1)))
    event = acted(action(5, "status", status="in_progress", status_said="Diproses"), message(1))
    persist(record, event)
    persist(record, event)
    assert status_of(record) == ("in_progress", "Diproses")
    (line,) = export(record, None)
    assert line["timeline"][-1] == {
        "at": "2025-07-01T03:05:00+00:00", "what": "status_in_progress", "who": "Budi", "why": "Diproses",
    }  # fmt: skip
    assert rows(record, "SELECT count(*) FROM actions") == [(1,)]


@pytest.mark.parametrize("together", [True, False])
def test_case_25_statuses_out_of_order_end_as_the_source_meant_them(record: Record, together: bool) -> None:
    persist(record, routed(message(1)))
    late = action(8, "status", status="in_progress", observed_at=NOW + timedelta(minutes=3))
    events = [acted(action(7, "status", status="done"), message(1)), acted(late, message(1))]
    for batch in [events] if together else [[event] for event in events]:
        persist(record, *batch)
    assert status_of(record) == ("done", None)
    assert rows(record, "SELECT applied, reason FROM actions ORDER BY raw") == [
        (True, None), (False, "older_than_the_current_status"),
    ]  # fmt: skip


def test_an_action_that_changes_nothing_is_refused_with_its_reason(record: Record) -> None:
    persist(record, routed(message(1)))
    same = acted(action(5, "status", status="unverified", status_said="BARU"), message(1))
    persist(record, same)
    (outcome,) = outcomes_of(record, [same.matched.item.raw])
    assert (outcome.outcome, outcome.reason) == ("refused", "status_is_current")
    assert rows(record, "SELECT status_said, applied FROM actions") == [("BARU", False)]


def test_a_source_whose_clock_is_ahead_does_not_hold_up_later_statuses(record: Record) -> None:
    persist(record, routed(message(1)))
    ahead = action(5, "status", status="verified", observed_at=NOW + timedelta(days=3650))
    persist(record, acted(ahead, message(1)))
    persist(record, acted(action(6, "status", status="done"), message(1)))
    assert status_of(record)[0] == "done"


def test_an_answer_is_owed_to_the_reporter_outside_the_days_limit(record: Record) -> None:
    persist(record, routed(message(1)))
    assert replies(record, answer(5)) == 1
    assert replies(record, answer(5)) == 0
    found = rows(record, "SELECT template, automatic, account, complaint FROM outbox ORDER BY created_at, template")
    assert found[-1] == ("officer_answer", False, "sms", complaint_id(message(1).id))
    (line,) = export(record, None)
    assert line["timeline"][-1]["why"] == "Sudah kami perbaiki"


def test_what_is_not_applied_owes_nothing(record: Record) -> None:
    persist(record, routed(message(1)))
    told = Owed(template="status_changed", params={"status": "unverified"})
    assert replies(record, acted(action(5, "status", status="unverified"), message(1), owed=told)) == 0


def test_an_internal_note_is_in_the_timeline_and_owed_to_nobody(record: Record) -> None:
    persist(record, routed(message(1)))
    assert replies(record, acted(action(5, "note", text="Pelapor sering keliru"), message(1))) == 0
    (line,) = export(record, None)
    assert line["timeline"][-1]["what"] == "note"


def form(n: int, **more: Any) -> Message:
    """A report by the web form, which cannot answer."""
    return message(n, id=message_id("web", "web", f"w{n}"), account="web", channel="web", conversation=f"w{n}",
                   proven=False, **more)  # fmt: skip


def test_a_reporter_whose_door_cannot_answer_is_answered_where_the_channel_vouches_for_him(record: Record) -> None:
    opened = form(1)
    events = [routed(opened), routed(message(2), "added", opened)]
    persist(record, *events, speaks=())
    act = acted(action(50, "answer", text="Ya"), opened, owed=ANSWER)
    assert replies(record, act) == 1
    assert rows(record, "SELECT account FROM outbox") == [("sms",)]


@pytest.mark.parametrize(
    "other",
    [
        message(2, sender=Party(phone=PHONE), proven=False),
        message(2, sender=Party(phone="+628120000999"), conversation="+628120000999"),
    ],
)
def test_an_answer_never_goes_to_somebody_who_only_claims_the_phone(record: Record, other: Message) -> None:
    opened = form(1)
    persist(record, routed(opened), routed(other, "added", opened), speaks=())
    assert replies(record, acted(action(50, "answer", text="Ya"), opened, owed=ANSWER)) == 0


def test_a_strangers_question_makes_nobody_a_reporter(record: Record) -> None:
    opened = form(1)
    persist(record, routed(opened), routed(message(2), "asked", opened, stranger=True), speaks=())
    assert replies(record, acted(action(50, "answer", text="Ya"), opened, owed=ANSWER)) == 0


def test_a_disposition_gives_each_office_its_own_state(record: Record) -> None:
    persist(record, routed(message(1)))
    persist(record, acted(action(5, "disposition", office=ROADS), message(1)))
    persist(record, acted(action(6, "status", status="in_progress", office=ROADS), message(1)))
    assert rows(record, "SELECT office_id, state, by_kind FROM assignments ORDER BY seq") == [
        ("front", "passed_on", "router"), ("pu", "in_progress", "officer"),
    ]  # fmt: skip
    (line,) = export(record, None)
    assert line["office"] == {"id": "pu", "name": "Dinas Pekerjaan Umum"}
    assert [s["what"] for s in line["timeline"]] == ["routed", "recorded", "disposition", "status_in_progress"]
    assert line["timeline"][0]["why"] == FRONT_DESK.why


def two_complaints(record: Record) -> list[str]:
    """Their numbers."""
    both = [message(1), message(2)]
    known = recall(record, *both)
    remember(record, [(m, decision(m, known)) for m in both])
    numbers = [known.new_numbers[complaint_id(m.id)] for m in both]
    persist(record, *(routed(m, number=n) for m, n in zip(both, numbers, strict=True)))
    return numbers


def test_a_link_and_its_undoing(record: Record) -> None:
    _, other = two_complaints(record)
    persist(record, acted(action(5, "link", to=other), message(1)))
    first, second = export(record, None)
    assert [m["of"] for m in first["matches"]] == [second["id"]]
    assert [m["of"] for m in second["matches"]] == [first["id"]]
    assert first["matches"][0]["kind"] == "same_incident"
    persist(record, acted(action(6, "undo", to=other), message(1)))
    assert [line["matches"] for line in export(record, None)] == [[], []]
    assert rows(record, "SELECT DISTINCT undone_by FROM matches") == [("Budi",)]
    assert [s["what"] for s in list(export(record, None))[1]["timeline"]][-2:] == ["link", "undo"]


def test_what_is_linked_is_not_linked_again_and_what_is_not_linked_not_undone(record: Record) -> None:
    _, other = two_complaints(record)
    for n, what in enumerate(("undo", "link", "link", "join", "undo", "undo"), start=5):
        persist(record, acted(action(n, what, to=other), message(1)))
    found = rows(record, "SELECT what, applied, reason FROM actions ORDER BY received_at, raw")
    assert [(what, bool(applied), reason) for what, applied, reason in found] == [
        ("undo", False, "not_linked"), ("link", True, None), ("link", False, "linked_already"), ("join", True, None),
        ("undo", True, None), ("undo", False, "not_linked"),
    ]  # fmt: skip


def test_actions_before_the_message_that_opened_the_complaint_wait_for_it(record: Record) -> None:
    act = acted(action(5, "status", status="in_progress", status_said="Diproses"), message(1))
    assert replies(record, act, answer(6)) == 0
    assert replies(record, routed(message(1))) == 2
    assert status_of(record) == ("in_progress", "Diproses")
    assert sorted(rows(record, "SELECT template FROM outbox")) == [("number_given",), ("officer_answer",)]
    late = action(7, "status", status="verified", observed_at=NOW + timedelta(minutes=2))
    persist(record, acted(late, message(1)))
    assert status_of(record) == ("in_progress", "Diproses")


def test_a_status_that_came_early_is_known_to_the_next_action(record: Record) -> None:
    persist(record, acted(action(5, "status", status="done"), message(1)))
    persist(record, acted(action(6, "status", status="verified"), message(1)))
    assert rows(record, "SELECT reason FROM actions ORDER BY raw") == [(None,), ("status_would_move_back",)]
    persist(record, routed(message(1)))
    assert status_of(record) == ("done", None)


def test_an_action_about_an_unknown_complaint_is_recorded_with_its_reason(record: Record) -> None:
    unknown = acted(action(5, "answer", text="Ya"), message(1), "refused", id=None, number=None, reason="no_complaint")
    persist(record, unknown)
    found = rows(record, "SELECT complaint, applied, reason, text FROM actions")
    assert found == [(None, False, "no_complaint", "Ya")]


def test_a_redelivered_action_leaves_only_its_outcome(record: Record) -> None:
    persist(record, routed(message(1)))
    persist(record, acted(action(5, "answer", text="Ya"), message(1), "redelivered"))
    assert rows(record, "SELECT count(*) FROM actions") == [(0,)]


def test_an_action_has_its_place_in_the_ledger(record: Record) -> None:
    persist(record, routed(message(1)))
    act = action(5, "answer", text="Ya")
    persist(record, acted(act, message(1)), acted(action(6, "status", status="unverified"), message(1)))
    received(record, message(1))
    book_received(record, [(a.raw, a.account, a.received_at) for a in (act, action(6, "status"))])
    assert ledger(record) == {"received": 3, "recorded": 1, "added": 1, "refused": 1}


def test_the_files_of_an_answer_hang_on_the_complaint(record: Record) -> None:
    persist(record, routed(message(1)))
    file = Attachment(name="Surat.pdf", sha256="f" * 64, state="fetched")
    persist(record, acted(action(5, "answer", attachments=(file,)), message(1)))
    assert rows(record, "SELECT complaint FROM attachments") == [(complaint_id(message(1).id),)]


def test_an_officers_action_touches_its_complaint_and_a_citizens_message_does_not(record: Record) -> None:
    persist(record, routed(message(1)), routed(message(2), "added", message(1)))
    assert rows(record, "SELECT touched_at FROM complaints") == [(None,)]
    persist(record, acted(action(9, "note", text="x"), message(1)))
    ((touched, updated),) = rows(record, "SELECT touched_at, updated_at FROM complaints")
    assert touched == updated is not None


def test_the_actor_of_a_system_without_a_name_is_its_kind(record: Record) -> None:
    persist(record, routed(message(1)))
    persist(record, acted(action(5, "answer", text="Ya", actor=Actor(kind="system")), message(1)))
    (line,) = export(record, None)
    assert line["timeline"][-1]["who"] == "system"


def test_the_same_words_reach_a_reporter_again_only_after_an_objection(record: Record) -> None:
    report = message(1)
    thanks, objection = message(4, text="Terima kasih", sort="thanks"), message(6, text="BELUM", command="BELUM")
    later = action(9, "answer", text="Sudah kami perbaiki", observed_at=NOW + timedelta(minutes=2))
    events = [
        routed(report),
        *(acted(action(n, "answer", text="Sudah kami perbaiki"), report, owed=ANSWER) for n in (2, 3)),
        routed(thanks, "added", report),
        acted(action(5, "answer", text="Sudah kami perbaiki"), report, owed=ANSWER),
        routed(objection, "added", report),
        acted(later, report, owed=ANSWER),  # the first one, as another system tells it
    ]
    for event in events:
        persist(record, event)
    count = "SELECT count(*) FROM outbox WHERE template = 'officer_answer'"
    assert rows(record, count) == [(1,)]
    persist(record, acted(action(10, "answer", text="Sudah kami perbaiki"), report, owed=ANSWER))
    assert rows(record, count) == [(2,)]

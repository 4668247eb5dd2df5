"""One answer to an incident, and a report that offices hand on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from router import OfficeRegistry, RegisteredOffice, plan_answer
from router.handover import Handover, PassedOn, hand_over
from schemas import Action, Actor, Match, Message, Office, Owed, Party, complaint_id
from sink import Record, track_report
from sink.batch_items import PersistOptions
from sink.persist import persist_batch
from tests.sink.made import NOW, acted, action, decision, message, number, persist, recall, remember, routed, rows

ANSWER = Owed(template="officer_answer", params={"text": "Sudah kami perbaiki"})
OFFICES = OfficeRegistry([
    RegisteredOffice(id="pu", name="Dinas PU", regions=("32.73",)),
    RegisteredOffice(id="dishub", name="Dinas Perhubungan", regions=("32.73",)),
])  # fmt: skip


def report(record: Record, n: int, phone: str = "", *linked: tuple[Message, float], **more: Any) -> Message:
    """A report of that phone; linked with these by the matcher, so surely."""
    own = phone or f"+62812000017{n}"
    opened = message(n, conversation=own, sender=Party(phone=own), **more)
    matches = tuple(
        Match(kind="same_incident", of=complaint_id(other.id), score=score, evidence="alike") for other, score in linked
    )
    persist(record, routed(opened, matches=matches))
    return opened


def answered(record: Record, n: int, on: Message, text: str = "Sudah kami perbaiki", **more: Any) -> list[str]:
    """The numbers under which the answer goes out."""
    before = {id for (id,) in rows(record, "SELECT id FROM outbox")}
    owed = Owed(template="officer_answer", params={"text": text})
    event = acted(action(n, "answer", text=text, **more), on, owed=owed)
    persist(record, event)
    persist(record, event)
    found = rows(record, "SELECT id, number FROM outbox WHERE template = 'officer_answer' ORDER BY number")
    return [number for id, number in found if id not in before]


def numbers(*reports: Message) -> list[str]:
    return sorted(number(complaint_id(one.id)) for one in reports)


def test_an_answer_reaches_the_whole_incident_whichever_report_it_was_given_to(record: Record) -> None:
    first = report(record, 1)
    second = report(record, 2, "", (first, 0.95))
    third = report(record, 3, "", (second, 1.0))
    for n, on in enumerate((first, second, third), 1):
        assert answered(record, n, on, f"Jawaban {n}") == numbers(first, second, third)


def test_the_same_words_to_each_report_of_an_incident_reach_each_reporter_once(record: Record) -> None:
    first = report(record, 1)
    second = report(record, 2, "", (first, 1.0))
    third = report(record, 3, "", (first, 1.0))
    assert answered(record, 1, first) == numbers(first, second, third)
    assert answered(record, 2, second) == []
    assert answered(record, 3, third, "Masih dikerjakan") == numbers(first, second, third)


def test_reports_that_stand_in_lapor_too_are_answered_from_there_each_by_itself(record: Record) -> None:
    there = [{"external_ids": {"sp4n": str(1234567 + n)}} for n in range(3)]
    first = report(record, 1, **there[0])
    second = report(record, 2, "", (first, 1.0), **there[1])
    third = report(record, 3, "", (first, 1.0))
    for n, on in enumerate((first, second), 1):
        system = {"of": on.external_ids, "actor": Actor(kind="system", id="lapor")}
        expected = numbers(on, third) if on is first else numbers(on)
        assert answered(record, n, on, **system) == expected


def test_an_answer_to_the_incident_is_shown_on_the_page_of_each(record: Record) -> None:
    first = report(record, 1)
    second = report(record, 2, "", (first, 1.0))
    answered(record, 1, first)
    answered(record, 2, second)
    shown = track_report(record, *numbers(second), token=record.vault.token(second.raw))
    assert shown is not None
    assert [answer.text for answer in shown.answers] == ["Sudah kami perbaiki"]


def test_a_person_with_two_reports_of_an_incident_gets_one_answer(record: Record) -> None:
    first = report(record, 1, "+628120000171")
    second = report(record, 2, "+628120000171", (first, 1.0))
    third = report(record, 3, "", (first, 1.0))
    assert answered(record, 1, second) == numbers(second, third)


def test_a_link_that_is_not_sure_shares_no_answer_until_an_officer_links_them(record: Record) -> None:
    first = report(record, 1)
    second = report(record, 2, "", (first, 0.6))
    assert answered(record, 1, first) == numbers(first)
    link = action(2, "link", to=number(complaint_id(second.id)))
    with record.write() as connection:
        values = {"c": complaint_id(second.id), "n": number(complaint_id(second.id))}
        mark = ("?", "?") if connection.dialect.name == "sqlite" else ("%s", "%s")
        connection.exec_driver_sql(
            f"INSERT INTO numbers (complaint, number, owner, last_at, reporter) "
            f"SELECT {mark[0]}, {mark[1]}, owner, received_at, conversation FROM messages LIMIT 1",
            (values["c"], values["n"]),
        )
    persist(record, acted(link, first))
    assert answered(record, 3, first, "Terima kasih") == numbers(first, second)


def test_the_reports_of_an_incident_keep_their_own_status(record: Record) -> None:
    first = report(record, 1)
    report(record, 2, "", (first, 1.0))
    persist(record, acted(action(1, "answer", text="Ya", status="in_progress"), first, owed=ANSWER))
    found = rows(record, "SELECT id, status FROM complaints")
    assert {status for id, status in found if id == complaint_id(first.id)} == {"in_progress"}
    assert {status for id, status in found if id != complaint_id(first.id)} == {"unverified"}


def test_a_complaint_knows_its_incident_by_the_first_one(record: Record) -> None:
    both = [message(n, conversation=f"+62812000017{n}") for n in (1, 2, 3)]
    known = recall(record, *both)
    remember(record, [(m, decision(m, known)) for m in both])
    persist(record, *(routed(m, number=known.new_numbers[complaint_id(m.id)]) for m in both))
    first, second, third = (complaint_id(m.id) for m in both)
    persist(record, acted(action(1, "link", to=known.new_numbers[first]), both[1]))
    persist(record, acted(action(2, "link", to=known.new_numbers[second]), both[2]))
    found = "SELECT id, incident_id FROM complaints"
    assert dict(rows(record, found)) == {first: None, second: first, third: first}
    persist(record, acted(action(3, "undo", to=known.new_numbers[second]), both[2]))
    assert dict(rows(record, found)) == {first: None, second: first, third: None}
    persist(record, acted(action(4, "undo", to=known.new_numbers[second]), both[0]))
    assert dict(rows(record, found)) == {first: None, second: None, third: None}


def next_office(history: Sequence[tuple[str | None, str]], act: Action, holders: Sequence[str]) -> Handover:
    return hand_over([PassedOn(*past) for past in history], act, OFFICES, holders=holders)


def passed(record: Record, n: int, on: Message, by: str, to: str | None) -> None:
    act = action(n, "disposition", actor=Actor(kind="office", id=by), office=Office(id=to) if to else None)
    persist_batch(record, [acted(act, on)], NOW, PersistOptions(hand_over=next_office))


def offices(record: Record) -> dict[str, Any]:
    return dict(rows(record, "SELECT office_id, state FROM assignments ORDER BY seq"))


def test_an_office_does_not_get_back_what_it_passed_on(record: Record) -> None:
    opened = report(record, 1)
    passed(record, 1, opened, "front", "pu")
    passed(record, 2, opened, "pu", "dishub")
    passed(record, 3, opened, "dishub", "pu")
    assert offices(record) == {
        "front": "passed_on", "pu": "passed_on", "dishub": "passed_on", "meja-layanan/32.73": "assigned",
    }  # fmt: skip
    ((why,),) = rows(record, "SELECT why FROM assignments WHERE office_id = 'meja-layanan/32.73'")
    assert why.startswith("Dinas Perhubungan menyatakan laporan ini bukan wewenangnya")
    assert rows(record, "SELECT office_id FROM actions ORDER BY raw")[-1] == ("meja-layanan/32.73",)


@pytest.mark.parametrize("to", [None, "entah"])
def test_without_a_known_office_it_goes_up(record: Record, to: str | None) -> None:
    opened = report(record, 1)
    passed(record, 1, opened, "pu", to)
    assert offices(record)["meja-layanan/32.73"] == "assigned"


def act_by_office(record: Record, n: int, on: Message, office: str, **more: Any) -> None:
    act = action(n, office=Office(id=office), actor=Actor(kind="office", id=office), **more)
    planned = plan_answer(acted(act, on).matched)
    persist_batch(record, [acted(act, on, owed=planned)], NOW, PersistOptions(speaks={"sms"}, hand_over=next_office))


def reopened(record: Record, n: int, on: Message) -> None:
    act = action(n, "status", status="in_progress", reopens=True, actor=Actor(kind="citizen"))
    persist_batch(record, [acted(act, on)], NOW, PersistOptions(hand_over=next_office))


def test_an_officer_without_an_office_passes_it_up_for_the_office_that_has_it(record: Record) -> None:
    opened = report(record, 1)
    passed(record, 1, opened, "front", "pu")
    act = action(2, "disposition", actor=Actor(kind="officer", id="ani"))
    persist_batch(record, [acted(act, opened)], NOW, PersistOptions(hand_over=next_office))
    assert offices(record) == {"front": "passed_on", "pu": "passed_on", "meja-layanan/32.73": "assigned"}
    assert rows(record, "SELECT actor_kind, actor_id FROM actions ORDER BY raw")[-1] == ("officer", "ani")


def test_a_report_that_its_office_refused_is_reopened_with_the_coordinators_one_after_the_other(
    record: Record,
) -> None:
    opened = report(record, 1)
    passed(record, 1, opened, "front", "pu")
    act_by_office(record, 2, opened, "pu", what="status", status="rejected", text="Bukan wewenang kami.")
    reopened(record, 3, opened)
    assert offices(record) == {"front": "passed_on", "pu": "returned", "meja-layanan/32.73": "assigned"}
    act_by_office(record, 4, opened, "meja-layanan/32.73", what="status", status="rejected", text="Bukan di sini.")
    reopened(record, 5, opened)
    assert [office for office, state in offices(record).items() if state == "assigned"] == ["meja-layanan/32"]


def test_the_words_of_each_of_several_offices_reach_the_citizen_and_the_last_one_ends_the_report(
    record: Record,
) -> None:
    opened = report(record, 1)
    passed(record, 1, opened, "front", "pu")
    passed(record, 2, opened, "", "dishub")
    act_by_office(record, 3, opened, "pu", what="status", status="done", text="Lubang sudah ditutup.")
    assert rows(record, "SELECT status FROM complaints") == [("unverified",)]
    act_by_office(record, 4, opened, "dishub", what="status", status="rejected", text="Lampu bukan milik kami.")
    assert rows(record, "SELECT status FROM complaints") == [("done",)]
    sent = rows(record, "SELECT template, params FROM outbox WHERE template <> 'number_given' ORDER BY created_at, id")
    assert sorted(template for template, _ in sent) == ["finished", "officer_answer"]
    tracked = track_report(record, number(complaint_id(opened.id)), last4="0171")
    assert tracked is not None
    assert [answer.text for answer in tracked.answers][-2:] == ["Lubang sudah ditutup.", "Lampu bukan milik kami."]

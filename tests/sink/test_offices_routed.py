"""Recorded complaints as rules are tried on them, and that new rules move no open case."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from router import OfficeRegistry, RegisteredOffice, Rules, route
from schemas import Category, Office, Place
from sink import Record
from sink import offices_routed as module
from sink.offices_routed import RecordedReport, recorded_reports
from sink.tables import assignments
from tests.sink.made import NOW, OFFICER, acted, action, message, persist, routed


def recorded(record: Record, **more: object) -> list[RecordedReport]:
    return [report for page in recorded_reports(record, NOW, **more) for report in page]


def test_a_complaint_comes_back_as_the_router_saw_it(record: Record) -> None:
    opener = message(
        1, title="Lampu", place=Place(code="32.73", level="regency", name="Kota Bandung", source="text"),
        category=Category(id="7", name="Jalan"), office=Office(id="dishub", name="Dishub"), report_class="complaint",
    )  # fmt: skip
    persist(record, routed(opener))
    [report] = recorded(record)
    seen = report.message
    assert (seen.title, seen.text, seen.clean_text) == (opener.title, opener.text, opener.clean_text)
    assert (seen.place, seen.category, seen.office) == (opener.place, opener.category, opener.office)
    assert (seen.owner, seen.channel, seen.report_class, seen.received_at) == (
        opener.owner, opener.channel, opener.report_class, opener.received_at,
    )  # fmt: skip
    assert seen.sender.identities == ()
    rules, offices = Rules.load(), OfficeRegistry([RegisteredOffice(id="dishub", name="Dishub", regions=("32.73",))])
    for one in (opener, seen):
        [event] = route([routed(one).matched], rules, offices)
        assert [a.office.id for a in event.assignments] == ["dishub"]


def test_a_complaint_that_lacked_words_comes_back_with_those_that_were_added(record: Record) -> None:
    photo = message(1, kind="image", text="")
    more = message(2, text="TL 4719360285 lampu mati", cleaned="lampu mati")
    persist(record, routed(photo, missing=("text",)), routed(more, "added", photo), routed(message(3)))
    assert [one.message.clean_text for one in recorded(record)] == ["lampu mati", message(3).text]


def test_pages_hold_each_complaint_once(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    openers = [message(n, received_at=NOW + timedelta(minutes=n // 3)) for n in range(1, 8)]
    persist(record, *map(routed, openers))
    assert sorted(r.message.raw for r in recorded(record)) == sorted(o.raw for o in openers)
    assert list(recorded_reports(record, NOW + timedelta(hours=1))) == []


def test_an_officers_word_settles_it_and_a_rules_choice_only_once_it_was_taken_up(record: Record) -> None:
    waiting, passed, begun = message(1), message(2), message(3)
    persist(record, *map(routed, (waiting, passed, begun)))
    persist(
        record,
        acted(action(4, "disposition", office=Office(id="dpu", name="DPU"), actor=OFFICER), passed),
        acted(action(5, "status", status="in_progress", office=Office(id="front")), begun),
    )
    settled = {report.message.raw: set(report.settled) for report in recorded(record)}
    assert settled == {waiting.raw: set(), passed.raw: {"dpu"}, begun.raw: {"front"}}


def test_new_rules_and_offices_move_no_open_case(record: Record) -> None:
    opener = message(1)
    before, after = (
        Rules.load(f'[[rule]]\nname = "r"\noffice = {{ id = "{id}" }}\nwhy = "Ya."\n') for id in ("dishub", "dpu")
    )
    matched = routed(opener).matched
    persist(record, *route([matched], before))
    held = _assignments(record)
    assert [office for office, *_ in held] == ["dishub"]
    more = routed(message(2), "added", opener).matched
    persist(record, *route([more], after), *route([routed(opener, "redelivered").matched], after))
    assert _assignments(record) == held


def _assignments(record: Record) -> list[tuple[str, str, object]]:
    columns = (assignments.c.office_id, assignments.c.state, assignments.c.since)
    with record.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]

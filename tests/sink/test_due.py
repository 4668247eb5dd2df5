"""Due dates as they are stored: from what happened, in whatever order it came, by whatever calendar holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from router.calendars import Holiday
from router.due import Calendars, DueDates, reminder_times
from schemas import Action, Message, Office
from sink import Record, Vault
from sink.due import mark_overdue, recompute_due
from sink.due_calendar import FIRST, CalendarEdition, has_older_calendar, move_due
from sink.due_queries import clocks_of_report, due_clocks, notices_after
from sink.due_reminders import OfficeTimes, remind
from tests.sink.made import acted, action, decision, message, persist, recall, remember, routed, rows
from tests.sink.overlap import Overlap

DATES = DueDates(Calendars())
ROADS = Office(id="pu", name="Dinas Pekerjaan Umum")
EDITION = CalendarEdition(2, date(2025, 8, 18))
AUGUST_15 = datetime(2025, 8, 15, 3, tzinfo=UTC)


def compute(record: Record, now: datetime, dates: DueDates = DATES, calendar: int = 1) -> int:
    return recompute_due(record, dates.compute, calendar, now=now)


def open_report(record: Record, at: datetime, n: int = 1, **more: Any) -> Message:
    opened = message(n, received_at=at, **more)
    persist(record, routed(opened), now=at)
    return opened


def act(record: Record, n: int, what: str, at: datetime, on: Message, **more: Any) -> None:
    persist(record, acted(action(n, what, received_at=at, observed_at=at, **more), on), now=at)


def clocks(record: Record) -> dict[str, tuple[str, str | None]]:
    return {name: (state, due) for name, state, due in rows(record, "SELECT clock, state, due_day FROM due_dates")}


def test_a_new_report_has_the_three_clocks_of_the_law(record: Record) -> None:
    open_report(record, datetime(2026, 3, 17, 2, tzinfo=UTC))
    assert compute(record, datetime(2026, 3, 17, 3, tzinfo=UTC)) == 1
    assert clocks(record) == {
        "verification": ("running", "2026-03-27"),
        "first_answer": ("running", "2026-03-31"),
        "completion": ("running", "2026-04-14"),
    }
    assert compute(record, datetime(2026, 3, 17, 4, tzinfo=UTC)) == 0


def test_a_report_shows_which_days_its_due_date_skips(record: Record) -> None:
    both = [message(1, received_at=datetime(2026, 12, 23, 2, tzinfo=UTC))]
    known = recall(record, *both)
    remember(record, [(both[0], decision(both[0], known))])
    number = next(iter(known.new_numbers.values()))
    persist(record, routed(both[0], number=number))
    compute(record, datetime(2026, 12, 23, 3, tzinfo=UTC))
    (clock,) = [c for c in clocks_of_report(record, number) if c["clock"] == "verification"]
    assert clock["due_day"] == "2026-12-30"
    assert [day[:10] for day in clock["skipped"]] == ["24-12-2026", "25-12-2026"]


@pytest.mark.parametrize(("place", "due"), [("31.71", "2026-02-05"), ("51.71", "2026-02-06"), ("91.03", "2026-02-06")])
def test_the_zone_of_the_office_decides_what_day_it_is(record: Record, place: str, due: str) -> None:
    dates = DueDates(Calendars(), {"front": place}.get)
    at = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
    open_report(record, at)
    compute(record, at, dates)
    assert clocks(record)["verification"] == ("running", due)


def test_the_clocks_rest_while_the_citizen_is_asked(record: Record) -> None:
    opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    act(record, 1, "question", datetime(2026, 2, 3, 3, tzinfo=UTC), opened, text="Di mana?")
    compute(record, datetime(2026, 2, 4, tzinfo=UTC))
    assert clocks(record)["completion"] == ("resting", None)
    reply = message(2, received_at=datetime(2026, 2, 10, 3, tzinfo=UTC))
    persist(record, routed(reply, "added", opened))
    compute(record, datetime(2026, 2, 11, tzinfo=UTC))
    assert clocks(record)["completion"] == (
        "running",
        DATES.calendars.of("32.73").add(date(2026, 2, 2), 19).day.isoformat(),
    )


def test_a_strangers_question_and_a_note_move_no_clock(record: Record) -> None:
    opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    compute(record, datetime(2026, 2, 2, 4, tzinfo=UTC))
    before = clocks(record)
    act(record, 1, "note", datetime(2026, 2, 3, tzinfo=UTC), opened, text="Cek lapangan")
    persist(record, routed(message(2), "asked", opened, stranger=True))
    compute(record, datetime(2026, 2, 4, tzinfo=UTC))
    assert clocks(record) == before


def test_an_older_status_that_was_not_taken_meets_no_clock(record: Record) -> None:
    opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    at = datetime(2026, 2, 3, 3, tzinfo=UTC)
    act(record, 1, "disposition", at, opened, office=ROADS)
    persist(record, acted(action(2, "disposition", office=Office(id="dlh"), received_at=at, observed_at=at), opened))
    act(record, 3, "status", at + timedelta(hours=1), opened, status="done", office=ROADS)
    compute(record, at + timedelta(hours=2))
    assert clocks(record)["completion"][0] == "running"


def test_a_finished_report_closes_by_itself_and_may_be_reopened_until_then(record: Record) -> None:
    opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    act(record, 1, "status", datetime(2026, 2, 4, 3, tzinfo=UTC), opened, status="done")
    compute(record, datetime(2026, 2, 5, tzinfo=UTC))
    closing = DATES.calendars.of("32.73").add(date(2026, 2, 4), 10).day
    assert clocks(record)["closing"] == ("running", closing.isoformat())
    (number,) = rows(record, "SELECT number FROM complaints")[0]
    later = datetime(2026, 3, 2, tzinfo=UTC)
    for _ in range(2):
        mark_overdue(record, later)
        compute(record, later)
    assert clocks(record)["closing"][0] == "met"
    assert rows(record, "SELECT count(*) FROM timeline WHERE what = 'closed'") == [(1,)]
    assert number


def test_the_matcher_learns_until_when_a_report_may_be_reopened(record: Record) -> None:
    opened = message(1, received_at=datetime(2026, 2, 2, 3, tzinfo=UTC))
    known = recall(record, opened)
    remember(record, [(opened, decision(opened, known))])
    number = next(iter(known.new_numbers.values()))
    persist(record, routed(opened, number=number))
    asked = message(2, command="BELUM", number=number)
    assert recall(record, asked).by_number[number].reopen_until is None
    act(record, 1, "status", datetime(2026, 2, 4, 3, tzinfo=UTC), opened, status="done")
    compute(record, datetime(2026, 2, 5, tzinfo=UTC))
    found = recall(record, asked).by_number[number]
    last = DATES.calendars.of("32.73").add(date(2026, 2, 4), 10).day
    assert found.closed
    assert found.reopen_until == datetime(last.year, last.month, last.day, 17, tzinfo=UTC)


def before_the_decree() -> DueDates:
    taken_back = Holiday("id", date(2025, 8, 18), "workday", "Hari kerja")
    return DueDates(Calendars([taken_back]))


def test_a_late_decree_moves_open_clocks_and_tells_the_office(record: Record) -> None:
    open_report(record, AUGUST_15)
    compute(record, AUGUST_15, before_the_decree(), 1)
    assert clocks(record)["verification"] == ("running", "2025-08-20")
    assert move_due(record, DATES.move, EDITION, now=AUGUST_15 + timedelta(days=1)).looked == 3
    assert clocks(record)["verification"] == ("running", "2025-08-21")
    told = rows(record, "SELECT office_id, clock, what, due_day, was_due_day FROM notices ORDER BY clock")
    assert ("front", "verification", "moved", "2025-08-21", "2025-08-20") in told
    assert len(told) == 3
    seen = notices_after(record, 0, office="front")
    assert [(n.what, n.number) for n in seen] == [("moved", rows(record, "SELECT number FROM complaints")[0][0])] * 3
    assert notices_after(record, seen[-1].seq) == notices_after(record, 0, office="pu") == []
    assert rows(record, "SELECT count(*) FROM timeline WHERE what = 'due_moved'") == [(3,)]
    assert move_due(record, DATES.move, EDITION, now=AUGUST_15 + timedelta(days=1)).looked == 0


def test_a_decree_goes_through_the_clocks_in_parts_each_once(record: Record) -> None:
    for n in range(1, 8):
        open_report(record, AUGUST_15, n)
    compute(record, AUGUST_15, before_the_decree(), 1)
    after, looked = FIRST, []
    while after is not None:
        part = move_due(record, DATES.move, EDITION, now=AUGUST_15, after=after, limit=4)
        after, looked = part.after, [*looked, part.looked]
    assert looked == [4, 4, 4, 4, 4, 1]
    assert rows(record, "SELECT DISTINCT calendar FROM due_dates") == [(2,)]
    assert rows(record, "SELECT count(*) FROM notices") == [(21,)]
    assert not has_older_calendar(record, EDITION)


def test_a_decree_far_from_every_due_day_tells_nobody(record: Record) -> None:
    open_report(record, AUGUST_15)
    compute(record, AUGUST_15)
    later = DueDates(Calendars([Holiday("id", date(2027, 3, 3), "joint", "Cuti bersama", "SKB")]))
    assert move_due(record, later.move, EDITION, now=AUGUST_15).looked == 3
    assert rows(record, "SELECT count(*) FROM notices") == [(0,)]


def times(superior: str = "coordinator") -> OfficeTimes:
    def reminders(region: str, office: str | None, clock: str, due: date) -> Any:
        return reminder_times(clock, due, region, DATES.calendars.of(region, office))

    def opening(office: str | None, region: str, now: datetime) -> datetime:
        return DATES.next_opening(region, now, office)

    return OfficeTimes(reminders, opening, lambda office, level: superior if level else office)


def test_an_office_is_warned_once_and_those_above_it_once_each_in_office_hours(sqlite_record: Record) -> None:
    record = sqlite_record
    open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))  # a Monday; verification is due on Thursday the 5th
    compute(record, datetime(2026, 2, 2, 4, tzinfo=UTC))
    found: list[tuple[Any, ...]] = []
    for hour in range(24 * 11):
        now = datetime(2026, 2, 3, tzinfo=UTC) + timedelta(hours=hour)
        mark_overdue(record, now)
        compute(record, now)
        before = rows(record, "SELECT count(*) FROM notices")[0][0]
        remind(record, times(), now=now)
        new = rows(record, f"SELECT office_id, clock, what, level FROM notices WHERE seq > {before} ORDER BY clock")
        found += [(now, *row) for row in new]
    assert all(1 <= now.hour < 9 and now.weekday() < 5 for now, *_ in found)  # 08:00 to 16:00 in WIB
    of_verification = [(now.date(), *rest) for now, *rest in found if rest[1] == "verification"]
    assert of_verification == [
        (date(2026, 2, 4), "front", "verification", "warning", 0),
        (date(2026, 2, 6), "coordinator", "verification", "overdue", 1),
        (date(2026, 2, 10), "coordinator", "verification", "overdue", 2),
        (date(2026, 2, 12), "coordinator", "verification", "overdue", 3),
    ]


def test_reminders_that_a_hub_slept_through_come_when_offices_open(record: Record) -> None:
    open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    compute(record, datetime(2026, 2, 2, 4, tzinfo=UTC))
    night = datetime(2026, 2, 4, 15, tzinfo=UTC)
    remind(record, times(), now=night)
    assert rows(record, "SELECT count(*) FROM notices") == [(0,)]
    remind(record, times(), now=datetime(2026, 2, 5, 1, 30, tzinfo=UTC))
    assert rows(record, "SELECT DISTINCT what FROM notices") == [("warning",)]


def test_what_is_overdue_is_one_bounded_query(record: Record) -> None:
    at = datetime(2026, 2, 2, 3, tzinfo=UTC)
    for n, owner in enumerate(("32.7", "32.73", "32.73.01", "32.74"), 1):
        open_report(record, at, n, owner=owner)
    compute(record, at)
    now = datetime(2026, 2, 6, tzinfo=UTC)
    search = partial(due_clocks, record, before=now)
    assert [clock.clock for clock in search()] == ["verification"] * 4
    assert sorted(clock.owner for clock in search(region="32.73")) == ["32.73", "32.73.01"]
    assert len(search(limit=2)) == 2
    assert search(office="front", region="32")[0].due_day == date(2026, 2, 5)
    assert search(office="pu") == []


def test_an_action_that_came_before_its_report_counts_when_the_report_comes(record: Record) -> None:
    opened = message(1, received_at=datetime(2026, 2, 2, 3, tzinfo=UTC))
    act(record, 1, "answer", datetime(2026, 2, 3, 3, tzinfo=UTC), opened, text="Ya")
    compute(record, datetime(2026, 2, 3, 4, tzinfo=UTC))
    assert clocks(record) == {}
    persist(record, routed(opened))
    compute(record, datetime(2026, 2, 3, 5, tzinfo=UTC))
    assert clocks(record)["first_answer"][0] == "met"


def test_a_reopening_by_the_citizen_gives_the_report_back_to_its_office(record: Record) -> None:
    opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
    act(record, 1, "status", datetime(2026, 2, 3, 3, tzinfo=UTC), opened, status="done", office=Office(id="front"))
    assert rows(record, "SELECT state FROM assignments") == [("done",)]
    word = message(2, received_at=datetime(2026, 2, 4, 3, tzinfo=UTC), command="BELUM", cleaned="masih mati")
    persist(record, routed(word, "added", opened), routed(message(3, command="BELUM"), "added", opened))
    compute(record, datetime(2026, 2, 4, 4, tzinfo=UTC))
    assert rows(record, "SELECT state FROM assignments") == [("in_progress",)]
    assert rows(record, "SELECT status FROM complaints") == [("in_progress",)]
    assert clocks(record)["completion"] == (
        "running",
        DATES.calendars.of("32.73").add(date(2026, 2, 4), 14).day.isoformat(),
    )
    assert clocks(record)["reopening"][0] == "cancelled"


def test_an_answer_to_an_incident_meets_the_first_answer_of_each(record: Record) -> None:
    at = datetime(2026, 2, 2, 3, tzinfo=UTC)
    both = [message(n, received_at=at, conversation=f"+62812000017{n}") for n in (1, 2)]
    known = recall(record, *both)
    remember(record, [(m, decision(m, known)) for m in both])
    numbers = list(known.new_numbers.values())
    persist(record, *(routed(m, number=n) for m, n in zip(both, numbers, strict=True)))
    act(record, 1, "link", at, both[0], to=numbers[1])
    answer: Action = action(2, "answer", text="Ya", received_at=at + timedelta(hours=1))
    persist(record, acted(answer, both[1]))
    compute(record, at + timedelta(hours=2))
    assert rows(record, "SELECT state FROM due_dates WHERE clock = 'first_answer'") == [("met",), ("met",)]


def test_a_report_whose_due_dates_cannot_be_computed_holds_up_no_other(
    record: Record, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime(2026, 2, 2, 3, tzinfo=UTC)
    open_report(record, datetime(2000, 1, 1, tzinfo=UTC))  # by a machine that had not yet asked for the time
    with pytest.raises(ValueError, match="lie outside"):
        compute(record, now)
    open_report(record, now, n=2)
    compute(record, now)
    assert clocks(record)["verification"] == ("running", "2026-02-05")
    assert [message.rpartition(": ")[2] for message in caplog.messages] == ["ValueError"]
    assert compute(record, now) == 0


def test_two_processes_remind_an_office_once(postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    with Record.open(postgres_url, vault) as record:
        open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
        compute(record, datetime(2026, 2, 2, 4, tzinfo=UTC))
        now = datetime(2026, 2, 4, 3, tzinfo=UTC)
        overlap = Overlap(record, monkeypatch, "sink.due_reminders.execute_each")
        one, other = overlap.run(lambda: remind(record, times(), now=now), lambda: remind(record, times(), now=now))
        assert sorted((one.result(), other.result())) == [0, 1]
        assert rows(record, "SELECT count(*) FROM notices") == [(1,)]


def test_an_office_is_told_once_though_its_due_dates_are_computed_meanwhile(
    postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Record.open(postgres_url, vault) as record:
        opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
        compute(record, datetime(2026, 2, 2, 4, tzinfo=UTC))
        now = datetime(2026, 2, 4, 3, tzinfo=UTC)
        act(record, 1, "note", now, opened, text="Ya")
        overlap = Overlap(record, monkeypatch, "sink.due._stored", after=True)
        overlap.run(lambda: compute(record, now), lambda: remind(record, times(), now=now))
        remind(record, times(), now=now)
        assert rows(record, "SELECT told FROM due_dates WHERE clock = 'verification'") == [(1,)]
        assert rows(record, "SELECT count(*) FROM notices") == [(1,)]


def test_a_mark_that_stands_already_is_not_taken_away_before_what_happened_is_seen(
    postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Record.open(postgres_url, vault) as record:
        opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
        at = datetime(2026, 2, 3, 3, tzinfo=UTC)
        overlap = Overlap(record, monkeypatch, "sink.persist.mark_stale", after=True)
        overlap.run(lambda: act(record, 1, "answer", at, opened, text="Ya"), lambda: compute(record, at))
        compute(record, at + timedelta(hours=1))
        assert clocks(record)["first_answer"][0] == "met"


def test_what_happens_while_due_dates_are_computed_is_computed_after_it(
    postgres_url: str, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Record.open(postgres_url, vault) as record:
        opened = open_report(record, datetime(2026, 2, 2, 3, tzinfo=UTC))
        at = datetime(2026, 2, 3, 3, tzinfo=UTC)
        overlap = Overlap(record, monkeypatch, "sink.due.cases_of", after=True)
        overlap.run(lambda: compute(record, at), lambda: act(record, 1, "answer", at, opened, text="Ya"))
        assert clocks(record)["first_answer"][0] == "running"
        assert compute(record, at + timedelta(hours=1)) == 1
        assert clocks(record)["first_answer"][0] == "met"

"""Reminders and moved dates as events for the systems that offices have of their own, and their replay."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from connectors import channel_type
from connectors._settings import secret_hook
from connectors.webhook import event_body
from router.calendars import Holiday
from router.due import Calendars, DueDates, reminder_times
from sink import Record
from sink.due import recompute_due
from sink.due_calendar import CalendarEdition, move_due
from sink.due_reminders import OfficeTimes, remind
from sink.forward_claims import claim_forwards
from sink.forward_progress import Progress, store_progress
from sink.forward_repair import replay_forwards
from sink.job_results import JobResult
from sink.leases import renew_leases
from tests.sink.made import message, persist, routed, rows

MONDAY = datetime(2026, 2, 2, 3, tzinfo=UTC)
WARNED, LATE = datetime(2026, 2, 4, 2, tzinfo=UTC), datetime(2026, 2, 6, 2, tzinfo=UTC)
DATES = DueDates(Calendars())
DECREE = Holiday("id", date(2026, 2, 4), "joint", "Cuti bersama", "SKB")


def webhook(account: str, *offices: str) -> Any:
    made = channel_type("webhook")
    fields = {"url": "https://contoh.go.id/x", "secret": "whsec_c2FuZGk=", "offices": offices}
    return made(account, "32.73", msgspec.convert(fields, made.settings_type, dec_hook=secret_hook))


FRONT, ABOVE = webhook("sistem-kota", "front"), webhook("sistem-provinsi", "above")


def times() -> OfficeTimes:
    def reminders(region: str, office: str | None, clock: str, due: date) -> Any:
        return reminder_times(clock, due, region, DATES.calendars.of(region, office))

    def opening(office: str | None, region: str, now: datetime) -> datetime:
        return DATES.next_opening(region, now, office)

    return OfficeTimes(reminders, opening, lambda office, level: "above" if level else office)


def opened(record: Record) -> None:
    persist(record, routed(message(1, received_at=MONDAY)), now=MONDAY)
    recompute_due(record, DATES.compute, 1, now=MONDAY)


def claim(record: Record, account: str, now: datetime) -> list[Any]:
    epochs = renew_leases(record, "holder", [f"forward/{account}"], now=now, pool="forward")
    own = {name.rpartition("/")[2]: epoch for name, epoch in epochs.items()}
    return claim_forwards(record, own, dict.fromkeys(own, 10), in_flight=(), now=now)


def told(record: Record, account: str, now: datetime) -> list[tuple[Any, ...]]:
    found = [one.forward for one in claim(record, account, now)]
    return sorted(
        (f.what, f.due.clock, f.due.what, f.due.level, f.due.due_day, f.offices[0].id) for f in found if f.due
    )


def test_each_office_s_system_is_told_what_that_office_is_told(record: Record) -> None:
    opened(record)
    remind(record, times(), [FRONT, ABOVE], now=WARNED)
    remind(record, times(), [FRONT, ABOVE], now=LATE)
    assert told(record, "sistem-kota", LATE) == [
        ("notice", "first_answer", "warning", 0, "2026-02-09", "front"),
        ("notice", "verification", "warning", 0, "2026-02-05", "front"),
    ]
    assert told(record, "sistem-provinsi", LATE) == [("notice", "verification", "overdue", 1, "2026-02-05", "above")]
    logged = [job for (job,) in rows(record, "SELECT job FROM disclosures")]
    assert sum(job.startswith("notice/") for job in logged) == 3


def test_a_moved_date_is_told_with_the_old_one(sqlite_record: Record) -> None:
    opened(sqlite_record)
    moved = DueDates(Calendars([DECREE]))
    edition = CalendarEdition(2, date(2026, 2, 4))
    move_due(sqlite_record, moved.move, edition, [FRONT, ABOVE], now=MONDAY + timedelta(hours=1))
    [verification] = [
        one for one in claim(sqlite_record, "sistem-kota", LATE) if one.forward.due.clock == "verification"
    ]
    event = json.loads(event_body(verification.forward, "sistem-kota"))
    assert (event["type"], event["data"]["due"]) == (
        "id.go.satupintu.notice",
        {"clock": "verification", "what": "moved", "due_day": "2026-02-06", "was_due_day": "2026-02-05"},
    )
    assert claim(sqlite_record, "sistem-provinsi", LATE) == []


@pytest.mark.parametrize("ends", ["done", "failed"])
def test_what_was_told_is_sent_again_by_time_under_its_old_id_and_says_so(record: Record, ends: Any) -> None:
    opened(record)
    remind(record, times(), [FRONT], now=WARNED)
    [before] = claim(record, "sistem-kota", WARNED)
    done = before.job._replace(step=None, results={"tell": {"status": 200}})
    store_progress(record, [Progress(done, JobResult(done, ends))], WARNED)
    assert replay_forwards(record, "sistem-kota", LATE, LATE + timedelta(1), LATE) == (0, None)
    assert replay_forwards(record, "sistem-kota", MONDAY, LATE, LATE) == (1, None)
    [again] = claim(record, "sistem-kota", LATE)
    assert (again.job.id, again.forward) == (before.job.id, before.forward)
    assert again.job.results == {"replayed": LATE.isoformat()}
    assert json.loads(event_body(again.forward, "x", replayed=True))["replayed"] is True

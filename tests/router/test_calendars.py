"""Working days against decrees, day by day, and the vectors of real years around Lebaran."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.calendars import FILE, written
from router.calendars import (
    Holiday,
    WorkingDayCalendar,
    calendar_of,
    load_holidays,
    local_day,
    national_holidays,
    zone_of,
)

NATIONAL = calendar_of("32.73", national_holidays())
DAYS = st.dates(date(2025, 1, 1), date(2027, 12, 31))

VECTORS = [
    (date(2025, 3, 27), {3: date(2025, 4, 10), 5: date(2025, 4, 14), 14: date(2025, 4, 28), 60: date(2025, 7, 11)}),
    (date(2025, 8, 15), {3: date(2025, 8, 21)}),
    (date(2026, 3, 17), {3: date(2026, 3, 27), 10: date(2026, 4, 8), 14: date(2026, 4, 14)}),
    (date(2027, 3, 5), {3: date(2027, 3, 18), 5: date(2027, 3, 22), 14: date(2027, 4, 6)}),
    (date(2026, 12, 23), {3: date(2026, 12, 30), 10: date(2027, 1, 12)}),
]


@pytest.mark.parametrize(("start", "dues"), VECTORS, ids=str)
def test_due_days_follow_the_decrees(start: date, dues: dict[int, date]) -> None:
    assert {days: NATIONAL.add(start, days).day for days in dues} == dues


@pytest.mark.slow
def test_the_shipped_calendar_is_what_the_package_and_the_decrees_say() -> None:
    assert FILE.read_text(encoding="utf-8") == written()


@pytest.mark.parametrize(("year", "working_days"), [(2025, 237), (2026, 240), (2027, 242)])
def test_a_year_has_as_many_working_days_as_its_decree_leaves(year: int, working_days: int) -> None:
    assert NATIONAL.count(date(year - 1, 12, 31), date(year, 12, 31)) == working_days


def test_a_decree_of_august_moves_a_due_date_that_was_open() -> None:
    before = WorkingDayCalendar(h for h in national_holidays() if h.decree != "SKB 933/1/3 Tahun 2025")
    assert before.add(date(2025, 8, 15), 3).day == date(2025, 8, 20)
    after = NATIONAL.add(date(2025, 8, 15), 3)
    assert after.day == date(2025, 8, 21)
    assert [h.day for h in after.skipped] == [date(2025, 8, 18)]


def test_a_due_date_past_the_last_decree_is_provisional() -> None:
    assert not NATIONAL.add(date(2027, 12, 1), 10).provisional
    assert NATIONAL.add(date(2027, 12, 23), 14).provisional


def test_a_region_adds_holidays_and_takes_days_back() -> None:
    rows = (
        *national_holidays(),
        Holiday("51", date(2026, 6, 17), "local", "Galungan", "SE Gubernur Bali"),
        Holiday("51", date(2026, 6, 18), "optional", "Umanis Galungan", "SE Gubernur Bali"),
        Holiday("51.71", date(2026, 6, 17), "workday", "Layanan buka", "SE Wali Kota Denpasar"),
    )
    badung, denpasar, bandung = (calendar_of(code, rows) for code in ("51.03", "51.71", "32.73"))
    assert not badung.is_working(date(2026, 6, 17))
    assert badung.is_working(date(2026, 6, 18))
    assert denpasar.is_working(date(2026, 6, 17))
    assert bandung.is_working(date(2026, 6, 17))


def test_one_instant_is_two_days_in_three_zones() -> None:
    at = datetime(2026, 8, 3, 16, 30, tzinfo=UTC)
    assert [local_day(at, code) for code in ("31", "51.71", "91.71")] == [
        date(2026, 8, 3), date(2026, 8, 4), date(2026, 8, 4),
    ]  # fmt: skip


def test_every_province_has_its_zone() -> None:
    zones = {code: zone_of(code).key for code in ("11", "36", "61", "62", "51", "65", "76", "81", "96")}
    assert zones == {
        "11": "Asia/Jakarta", "36": "Asia/Jakarta", "61": "Asia/Jakarta", "62": "Asia/Jakarta",
        "51": "Asia/Makassar", "65": "Asia/Makassar", "76": "Asia/Makassar",
        "81": "Asia/Jayapura", "96": "Asia/Jayapura",
    }  # fmt: skip


def test_a_wrong_row_is_named_by_its_line() -> None:
    with pytest.raises(ValueError, match="line 3: kind takes one of"):
        load_holidays("calendar,date,kind,name,decree\nid,2026-01-01,national,Tahun Baru,\nid,2026-01-02,libur,X,\n")
    for text in ("", "tanggal,nama\n2026-01-01,Tahun Baru\n"):
        with pytest.raises(ValueError, match="line 1: the heading calendar is missing: write calendar,date,kind"):
            load_holidays(text)


@given(start=DAYS, days=st.integers(1, 80))
def test_adding_and_counting_working_days_agree(start: date, days: int) -> None:
    due = NATIONAL.add(start, days)
    assert NATIONAL.count(start, due.day) == days
    assert NATIONAL.is_working(due.day)
    assert all(start < h.day <= due.day for h in due.skipped)

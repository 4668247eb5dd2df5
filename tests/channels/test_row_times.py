"""Times as offices write them: never another hour, never another day."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from connectors._rows import AmbiguousTime, read_time

ZONE = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2025-08-05 14.30", "2025-08-05T14:30:00+07:00"),
        ("2025-08-05T07.45", "2025-08-05T07:45:00+07:00"),
        ("2025-08-05 23.59+07:00", "2025-08-05T23:59:00+07:00"),
        ("2025-08-05 14.30.15", "2025-08-05T14:30:15+07:00"),
        ("2025-08-05 14:30:15.250", "2025-08-05T14:30:15.250000+07:00"),
        ("2025-08-05 14:30:15,25Z", "2025-08-05T14:30:15.250000+00:00"),
        ("2025-08-05 14.30 WITA", "2025-08-05T14:30:00+08:00"),
        ("2025-08-05 14.30 wit", "2025-08-05T14:30:00+09:00"),
        ("2025-08-05T14:30-0330", "2025-08-05T14:30:00-03:30"),
        ("2025-08-05", "2025-08-05T00:00:00+07:00"),
        ("2025/8/5 9:05", "2025-08-05T09:05:00+07:00"),
        ("20250805T143000Z", "2025-08-05T14:30:00+00:00"),
        ("25/08/2025 14.30", "2025-08-25T14:30:00+07:00"),
        ("08/25/2025", "2025-08-25T00:00:00+07:00"),
        ("05.08.2025 14.30", "2025-08-05T14:30:00+07:00"),
        ("08/08/2025", "2025-08-08T00:00:00+07:00"),
        ("5 Agustus 2025 pukul 14.30 WIB", "2025-08-05T14:30:00+07:00"),
        ("Selasa, 5 Agu 2025, jam 14.30", "2025-08-05T14:30:00+07:00"),
        ("5-Agt-2025 pkl. 7.05", "2025-08-05T07:05:00+07:00"),
        ("17 Aug 2025", "2025-08-17T00:00:00+07:00"),
        ("Tue, 05 Aug 2025 07:30:15 GMT", "2025-08-05T07:30:15+00:00"),  # RSS, HTTP and mail
        ("Sel, 5 Agu 2025 14.30", "2025-08-05T14:30:00+07:00"),
    ],
)
def test_a_time_is_read_as_it_is_meant(written: str, read: str):
    assert read_time(written, ZONE) == datetime.fromisoformat(read)


@pytest.mark.parametrize("written", ["05/08/2025 14.30", "5-8-2025", "1/2/2025"])
def test_a_day_that_may_be_a_month_is_not_guessed(written: str):
    with pytest.raises(AmbiguousTime):
        read_time(written, ZONE)


@pytest.mark.parametrize(
    "written",
    ["45874.604", "kemarin", "2025-08-05 14.3", "2025-08-05 14.300", "2025-08-05 25.00", "2025-13-01", "31/02/2025",
     "05/08/25", "2025-08-05 2.30 PM", "5 Brumaire 2025", "2025-08-05 14:30.5", "٢٠٢٥-08-05", ""],
)  # fmt: skip
def test_what_is_no_time_is_none(written: str):
    with pytest.raises(ValueError):  # noqa: PT011 - of datetime's own, too
        read_time(written, ZONE)

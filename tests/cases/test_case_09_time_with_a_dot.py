"""14.30 is half past two. Its siblings stand in tests/channels/test_row_times.py."""

from __future__ import annotations

from datetime import datetime

from tests.cases.conftest import INPUTS, Satupintu


def test_never_another_hour(satupintu: Satupintu):
    done = satupintu("parse", "file", INPUTS / "09" / "times.csv")
    sent = [datetime.fromisoformat(message["sent_at"]) for message in done.out]
    assert [time.strftime("%H:%M:%S %z") for time in sent] == [
        "14:30:00 +0700", "07:45:00 +0700", "23:59:00 +0700", "14:30:00 +0700",
    ]  # fmt: skip
    (line,) = done.err
    assert line.startswith('satupintu: line 6: "sent_at" may be two dates: write the year first, as 2025-08-17')
    assert done.code == 2

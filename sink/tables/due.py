"""Due dates, what offices are told of them, and the counters."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Index, Integer

from sink.instant import Instant
from sink.tables.columns import clustered, column, growing, index, key, maybe, owner

due_dates = clustered(
    "due_dates",
    key("complaint"), key("clock"),
    owner(), maybe("office_id"), column("region"), column("state"),
    column("started_at", Instant), maybe("ended_at", Instant),
    column("start_day"), column("days", Integer), maybe("rests"),
    maybe("due_day"), maybe("due_at", Instant), column("days_left", Integer), maybe("skipped"),
    column("provisional", Boolean), column("calendar", Integer),
    column("told", Integer), maybe("remind_at", Instant),
)  # fmt: skip
"""A clock of a complaint (`router/clocks.py`). `region` is the office's, whose zone decides; days are dates there,
`due_at` is the end of the due day. `days` and `rests` (JSON, pairs of days) are what a change of the calendar computes
it anew from; `skipped` (JSON) are the holidays on the way; `calendar` is the calendar's edition. `told` counts the
reminders that were given."""
index(due_dates, "due_at", "complaint", "clock", only="state = 'running'")
index(due_dates, "owner", "due_at", only="due_at IS NOT NULL AND ended_at IS NULL")
index(due_dates, "calendar", "due_at", only="due_at IS NOT NULL")
index(due_dates, "remind_at", only="remind_at IS NOT NULL")

stale_due = clustered("stale_due", key("complaint"))
"""Complaints to which something happened since their due dates were computed."""

notices = growing(
    "notices",
    column("complaint"), owner(), column("office_id"), column("clock"), column("what"), column("level", Integer),
    column("at", Instant), maybe("due_day"), maybe("was_due_day"),
    Index(None, "office_id", "seq"),
)  # fmt: skip
"""What an office is told of a due date: warning, overdue, moved. `level`: how far up the hierarchy from the office that
has the complaint."""

counters = clustered(
    "counters",
    key("month"), key("owner"), key("region"), key("office_id"), key("channel"), key("category_id"), key("measure"),
    column("value", BigInteger),
)  # fmt: skip
"""How many complaints of a month (YYYY-MM of receipt), owner, regency, office, channel and category; empty words stand
for none. `measure` is one of `sink/counters.py`."""

counted = clustered("counted", key("complaint"), column("contribution"))
"""What each complaint adds to the counters (JSON): taken off again when it changes."""

office_activity = clustered(
    "office_activity",
    key("office_id"),
    owner(), maybe("office_name"), column("since", Instant), maybe("answered_at", Instant), column("waiting", Integer),
)  # fmt: skip
"""When an office first had a complaint and answered last, and how many wait for its first answer."""

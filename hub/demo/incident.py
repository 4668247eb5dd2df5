"""One broken lamp, three citizens: what the record made of their reports, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hub.demo.run import FinishedMessage
from sink import Record, export


def incident_lines(record: Record, since: datetime, reports: Sequence[FinishedMessage]) -> Iterator[str]:
    """A line a report: its number, its channel, and the incident that it was linked to."""
    numbers = {ended.outcome.number for ended in reports}
    rows = list(export(record, since))
    by_id = {row["id"]: row["number"] for row in rows}
    kept = [row for row in rows if row["number"] in numbers]
    channels = {row["channel"] for row in kept}
    yield f"One broken lamp, {len(kept)} citizens, {len(channels)} channels:"
    for row in kept:
        linked = next((one for one in row["matches"] if one["kind"] == "same_incident"), None)
        what = "first report"
        if linked:
            what = f"same incident as {by_id.get(linked['of'], 'an earlier one')} ({linked['evidence']})"
        yield f"  {row['number']}   by {row['channel']}   {what}"

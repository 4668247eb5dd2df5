"""What some rows of each view would become, for `channels test`: counts and names of columns, nothing of a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from connectors._database_manifest import DatabaseManifest, View, as_portal
from connectors._database_session import is_read_only
from connectors._database_sql import ViewStatements
from connectors._portal_expressions import names_of_stream
from connectors._portal_items import StreamReader, Words
from connectors._portal_rows import Row
from connectors._results import CheckResult
from schemas import Reject

if TYPE_CHECKING:
    from sqlalchemy import Connection

SAMPLE = 20
"""Rows."""
ASKED = "the session is read-only, by the server's own word"
NOT_ASKED = "the session was set read-only, and this kind of server cannot be asked: grant the login SELECT only"


def check_views(manifest: DatabaseManifest, account: str, connection: Connection) -> list[CheckResult]:
    """Raises Retry or AccountFault."""
    meaning = as_portal(manifest)
    words = Words(meaning, account)
    found = [CheckResult(ASKED if is_read_only(connection) else NOT_ASKED)]
    for name, stream in meaning.streams.items():
        view = manifest.views[name]
        rows = [row.row for row in ViewStatements(name, view).sample(connection, SAMPLE)]
        reader = StreamReader(name, stream, words)
        became, reasons, unknown = _became(reader, rows, account)
        counted = ", ".join(f"{count} {kind}" for kind, count in sorted(became.items())) or "nothing"
        found.append(CheckResult(f"view {name}: of {len(rows)} rows: {counted}", failed=bool(reasons)))
        found += [CheckResult(f"view {name}: {n} cannot be read: {why}", failed=True) for why, n in reasons.items()]
        remarks = _remarks(view, rows, names_of_stream(stream), unknown)
        found += [CheckResult(f"view {name}: {remark}") for remark in remarks]
    return found


def _became(reader: StreamReader, rows: Sequence[Row], account: str) -> tuple[Counter[str], Counter[str], set[str]]:
    became: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    unknown: set[str] = set()
    for row in rows:
        native = reader.message.native(row) if reader.message else ""
        for part, _ in reader.parts(row):
            try:
                if part.action is None:
                    assert reader.message is not None
                    refused = reader.message.fields(row, account)["refusal"]
                    became["not reports" if refused else "reports"] += 1
                    continue
                action = reader.actions[part.action]
                fields = action.fields(part.item, native, account)[1]
            except Reject as reject:
                reasons[reject.code] += 1
                continue
            became["status changes" if action.what == "status" else f"{action.what}s"] += 1
            if fields["status"] == "unknown":
                unknown.add(fields["status_said"] or "")
    return became, reasons, unknown


def _remarks(view: View, rows: Sequence[Row], used: set[str], unknown: set[str]) -> Iterator[str]:
    names = {name for row in rows for name in row} - used - {view.key, view.time}
    if names:
        yield f"columns that are not used: {', '.join(sorted(names))}"
    if unknown:
        yield f"[tables.status] has no {', '.join(sorted(unknown))}: kept as they are, and they move nothing"
    if not view.time:
        yield "it has no time: the whole view is read in each poll"
    elif rows and all(row.get(view.time) is None for row in rows):
        yield f"{view.time} is empty in all of them: such rows are found by the sweep only"

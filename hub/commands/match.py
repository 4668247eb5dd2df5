"""`match`: which row each row belongs to; nothing is stored, each call starts empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import click

from hub.commands import print_json
from hub.commands._row_items import CallMemory, read_rows
from schemas import Matched, Message


@click.command()
@click.argument("file", default="-")
def match(file: str) -> None:
    """Rows to what they repeat: a line for each row that can be read, in order. `kind` is new, redelivery, same_report,
    same_incident, same_external_id or chain; `of` is the id of the row that it belongs to.

    \b
    Example:
      satupintu match rows.ndjson
    """
    memory, rows_by_id = CallMemory(), RowsById()
    for batch in read_rows(file):
        for line in _matched(batch, memory, rows_by_id):
            print_json(line)


class RowsById:
    """The row that opened each complaint and brought each message."""

    def __init__(self) -> None:
        self._rows: dict[str, str] = {}

    def add(self, matched: Matched, row: str) -> None:
        self._rows.setdefault(matched.item.id, row)
        if matched.outcome == "recorded" and matched.id is not None:
            self._rows.setdefault(matched.id, row)

    def row(self, id: str | None) -> str | None:
        """The row of a complaint or a message."""
        return self._rows.get(id or "")


def _matched(messages: Sequence[Message], memory: CallMemory, rows: RowsById) -> Iterator[dict[str, Any]]:
    from normalizer import match as matcher

    for message, matched in zip(messages, matcher(messages, memory), strict=True):
        yield _decided(matched, message.native_id, rows)


def _decided(matched: Matched, row: str, rows: RowsById) -> dict[str, Any]:
    rows.add(matched, row)
    match = matched.matches[0] if matched.matches else None
    if match is not None:
        return _line(row, match.kind, rows.row(match.of), match.score, match.evidence)
    if matched.outcome == "added":
        return _line(row, "same_report", rows.row(matched.id), 1.0, matched.reason or "")
    return _line(row, "new", None, 0.0, matched.reason or "")


def _line(row: str, kind: str, of: str | None, score: float, evidence: str) -> dict[str, Any]:
    return {"id": row, "kind": kind, "of": of, "score": score, "evidence": evidence}

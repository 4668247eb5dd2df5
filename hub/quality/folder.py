"""Files of labelled complaints, as rows; and rows as the messages that the reader makes of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from connectors import channel_type
from connectors._rows import NamedRow, raw_from_row
from normalizer import Reader
from schemas import Message

Row = Mapping[str, str]
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Folder:
    """A folder like `data`; a file that is not there has no rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        kind = channel_type("file")
        self._channel = kind("file", "nasional", kind.settings_type())

    def rows(self, name: str) -> list[dict[str, str]]:
        """Rows of a CSV with a heading; the breaks that some files write as `\\n` are breaks."""
        path = self.path / name
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return [
                {key: value.replace("\\n", "\n") for key, value in row.items() if isinstance(value, str)}
                for row in csv.DictReader(file)
            ]

    @cached_property
    def reader(self) -> Reader:
        """The reader of the pipeline, over a channel of files."""
        return Reader({"file": self._channel}.get)

    def messages(self, rows: Iterable[Mapping[str, Any]]) -> list[Message | None]:
        """What the reader makes of rows as `ingest` takes them; None where it refuses one. In order."""
        found: list[Message | None] = []
        ids = count()
        batch = [
            raw_from_row(NamedRow(n, json.dumps(row).encode(), str(n)), self._channel, id=f"raw-{n}", at=_AT)
            for n, row in enumerate(rows)
        ]
        for start in range(0, len(batch), 500):
            part = batch[start : start + 500]
            events = self.reader.read(part, now=lambda: _AT, new_id=lambda: str(next(ids)))
            by_raw = {e.raw: e for e in events if isinstance(e, Message)}
            found += [by_raw.get(raw.id) for raw in part]
        return found

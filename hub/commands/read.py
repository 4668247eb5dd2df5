"""`read`: rows to what the reader makes of them; nothing is stored."""

from __future__ import annotations

from typing import Any

import click

from hub.commands import print_json
from hub.commands._row_items import read_rows
from hub.commands._stated import level_of, name_of, named_category
from schemas import Message


@click.command()
@click.argument("file", default="-")
def read(file: str) -> None:
    """Rows of NDJSON or CSV to class, sort, category, place, language and personal data: a line for each row
    that can be read, in order.

    \b
    Example:
      satupintu read rows.ndjson
    """
    for batch in read_rows(file):
        for message in batch:
            print_json(as_row(message))


def as_row(message: Message) -> dict[str, Any]:
    """What `read` prints of a message. `personal` counts the characters of `text_read`."""
    return {
        "id": message.native_id,
        "class": message.report_class,
        "sort": message.sort,
        "category": _category(message),
        "place": _place(message),
        "language": message.language,
        "personal": [{"kind": span.kind, "start": span.start, "end": span.end} for span in message.personal],
        "emergency": message.emergency,
        "text_read": message.words_read,
        "extra": message.extra,
    }


def _category(message: Message) -> dict[str, Any] | None:
    found = message.category
    stated = None if found is None else {"id": found.id, "name": found.name, "top": found.top, "p": found.p}
    return named_category(stated)


def _place(message: Message) -> dict[str, Any] | None:
    """The region that the words name, else the one that was stated; the account's own is no finding."""
    from normalizer.settle import likeliest

    found = likeliest(message.places)
    if found is None or found.code is None:
        found = message.place if message.place is not None and message.place.source != "owner" else None
    if found is None or found.code is None:
        return None
    return {
        "code": found.code,
        "level": found.level or level_of(found.code),
        "name": found.name or name_of(found.code),
        "p": 1.0 if found.p is None else found.p,
        "evidence": found.evidence or found.source,
    }

"""Rows of a file as the rooms make them: messages of the reader, decisions of a matcher that starts empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import click
from stdnum import luhn

from connectors._rows import NamedRow, raw_from_row, row_place
from hub.clock import utc_now
from hub.commands import load_call_settings, print_message
from hub.commands._rows import rows_of
from schemas import Dead, Message, complaint_id
from schemas.memory import Entry, Known, Query

if TYPE_CHECKING:
    from connectors import Channel

_RAWS = UUID("5a6cf0ce-0c0e-5a0f-9f6c-b1e5a35f8d11")
AT_ONCE = 500


def read_rows(file: str) -> Iterator[list[Message]]:
    """In batches, the messages in the order of their rows; a wrong row is named, has none, and makes the call end
    with 2."""
    from hub.commands._routing import load_models
    from normalizer import Reader

    channel, ids, wrong = file_account(), count(), False
    models = load_models()
    reader = Reader({channel.account: channel}.get, models.knowledge(), models)
    with rows_of(file, channel.settings.columns) as rows:
        while batch := list(islice(rows, AT_ONCE)):
            lines = {str(uuid5(_RAWS, row.name)): row for row in batch}
            raws = [raw_from_row(row, channel, id=id, at=utc_now()) for id, row in lines.items()]
            items = reader.read(raws, now=utc_now, new_id=lambda: str(next(ids)))
            messages = {item.raw: item for item in items if isinstance(item, Message)}
            faults = {item.raw or "": _fault(item, lines) for item in items if isinstance(item, Dead)}
            for fault in (faults[id] for id in lines if id in faults):
                wrong = True
                print_message(fault)
            yield [messages[id] for id in lines if id in messages]
    if wrong:
        click.get_current_context().exit(2)


def _fault(dead: Dead, lines: dict[str, NamedRow]) -> str:
    detail = dead.detail or dead.code
    return detail if "line " in detail else f"line {row_place(lines[dead.raw or ''])}: {detail}"


def file_account(name: str | None = None) -> Channel:
    """The account of that name, or the one that `ingest` would take: ids, owner and office are those that it would
    give."""
    from connectors import channel_type
    from hub.accounts import Accounts
    from hub.accounts_file import load_accounts, zone_setting
    from hub.first_start import OWNER

    own, kind = load_call_settings(), channel_type("file")
    if own.channels.exists():
        accounts = Accounts(load_accounts(own.channels, zone=own.zone.key))
        account = accounts.get(name) if name else accounts.first("file")
        if account is not None and account.kind == "file":
            return account
    return kind("file", OWNER, kind.settings_type(**zone_setting(kind.settings_type, own.zone.key)))


class CallMemory:
    """A memory for one call: `match` extends the Known that it is given, so one Known is memory enough."""

    def __init__(self) -> None:
        self._known = Known(
            decided={}, seen={}, fingerprints={}, threads={}, same_words={}, by_number={}, by_external_id={},
            by_message={}, new_numbers={},
        )  # fmt: skip

    def recall(self, queries: Sequence[Query]) -> Known:
        """Everything that was decided in this call."""
        ids = [complaint_id(query.item.id) for query in queries if isinstance(query.item, Message)]
        self._known.new_numbers |= {id: _number(id) for id in ids}
        return self._known

    def remember(self, entries: Sequence[Entry]) -> None:
        """Nothing is stored."""


def _number(complaint: str) -> str:
    """A number of the right form, the same for the same complaint; no citizen ever gets it."""
    first = str(10**8 + UUID(complaint).int % (9 * 10**8))
    return first + luhn.calc_check_digit(first)

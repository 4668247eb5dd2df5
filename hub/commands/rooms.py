"""`read`, `match`, `route`: rows in, what a room makes of them out; nothing is stored, each call starts empty."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import click
import msgspec
from stdnum import luhn

from connectors._rows import raw_from_row
from hub.clock import utc_now
from hub.commands import load_call_settings, print_json, print_message
from hub.commands._rows import rows_of
from hub.settings import UsageError
from schemas import Dead, Matched, Message, complaint_id
from schemas.memory import Entry, Known, Query

if TYPE_CHECKING:
    from connectors import Channel
    from router import Rules

_RAWS = UUID("5a6cf0ce-0c0e-5a0f-9f6c-b1e5a35f8d11")
AT_ONCE = 500


@click.command()
@click.argument("file", default="-")
def read(file: str) -> None:
    """Rows of NDJSON or CSV to messages: what was written, and what the reader made of it.

    \b
    Example:
      satupintu read rows.ndjson
    """
    for batch in _messages(file):
        for message in batch:
            print_json(message)


@click.command()
@click.argument("file", default="-")
def match(file: str) -> None:
    """Rows to complaints: which message opens one, joins one, was here before, is none.

    \b
    Example:
      satupintu match rows.ndjson
    """
    for batch in _matched(file):
        for matched in batch:
            print_json(matched)


@click.command()
@click.argument("file", default="-")
def route(file: str) -> None:
    """Rows to offices: each complaint, with the offices that shall act, and why those.

    \b
    Example:
      satupintu route rows.ndjson
    """
    from router import route as routed

    rules = _rules()
    for batch in _matched(file):
        for found in routed(batch, rules):
            first = found.assignments[0] if found.assignments else None
            why = {
                "office": first.office if first else None,
                "rule": first.rule if first else None,
                "why": first.why if first else None,
                "assignments": found.assignments,
            }
            print_json(msgspec.to_builtins(found.matched) | why)


def _messages(file: str) -> Iterator[list[Message]]:
    """In batches; wrong rows are named, and make the call end with 2."""
    from normalizer import Reader

    channel, ids, wrong = _account(), count(), False
    reader = Reader({channel.account: channel}.get)
    with rows_of(file) as rows:
        while batch := list(islice(rows, AT_ONCE)):
            lines = {str(uuid5(_RAWS, row.name)): row for row in batch}
            raws = [raw_from_row(row, channel, id=id, at=utc_now()) for id, row in lines.items()]
            items = reader.read(raws, now=utc_now, new_id=lambda: str(next(ids)))
            for item in items:
                if isinstance(item, Dead):
                    wrong = True
                    detail = item.detail or item.code
                    print_message(detail if "line " in detail else f"line {lines[item.raw or ''].line}: {detail}")
            yield [item for item in items if isinstance(item, Message)]
    if wrong:
        click.get_current_context().exit(2)


def _account() -> Channel:
    """The account that `ingest` would take, so that ids, owner and office are those that it would give."""
    from connectors import channel_type
    from hub.accounts import Accounts
    from hub.accounts_file import load_accounts, zone_setting
    from hub.first_start import OWNER

    own, kind = load_call_settings(), channel_type("file")
    if own.channels.exists():
        account = Accounts(load_accounts(own.channels, zone=own.zone.key)).first("file")
        if account is not None:
            return account
    return kind("file", OWNER, kind.settings_type(**zone_setting(kind.settings_type, own.zone.key)))


def _matched(file: str) -> Iterator[list[Matched]]:
    from normalizer import match as matcher

    memory = CallMemory()
    for batch in _messages(file):
        yield matcher(batch, memory)


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


def _rules() -> Rules:
    from router import Rules

    own = load_call_settings().data / "rules.toml"
    try:
        return Rules.load(own.read_text(encoding="utf-8") if own.exists() else None)
    except ValueError as error:
        raise UsageError(f"{own}: {error}") from None

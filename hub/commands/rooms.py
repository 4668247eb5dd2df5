"""`read`, `match`, `route`: rows in, what the room makes of them out; nothing stored, each call a world of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

import click
import msgspec
from stdnum import luhn

from hub.clock import now
from hub.commands import data, say, settings
from connectors._rows import at_line, named, opened, raw_of, rows
from hub.settings import WrongCall
from schemas import Complaint, Dead, Message, complaint_id
from schemas.memory import Decision, Known

if TYPE_CHECKING:
    from connectors import Channel
    from router import Rules

_RAWS = UUID("5a6cf0ce-0c0e-5a0f-9f6c-b1e5a35f8d11")
AT_ONCE = 500


@click.command()
@click.argument("file", default="-")
def read(file: str) -> None:
    """Rows of NDJSON or CSV to messages: what was said, and what the reader made of it.

    \b
    Example:
      satupintu read rows.ndjson
    """
    for batch in _messages(file):
        for message in batch:
            data(message)


@click.command()
@click.argument("file", default="-")
def match(file: str) -> None:
    """Rows to complaints: which message opens one, joins one, was here before, is none.

    \b
    Example:
      satupintu match rows.ndjson
    """
    for batch in _complaints(file):
        for complaint in batch:
            data(complaint)


@click.command()
@click.argument("file", default="-")
def route(file: str) -> None:
    """Rows to offices: each complaint, with the office that shall act, and why that one.

    \b
    Example:
      satupintu route rows.ndjson
    """
    from router import route as routed

    rules = _rules()
    for batch in _complaints(file):
        for found in routed(batch, rules):
            why = {"office": found.office, "rule": found.rule, "why": found.why}
            data(msgspec.to_builtins(found.complaint) | why)


def _messages(file: str) -> Iterator[list[Message]]:
    """In batches; wrong rows are named, and make the call end with 2."""
    from normalizer import read as reader

    channel, ids, wrong = _door(), count(), False
    with opened(file) as stream:
        found = named(rows(file, stream))
        while batch := list(islice(found, AT_ONCE)):
            lines = {str(uuid5(_RAWS, row.name)): row for row in batch}
            raws = [raw_of(row, channel, id=id, at=now()) for id, row in lines.items()]
            items = reader(raws, {channel.account: channel}.get, now=now, new_id=lambda: str(next(ids)))
            for item in items:
                if isinstance(item, Dead):
                    wrong = True
                    say(at_line(lines[item.raw or ""].line, item.reason))
            yield [item for item in items if isinstance(item, Message)]
    if wrong:
        click.get_current_context().exit(2)


def _door() -> Channel:
    """The account that `ingest` would take, so that ids, owner and office are those it would give."""
    from connectors import channel_type
    from hub.accounts import OWNER, Accounts, in_zone

    told, kind = settings(), channel_type("file")
    if told.channels.exists():
        accounts = Accounts.load(told.channels, zone=told.zone.key)
        if own := next((channel for channel in accounts.values() if channel.kind == "file"), None):
            return own
    return kind("file", OWNER, kind.settings_type(**in_zone(kind.settings_type, told.zone.key)))


def _complaints(file: str) -> Iterator[list[Complaint]]:
    from normalizer import match as matcher

    memory = Forgetful()
    for batch in _messages(file):
        yield matcher(batch, memory)


class Forgetful:
    """A memory for one call: `match` notes in the Known it is given what it decides, so one Known is memory enough."""

    def __init__(self) -> None:
        self._known = Known(
            decided={}, seen={}, fingerprints={}, threads={}, said={}, numbered={}, referred={}, fresh={}
        )

    def recall(self, messages: Sequence[Message], digests: Sequence[str | None]) -> Known:
        """All that was decided in this call."""
        self._known.fresh = {id: _number(id) for id in (complaint_id(message.id) for message in messages)}
        return self._known

    def remember(
        self, messages: Sequence[Message], digests: Sequence[str | None], decisions: Sequence[Decision]
    ) -> None:
        """Nothing is kept."""


def _number(complaint: str) -> str:
    """A number of the right form, the same for the same complaint; nobody is ever told it."""
    first = str(10**8 + UUID(complaint).int % (9 * 10**8))
    return first + luhn.calc_check_digit(first)


def _rules() -> Rules:
    from router import Rules, WrongRules

    own = settings().data / "rules.toml"
    try:
        return Rules.load(own if own.exists() else None)
    except WrongRules as error:
        raise WrongCall(f"{own}: {error}") from None

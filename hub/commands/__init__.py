"""The commands, one file a command or family. Data goes to standard output, words for people to standard error."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from hub.settings import Settings, UsageError, load_settings, sqlite_path
from schemas import Retry

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from sink.record import Record

T = TypeVar("T")
_FLAGS = "satupintu.flags"
_line = msgspec.json.Encoder().encode


class PayloadRefused(Exception):  # noqa: N818 - the word of the interface
    """The payload cannot be understood. Its text is the reason; exit code 2."""


class OutOfBalance(Exception):  # noqa: N818 - the word of the interface
    """Messages are lost, or something is wrong here. Its text says what to do; exit code 1."""


class DateTimeParam(click.ParamType[datetime]):
    """A date or a time; without an offset it is meant in the hub's own zone."""

    name = "time"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time: write 2025-07-01 or 2025-07-01T08:00:00+07:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=load_call_settings().zone)


class RegionParam(click.ParamType[str]):
    """The code of a region that there is."""

    name = "code"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from schemas.regions import read_region

        return read_region(value) or self.fail(f"{value!r} is no region: write its code, as 32 or 32.73", param, ctx)


def remember_flag(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Remember a setting given as a flag, before the command or after it; the last one wins."""
    if value is not None:
        context.meta.setdefault(_FLAGS, {})[parameter.name] = value


def load_call_settings() -> Settings:
    """The settings of this call. Raises UsageError."""
    return load_settings(click.get_current_context().meta.get(_FLAGS, {}))


def require_initialised(settings: Settings) -> None:
    """Raises UsageError where no hub was ever started: a command that reads makes nothing."""
    if settings.embedded_record:
        if not sqlite_path(settings.record).exists():
            raise UsageError(
                f"no hub has been started in {settings.data}: start it with satupintu up, or name another with --data"
            )
        return
    from sink.record import is_new

    with suppress(Retry):  # the command itself waits for a server that is unavailable
        if is_new(settings.record):
            raise UsageError("no hub has been started on that record: start it with satupintu up, or mend --record")


def with_record(work: Callable[[Record], T], *, account: str | None = None) -> T:
    """Do something with the record alone; `account`: only of that one. Raises UsageError where the record cannot be
    opened, or has no such account."""
    from hub.commands._known_account import require_account
    from hub.opening import open_record

    own = load_call_settings()
    require_initialised(own)
    with open_record(own) as record:
        if account is not None:
            require_account(record, account)
        return work(record)


def with_hub(work: Callable[[Settings, OpenHub], Awaitable[T]], *, first_start: bool = False) -> T:
    """Do something with everything open; `first_start`: it may be the first. Raises UsageError where it cannot be."""
    import uvloop

    from hub.opening import open_hub

    own = load_call_settings()
    if not first_start:
        require_initialised(own)

    async def opened() -> T:
        async with open_hub(own, publishes=first_start) as found:
            return await work(own, found)

    return uvloop.run(opened())


def print_json(value: Any) -> None:
    """One line of JSON to standard output."""
    sys.stdout.buffer.write(_line(value) + b"\n")


def print_message(words: str) -> None:
    """A line for people, to standard error."""
    click.echo(words, err=True)


def printable(words: str) -> str:
    """Words of a stranger for a terminal, which would obey their control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in words)

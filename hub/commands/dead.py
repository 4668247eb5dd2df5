"""`dead`: events that a stage refused, whole: see them, and publish them again once the cause is mended."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hub.commands import load_call_settings, print_json, print_message, with_hub, with_record
from hub.commands._table import print_rows
from hub.settings import UsageError

if TYPE_CHECKING:
    from hub.opening import OpenHub
    from schemas import Dead
    from sink.record import Record

SHOWN = ("id", "at", "account", "stage", "code", "detail")
log = logging.getLogger(__name__)


@click.group()
def dead() -> None:
    """The dead letters: what could not be read, or met a fault.

    \b
    Example:
      satupintu dead list
    """


@dead.command("list")
@click.option("--reason", "code", metavar="CODE", help="Only those of this code.")
@click.option("--account", metavar="NAME", help="Only those of this account.")
@click.option("--limit", type=click.IntRange(1), default=1000, help="At most so many, the newest first. [1000]")
def list_dead(code: str | None, account: str | None, limit: int) -> None:
    """The dead letters that wait to be seen to, a JSON line each; on a terminal a table.

    \b
    Example:
      satupintu dead list | jq -r .code | sort | uniq -c
    """
    from sink.dead import list_dead_letters

    letters = with_record(lambda record: list_dead_letters(record, limit, code=code, account=account), account=account)
    print_rows(letters, SHOWN, limit)


@dead.command()
@click.argument("id")
@click.option("--payload", is_flag=True, help="With the event and its body, whole: a citizen's words. It is logged.")
def show(id: str, *, payload: bool) -> None:
    """One dead letter, as JSON, without a citizen's words unless asked for.

    \b
    Example:
      satupintu dead show 0198c1f2-7c1e-7d4a-9a53-2f5b6f1f0c11
    """
    letter = with_record(lambda record: _shown(record, id, payload=payload))
    if letter is None:
        raise _unknown([id])
    print_json(letter)


@dead.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def replay(ids: tuple[str, ...], *, apply: bool) -> None:
    """Publish the events on their topics again, with the raw id they had.

    \b
    Example:
      satupintu dead replay 0198c1f2-7c1e-7d4a-9a53-2f5b6f1f0c11 --apply
    """
    for letter in with_hub(lambda _, opened: _replay(opened, ids, apply=apply)):
        print_json(
            {"id": letter.id, "topic": letter.of_topic, "raw": letter.raw, "code": letter.code, "applied": apply}
        )
    _say_unless(apply)


@dead.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def dismiss(ids: tuple[str, ...], *, apply: bool) -> None:
    """Close letters that nobody will mend: their items are refused.

    \b
    Example:
      satupintu dead dismiss 0198c1f2-7c1e-7d4a-9a53-2f5b6f1f0c11 --apply
    """
    for id in with_record(lambda record: _dismiss(record, ids, apply=apply)):
        print_json({"id": id, "applied": apply})
    _say_unless(apply)


def _shown(record: Record, id: str, *, payload: bool) -> dict[str, object] | None:
    from sink.dead import load_dead_event, show_dead_letter

    found = show_dead_letter(record, id)
    if found is None or not payload:
        return found
    letter = load_dead_event(record, id)
    log.warning("%s looked at the payload of dead letter %s", _person(), id)
    return found | {"payload": "" if letter is None else _whole_event(letter).decode("utf-8", "replace")}


def _whole_event(letter: Dead) -> bytes:
    """The letter's event with what lies with the blobs; without it where that cannot be read."""
    from msgspec.structs import replace

    from bus import resolve_reference
    from hub.reading import with_body
    from schemas import Raw, Reject, Retry, decode, encode
    from schemas.body import Body
    from sink.blobs import Blobs

    blobs = Blobs(load_call_settings().data / "blobs")
    event = letter.event
    try:
        event = resolve_reference(event, blobs)
        raw = decode(letter.of_topic, event)
        if not isinstance(raw, Raw) or raw.blob is None:
            return event
        return encode(replace(raw, body=Body(with_body(blobs, raw).body)))  # as text where it is one
    except Reject:  # an event that cannot be read may be why there is a letter
        return event
    except Retry as error:
        print_message(f"{error}: shown as it stood on the bus")
        return event


def _dismiss(record: Record, ids: Sequence[str], *, apply: bool) -> list[str]:
    from hub.clock import utc_now
    from sink.dead import dismiss_dead_letters

    letters = _letters(record, ids)
    if apply:
        dismiss_dead_letters(record, [letter.id for letter in letters], by=_person(), now=utc_now())
    return [letter.id for letter in letters]


async def _replay(opened: OpenHub, ids: Sequence[str], *, apply: bool) -> list[Dead]:
    letters = await opened.outside.pools.io(_letters, opened.storage.record, ids)
    if apply:
        await _publish(opened, letters)
    return letters


def _letters(record: Record, ids: Sequence[str]) -> list[Dead]:
    """Raises UsageError where one is missing."""
    from sink.dead import load_dead_event

    found = {id: load_dead_event(record, id) for id in dict.fromkeys(ids)}
    if missing := [id for id, letter in found.items() if letter is None]:
        raise _unknown(missing)
    return [letter for letter in found.values() if letter is not None]


async def _publish(opened: OpenHub, letters: Sequence[Dead]) -> None:
    from bus import decode_event
    from schemas import Reject

    try:
        events = [decode_event(letter.of_topic, letter.event, opened.storage.blobs) for letter in letters]
    except Reject as error:
        raise UsageError(f"nothing was done: a letter's event is {error.reason}") from None
    await opened.transport.bus.publish(events)


def _person() -> str:
    return os.environ.get("USER") or f"uid {os.getuid()}"


def _say_unless(applied: bool) -> None:
    if not applied:
        print_message("nothing was done: add --apply to do it")


def _unknown(ids: Sequence[str]) -> UsageError:
    return UsageError(f"no dead letter has the id {', '.join(ids)}: satupintu dead list shows them; nothing was done")

"""`dead`: events that a stage refused, whole: look at them, and send them again once the cause is mended."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hub.commands import at_hub, data, say
from hub.commands._table import table
from hub.settings import WrongCall

if TYPE_CHECKING:
    from hub.wiring import Hub
    from schemas import Dead

SHOWN = ("id", "at", "account", "stage", "reason")


@click.group()
def dead() -> None:
    """The dead letters: what could not be read, or met a fault.

    \b
    Example:
      satupintu dead list
    """


@dead.command("list")
@click.option("--limit", type=click.IntRange(1), default=1000, help="At most so many, the newest first. [1000]")
def list_dead(limit: int) -> None:
    """The dead letters, a JSON line each; on a terminal a table.

    \b
    Example:
      satupintu dead list | jq -r .reason | sort | uniq -c
    """
    from sink import dead_list

    async def work(hub: Hub) -> list[dict[str, object]]:
        return await hub.running.pools.disk(dead_list, hub.record, limit)

    letters = at_hub(work)
    if sys.stdout.isatty():
        sys.stdout.write(table(SHOWN, [[str(letter.get(name) or "") for name in SHOWN] for letter in letters]))
    else:
        for letter in letters:
            data(letter)


@dead.command()
@click.argument("id")
def show(id: str) -> None:
    """One dead letter, as JSON, without a citizen's words.

    \b
    Example:
      satupintu dead show 0198c1f2-7c1e-7d4a-9a53-2f5b6f1f0c11
    """
    from sink import dead_show

    async def work(hub: Hub) -> dict[str, object] | None:
        return await hub.running.pools.disk(dead_show, hub.record, id)

    letter = at_hub(work)
    if letter is None:
        raise _unknown([id])
    data(letter)


@dead.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--apply", is_flag=True, help="Do it. Without it, only say what would be done.")
def replay(ids: tuple[str, ...], *, apply: bool) -> None:
    """Put the events on their topics again, with the raw id they had.

    \b
    Example:
      satupintu dead replay 0198c1f2-7c1e-7d4a-9a53-2f5b6f1f0c11 --apply
    """

    async def work(hub: Hub) -> list[Dead]:
        letters = await _letters(hub, ids)
        if apply:
            await _send_again(hub, letters)
        return letters

    for letter in at_hub(work):
        data({"id": letter.id, "topic": letter.of_topic, "raw": letter.raw, "reason": letter.reason, "applied": apply})
    if not apply:
        say("nothing was done: add --apply to do it")


async def _letters(hub: Hub, ids: Sequence[str]) -> list[Dead]:
    from sink import dead_event

    found = [(id, await hub.running.pools.disk(dead_event, hub.record, id)) for id in dict.fromkeys(ids)]
    if missing := [id for id, letter in found if letter is None]:
        raise _unknown(missing)
    return [letter for _, letter in found if letter is not None]


async def _send_again(hub: Hub, letters: Sequence[Dead]) -> None:
    from schemas import Reject, decode

    try:
        events = [decode(letter.of_topic, letter.event) for letter in letters]
    except Reject as error:
        raise WrongCall(f"nothing was done: a letter's event is {error.reason}") from None
    await hub.bus.publish(events)


def _unknown(ids: Sequence[str]) -> WrongCall:
    return WrongCall(f"no dead letter has the id {', '.join(ids)}: satupintu dead list shows them; nothing was done")

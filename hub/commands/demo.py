"""`demo`: some hundreds of messages written for the project, through the real doors, and what becomes of them.

It goes through the hub that answers at the listen address; where none does, it starts one for the time. An account
whose answers would reach real people is left out.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException
from random import Random

import click
import uvloop

from connectors import Channel
from hub.commands import OutOfBalance, say, settings
from hub.demo.board import Board
from hub.demo.requests import would_send
from hub.demo.stories import Teller
from hub.commands._waiting import patiently
from hub.demo.run import Told, Walk
from hub.commands.ledger import written
from hub.ledger import look, two_looks
from hub.running.serve import STAGES, serve
from hub.settings import Settings, WrongCall
from hub.wiring import Hub, open_hub

MESSAGES = 300
KINDS = ("sms", "whatsapp", "web", "file")
ASK_AGAIN = 6
"""So many citizens ask for their number, and add to it, once they know it."""
ANSWERED = ("sms", "whatsapp", "web")
"""Doors of the examples to look up, one each."""
PACE = 0.1
"""Seconds between two things that one citizen says, where somebody watches."""


@click.command()
def demo() -> None:
    """Some hundreds of realistic messages through the real doors; shows live what becomes of them.

    \b
    Example:
      satupintu demo
    """
    told = settings()
    if told.bus.startswith("memory:"):
        raise WrongCall("the demo looks for its messages on the bus: it needs one that lasts, not memory://")
    uvloop.run(_demo(told))


async def _demo(told: Settings) -> None:
    async with _answering(told) as beside, open_hub(told) as hub:
        doors = _doors(hub)
        teller, board = Teller(Random()), Board()  # noqa: S311 - nothing secret is drawn
        walk = Walk(hub, told.url, doors, board, PACE if sys.stderr.isatty() else 0)
        say(f"{MESSAGES} messages through {', '.join(doors)} at {told.url}")
        first = await walk.tell(teller.stories(list(doors), MESSAGES))
        known = [t for t in first if t.fate.outcome == "recorded" and t.fate.number]
        asking = [teller.asking(t.said, t.fate.number or "") for t in _askers(known)]
        strangers = [teller.unknown(door) for door in doors if door in ("sms", "whatsapp")]
        if not walk.missing:
            await walk.tell([*asking, *strangers])
        await _end(hub, walk.missing, known, hint="" if beside else " (satupintu up first)")


def _askers(known: Sequence[Told]) -> list[Told]:
    return [told for told in known if told.said.door in ANSWERED[:2]][:ASK_AGAIN]


async def _end(hub: Hub, missing: int, known: Sequence[Told], *, hint: str) -> None:
    books, losers = await two_looks(lambda: patiently(lambda: look(hub)))
    sys.stdout.write(f"{written(books)}\nLook them up{hint}; the last digits of the phone show the words:\n")
    for told in {told.said.door: told for told in known if told.said.door in ANSWERED}.values():
        words = f"{hub.settings.url}/lacak/{told.fate.number}   phone …{told.said.who.phone[-4:]}   by {told.said.door}"
        sys.stdout.write(f"  {told.fate.number}   {words}\n")
    if missing or losers:
        raise OutOfBalance(f"{missing} without an outcome, lost in {losers or 'no account'}: run satupintu doctor")


def _doors(hub: Hub) -> dict[str, Channel]:
    """The first active account of each kind, by kind, without those whose answers would reach real people."""
    found = {}
    for kind in KINDS:
        channel = hub.accounts.first(kind)
        if channel is None:
            say(f"no active account of kind {kind} in {hub.settings.channels}: left out")
        elif reason := would_send(channel):
            say(f"[{channel.account}] is left out: {reason}, and the demo answers nobody real")
        else:
            found[kind] = channel
    if not found:
        raise WrongCall(f"no account for the demo in {hub.settings.channels}: add one, or name another with --channels")
    return found


@asynccontextmanager
async def _answering(told: Settings) -> AsyncIterator[bool]:
    """A hub that answers at the listen address: the one that is up (True), or one of our own for the time."""
    if await asyncio.to_thread(_alive, told):
        yield True
        return
    logging.getLogger().setLevel(logging.ERROR)  # its warnings would stand in the middle of the table
    serving = asyncio.create_task(serve(told, STAGES))
    try:
        while not serving.done() and not await asyncio.to_thread(_alive, told):  # noqa: ASYNC110 - it is asked over HTTP
            await asyncio.sleep(0.05)
        if serving.done():
            serving.result()
        yield False
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _alive(told: Settings) -> bool:
    connection = HTTPConnection(told.host, told.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()

"""`demo`: some hundreds of messages written for the project, through the real accounts, and what becomes of them.

It uses the hub that answers at the listen address; where none does, it starts one for the time. An account whose
answers would reach real people is left out.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from http.client import HTTPConnection, HTTPException
from random import Random
from urllib.parse import urlsplit

import click
import uvloop

from connectors import Channel, DemoItem, Speaks
from hub.accounts import Accounts
from hub.clock import utc_now
from hub.commands import OutOfBalance, load_call_settings, print_message
from hub.commands._waiting import retry_for_long
from hub.commands.ledger import as_table
from hub.demo.board import ProgressBoard
from hub.demo.incident import incident_lines
from hub.demo.run import DemoRun, FinishedMessage
from hub.demo.stories import DemoMessage, StoryGenerator
from hub.ledger import read_ledger, read_ledger_twice
from hub.opening import OpenHub, open_hub
from hub.running.serve import STAGES, serve
from hub.settings import Settings, UsageError
from sink import Record

MESSAGES = 300
ASKERS = 6
"""So many citizens ask for their number, and add to it, once they know it."""
PAUSE = 0.1
"""Seconds between two messages of one citizen, where a person watches."""


@click.command()
def demo() -> None:
    """Some hundreds of realistic messages through the real accounts; shows live what becomes of them.

    \b
    Example:
      satupintu demo
    """
    own = load_call_settings()
    if own.bus.startswith("memory:"):
        raise UsageError("the demo looks for its messages on the bus: it needs one that lasts, not memory://")
    uvloop.run(_demo(own))


async def _demo(own: Settings) -> None:
    async with _hub_at(own) as was_up, open_hub(own) as opened:
        channels = usable_channels(opened.current.accounts, own)
        run, generator = _run(own, opened, channels), StoryGenerator(Random(), utc_now())  # noqa: S311 - nothing secret
        since = utc_now()
        print_message(f"{MESSAGES} messages through {', '.join(channels)} at {own.url}")
        first = await run.send(generator.stories(list(channels.values()), MESSAGES))
        numbered = [e for e in first if e.outcome.outcome == "recorded" and e.outcome.number]
        lamp = await run.send([generator.one_lamp(list(channels.values()))])
        if not run.missing:
            await run.send(_second_round(generator, channels, numbered))
            lines = await opened.outside.pools.io(_of_one_lamp, opened.storage.record, since, lamp)
            sys.stdout.write(f"{lines}\n\n")
        await _end(own, opened, run.missing, numbered, hint="" if was_up else " (satupintu up first)")
        _warn_of_answers(channels)


def _run(own: Settings, opened: OpenHub, channels: Mapping[str, Channel]) -> DemoRun:
    pools, storage = opened.outside.pools, opened.storage
    return DemoRun(
        own.url,
        channels,
        ProgressBoard(),
        bus=opened.transport.bus,
        record=storage.record,
        pools=pools,
        store=lambda body: pools.io(storage.blobs.put, body),
        pause=PAUSE if sys.stderr.isatty() else 0,
    )


def _of_one_lamp(record: Record, since: datetime, lamp: Sequence[FinishedMessage]) -> str:
    return "\n".join(incident_lines(record, since, lamp))


def _second_round(
    generator: StoryGenerator, channels: Mapping[str, Channel], numbered: Sequence[FinishedMessage]
) -> list[list[DemoMessage]]:
    """Citizens who know their number ask for it and add to it; strangers ask for one that does not exist."""
    conversational = {name: channel for name, channel in channels.items() if channel.conversational}
    askers = [ended for ended in numbered if ended.message.account in conversational][:ASKERS]
    return [
        *(
            generator.questions(conversational[e.message.account], e.message.citizen, e.outcome.number or "")
            for e in askers
        ),
        *(generator.unknown_number(channel) for channel in conversational.values()),
    ]


async def _end(own: Settings, opened: OpenHub, missing: int, numbered: Sequence[FinishedMessage], *, hint: str) -> None:
    read = partial(read_ledger, opened.storage.record, opened.transport.bus, opened.outside.pools)
    ledger, losers = await read_ledger_twice(lambda: retry_for_long(read))
    sys.stdout.write(f"{as_table(ledger)}\nLook them up{hint}; the last digits of the phone show the words:\n")
    for ended in {ended.message.account: ended for ended in numbered}.values():
        number, message = ended.outcome.number, ended.message
        page = f"{own.url}/lacak/{number}   phone …{message.item.phone[-4:]}   by {message.account}"
        sys.stdout.write(f"  {number}   {page}\n")
    if missing or losers:
        raise OutOfBalance(f"{missing} without an outcome, lost in {losers or 'no account'}: run satupintu doctor")


def usable_channels(accounts: Accounts, own: Settings) -> dict[str, Channel]:
    """By account: the first of each kind that the demo can write to, without those whose answers would reach real
    people. Raises UsageError where there is none."""
    found: dict[str, Channel] = {}
    for kind in dict.fromkeys(channel.kind for channel in accounts.values()):
        channel = accounts.first(kind)
        if channel is None or channel.demo_request(_PROBE) is None:
            continue
        if _reaches_people(channel):
            print_message(
                f"[{channel.account}] is left out: it can send to real people, and the demo answers nobody real"
            )
        else:
            found[channel.account] = channel
    if not found:
        raise UsageError(f"no account for the demo in {own.channels}: add one, or name another file with --channels")
    return found


def _warn_of_answers(channels: Mapping[str, Channel]) -> None:
    if waiting := [name for name, c in channels.items() if isinstance(c, Speaks) and c.missing_setting]:
        print_message(
            f"the answers of {', '.join(waiting)} wait, and go to the invented phones once the account can send: hold"
            " them back with satupintu replies mark-unknown --apply"
        )


_PROBE = DemoItem(id="0", text="-", name="-", phone="6281200000000", at=utc_now())


def _reaches_people(channel: Channel) -> bool:
    return isinstance(channel, Speaks) and not all(_is_local(url) for url in channel.outbound_urls)


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def _hub_at(own: Settings) -> AsyncIterator[bool]:
    """A hub that answers at the listen address: the one that is up (True), or one of our own for the time."""
    if await asyncio.to_thread(_is_alive, own):
        yield True
        return
    logging.getLogger().setLevel(logging.ERROR)  # its warnings would stand in the middle of the table
    serving = asyncio.create_task(serve(own, STAGES))
    try:
        while not serving.done() and not await asyncio.to_thread(_is_alive, own):  # noqa: ASYNC110 - asked over HTTP
            await asyncio.sleep(0.05)
        if serving.done():
            serving.result()
        yield False
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def _is_alive(own: Settings) -> bool:
    connection = HTTPConnection(own.host, own.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()

"""A portal's reports and answers through kills of the poller: each is decided on once, and none is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

from bench.portals_drill import counted
from hub.accounts import Accounts
from hub.clock import utc_now
from normalizer import Reader, match
from schemas import Action, Matched, Message
from sink.cursors import load_cursor
from sink.memory import RecordMemory
from tests.channels.portal.accounts import account
from tests.fakes.portal import PortalServer
from tests.flow.account_processes import World, killed_before_its_cursor, until

COUNT, KILLS = 300, 5


async def decided(world: World) -> list[Matched]:
    """What came in, as the reader and the matcher have it: messages first, as their topic is ahead."""
    raws = await world.raws()
    door = account("")
    ids = iter(range(10**9))
    events = list(Reader({"rekam": door}.get).read(raws, now=utc_now, new_id=lambda: str(next(ids))))
    memory, found = RecordMemory(world.record, utc_now), []
    for kind in (Message, Action):
        given = [event for event in events if isinstance(event, kind)]
        assert given
        for first in range(0, len(given), 200):
            found += await world.pools.io(match, given[first : first + 200], memory)
    assert len(found) == len(events)
    return found


async def test_each_report_and_each_answer_once_through_kills(world: World) -> None:
    with PortalServer(size=50) as portal:
        processes = []
        for batch in range(KILLS):
            for number in range(batch * COUNT // KILLS, (batch + 1) * COUNT // KILLS):
                portal.add(
                    "aduan", nomor=f"A{number}", uraian=f"Pohon tumbang menimpa rumah nomor {number}", nama=f"W{number}"
                )
                portal.add("balasan", id=number, aduan=f"A{number}", isi=f"Sudah kami tangani {number}")
            process = killed_before_its_cursor(world, account(portal.url, poll_every="0.05s"), batch % 2)
            processes.append(process.start())
            await until(lambda process=process: asyncio.sleep(0, process._dead), "the kill", within=20)
        last = world.process(Accounts.of(account(portal.url, poll_every="0.05s"))).start()
        processes.append(last)
        before = portal.calls
        await until(lambda: _quiet(world, portal, before), "a sweep without news", within=30)
        await asyncio.gather(*(process.stop() for process in processes))
    outcomes = Counter((type(m.message or m.action), m.outcome) for m in await decided(world))
    assert outcomes[Message, "recorded"] == outcomes[Action, "added"] == COUNT
    assert outcomes[Message, "redelivered"] > 0, "some polls were repeated"
    assert set(outcomes) <= {
        (kind, outcome) for kind in (Message, Action) for outcome in ("recorded", "added", "redelivered")
    }


def test_the_books_of_the_drill_name_what_is_not_there_once() -> None:
    good = counted("x", ["a", "b"], ["b", "a"])
    assert (good.good, good.once, good.other) == (True, 2, {})
    for found, other in ((["a"], {"b": 0}), (["a", "b", "b"], {"b": 2}), (["a", "b", "c"], {"c": 1})):
        books = counted("x", ["a", "b"], found)
        assert (books.good, books.other) == (False, other)


async def _quiet(world: World, portal: PortalServer, before: int) -> bool:
    """Both streams were swept since, and the cursor remembers all rows."""
    cursor = await world.pools.io(load_cursor, world.record, "rekam") or ""
    return portal.calls > before + 60 and '"before"' in cursor

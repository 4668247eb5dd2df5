"""A process that dies while it pushes: another sends the same reply again, and LINE takes it once."""

from __future__ import annotations

import asyncio

from connectors import Secret
from connectors.line import LineChannel, LineSettings
from hub.accounts import Accounts
from tests.fakes.line import LineServer
from tests.flow.account_processes import World, until

SARI = "U" + "a" * 32


async def test_a_push_is_made_again_after_a_crash_and_arrives_once(world: World) -> None:
    with LineServer() as line:
        settings = LineSettings(access_token=Secret("token-line"), api_url=line.url, data_url=line.url)
        accounts = Accounts.of(LineChannel("line", "32.73", settings))
        first = world.process(accounts)
        first.before["store_results"] = first.kill
        await world.owe("line", SARI, "a", "b", channel="line")
        first.start()
        await until(lambda: line.sent, "the first push")
        second = world.process(accounts).start()
        try:
            await until(lambda: _all_sent(world), "the second process")
        finally:
            await asyncio.gather(first.stop(), second.stop())
        assert len(line.sent) == 2
        assert len(line.received) == 3  # one of them was answered with 409


async def _all_sent(world: World) -> bool:
    return await world.states() == ["sent", "sent"]

"""Channels that hold a session: they acknowledge what is durable and nothing else, and say what may have arrived.

A kind is tried with a provider that has what `ModemServer` has: `bring`, `taken`, `hang_up`, `refusals`, `silent`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors import Connects, Outbound, Request
from connectors import LeaseLost as Lost
from schemas import AccountFault, Message, Reject, Retry, Unanswered
from tests.channels.recording import able, channel, raw, read, reply
from tests.fakes.modem import ModemServer

KIND = "modem"
HTTP: Any = None
ITEM = {"id": "1", "from": "Sari", "text": "Lampu jalan mati"}


class Intake:
    """An intake that stores after `durable` is set, or fails."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.calls: list[tuple[Sequence[Request], str | None]] = []
        self.called = asyncio.Event()
        self.durable = asyncio.Event()
        self.fault = fault

    async def __call__(self, requests: Sequence[Request], cursor: str | None = None) -> None:
        self.calls.append((requests, cursor))
        self.called.set()
        await self.durable.wait()
        if self.fault:
            raise self.fault


@pytest.fixture
async def modem() -> AsyncIterator[ModemServer]:
    async with ModemServer() as modem:
        yield modem


@asynccontextmanager
async def running(modem: ModemServer, intake: Intake, **settings: Any) -> AsyncIterator[tuple[Any, Outbound]]:
    """The channel with its session at work."""
    door = channel(KIND, port=modem.port, **settings)
    async with door.connect(intake, None) as session:
        work = asyncio.create_task(session.run())
        yield door, Outbound(HTTP, session)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def test_each_kind_that_holds_a_session_is_tried():
    assert able(Connects) == [KIND]


async def test_nothing_is_acknowledged_before_it_is_durable(modem: ModemServer):
    intake = Intake()
    async with running(modem, intake):
        modem.bring(ITEM)
        await intake.called.wait()
        assert modem.taken == set()
        intake.durable.set()
        await modem.until(lambda: modem.taken == {1})
    ((requests, cursor),) = intake.calls
    assert cursor == "1"
    items = [item for request in requests for item in read(channel(KIND), raw(KIND, request))]
    assert [(type(item), item.text) for item in items] == [(Message, "Lampu jalan mati")]


@pytest.mark.parametrize("fault", [Retry("not stored"), Lost(), ValueError("a bug")], ids=["retry", "lost", "bug"])
async def test_an_intake_that_fails_is_not_acknowledged_and_the_item_comes_again(modem: ModemServer, fault: Exception):
    intake = Intake(fault)
    intake.durable.set()
    modem.bring(ITEM)
    async with channel(KIND, port=modem.port).connect(intake, None) as session:
        with pytest.raises(type(fault)):
            await session.run()
    assert modem.taken == set()
    again = Intake()
    again.durable.set()
    async with running(modem, again):
        await modem.until(lambda: modem.taken == {1})
    assert again.calls[0][0] == intake.calls[0][0]


async def test_a_session_goes_on_after_its_cursor(modem: ModemServer):
    modem.bring(ITEM, ITEM | {"id": "2"})
    intake = Intake()
    async with channel(KIND, port=modem.port).connect(intake, "1") as session:
        work = asyncio.create_task(session.run())
        await intake.called.wait()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    assert [cursor for _, cursor in intake.calls] == ["2"]


async def test_a_broken_connection_ends_the_session_with_retry(modem: ModemServer):
    async with channel(KIND, port=modem.port).connect(Intake(), None) as session:
        modem.hang_up()
        with pytest.raises(Retry, match="the connection broke"):
            await session.run()


async def test_leaving_the_context_closes_the_connection(modem: ModemServer):
    async with running(modem, Intake()):
        await modem.until(lambda: modem.sessions == 1)
    await modem.until(lambda: modem.sessions == 0)


async def test_a_wrong_password_is_a_fault_of_the_account(modem: ModemServer):
    with pytest.raises(AccountFault) as caught:
        async with channel(KIND, port=modem.port, password="lain").connect(Intake(), None):
            pass
    assert caught.value.code == "wrong_password"
    assert "lain" not in f"{caught.value!r}"


async def test_without_a_connection_it_is_tried_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Retry, match="no connection"):
            async with channel(KIND, port=free.getsockname()[1]).connect(Intake(), None):
                pass


async def test_a_reply_goes_through_the_session(modem: ModemServer):
    async with running(modem, Intake()) as (door, outbound):
        sent = await asyncio.gather(*(door.send(_reply(n), outbound) for n in range(3)))
    assert sorted(s.native_ids for s in sent) == [("modem-1",), ("modem-2",), ("modem-3",)]
    assert {message["submit"] for message in modem.sent} == {"balasan-0", "balasan-1", "balasan-2"}


@pytest.mark.parametrize(
    ("code", "error", "after"),
    [("busy", Retry, None), ("quota", AccountFault, 3600), ("recipient", Reject, None), ("moon", Reject, None)],
)
async def test_the_providers_own_code_decides(modem: ModemServer, code: str, error: type, after: float | None):
    modem.refusals.append(code)
    async with running(modem, Intake()) as (door, outbound):
        with pytest.raises(error) as caught:
            await door.send(_reply(1), outbound)
    assert type(caught.value) is error
    assert getattr(caught.value, "after", None) == after


async def test_without_a_session_it_surely_did_not_arrive():
    with pytest.raises(Retry, match="no session") as caught:
        await channel(KIND, port=1).send(_reply(1), Outbound(HTTP))
    assert type(caught.value) is Retry


async def test_an_answer_that_does_not_come_leaves_it_open(modem: ModemServer):
    modem.silent = True
    async with running(modem, Intake(), answer_within=0.05) as (door, outbound):
        with pytest.raises(Unanswered):
            await door.send(_reply(1), outbound)
    assert len(modem.sent) == 1


async def test_a_connection_that_breaks_after_the_reply_leaves_it_open(modem: ModemServer):
    modem.silent = True
    async with running(modem, Intake()) as (door, outbound):
        sending = asyncio.create_task(door.send(_reply(1), outbound))
        await modem.until(lambda: modem.sent)
        modem.hang_up()
        with pytest.raises(Unanswered):
            await sending


def _reply(number: int) -> Any:
    return reply(KIND, id=f"balasan-{number}", conversation="Sari", to="Sari")

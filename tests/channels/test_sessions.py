"""Channels that hold a session: they acknowledge what is durable and nothing else, and say what may have arrived.

Each kind is tried with its provider of `session_providers.py`.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors import Connects, ProviderConnections, Request
from connectors import LeaseLost as Lost
from schemas import AccountFault, Message, Retry, Unanswered
from tests.channels.recording import able, channel, raw, read, reply
from tests.channels.session_providers import PROVIDERS, ModemProvider

HTTP: Any = None
TEXT = "Lampu jalan mati"
CODES = [pytest.param(kind, *code, id=f"{kind}: {code[0]}") for kind, made in PROVIDERS.items() for code in made.codes]


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


@pytest.fixture(params=PROVIDERS)
async def provider(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with PROVIDERS[request.param]() as provider:
        yield provider


def account(provider: Any, **settings: Any) -> Any:
    """The account that has its session with this provider."""
    return channel(provider.kind, **provider.settings(provider.port) | settings)


@asynccontextmanager
async def running(provider: Any, intake: Intake, **settings: Any) -> AsyncIterator[tuple[Any, ProviderConnections]]:
    """The channel with its session at work."""
    door = account(provider, **settings)
    async with door.connect(intake, None) as session:
        work = asyncio.create_task(session.run())
        yield door, ProviderConnections(HTTP, session)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def test_each_kind_that_holds_a_session_is_tried():
    assert able(Connects) == sorted(PROVIDERS)


async def test_nothing_is_acknowledged_before_it_is_durable(provider: Any):
    intake = Intake()
    async with running(provider, intake):
        provider.bring_text(TEXT)
        await intake.called.wait()
        assert provider.taken == set()
        intake.durable.set()
        await provider.until(lambda: provider.taken == {1})
    ((requests, cursor),) = intake.calls
    assert cursor == provider.first_cursor
    items = [item for request in requests for item in read(channel(provider.kind), raw(provider.kind, request))]
    assert [(type(item), item.text) for item in items] == [(Message, TEXT)]


@pytest.mark.parametrize("fault", [Retry("not stored"), Lost(), ValueError("a bug")], ids=["retry", "lost", "bug"])
async def test_an_intake_that_fails_is_not_acknowledged_and_the_item_comes_again(provider: Any, fault: Exception):
    intake = Intake(fault)
    intake.durable.set()
    provider.bring_text(TEXT)
    async with account(provider).connect(intake, None) as session:
        with pytest.raises(type(fault)):
            await session.run()
    assert provider.taken == set()
    again = Intake()
    again.durable.set()
    async with running(provider, again):
        await provider.until(lambda: provider.taken == {1})
    assert again.calls[0][0] == intake.calls[0][0]


async def test_a_session_goes_on_after_its_cursor():
    intake = Intake()
    async with ModemProvider() as provider:
        provider.bring_text(TEXT)
        provider.bring_text(TEXT)
        async with account(provider).connect(intake, "1") as session:
            work = asyncio.create_task(session.run())
            await intake.called.wait()
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
    assert [cursor for _, cursor in intake.calls] == ["2"]


async def test_a_broken_connection_ends_the_session_with_retry(provider: Any):
    async with account(provider).connect(Intake(), None) as session:
        provider.hang_up()
        with pytest.raises(Retry, match="the connection broke"):
            await session.run()


async def test_leaving_the_context_closes_the_connection(provider: Any):
    async with running(provider, Intake()):
        await provider.until(lambda: provider.sessions == 1)
    await provider.until(lambda: provider.sessions == 0)


async def test_a_wrong_password_is_a_fault_of_the_account(provider: Any):
    with pytest.raises(AccountFault) as caught:
        async with account(provider, password="lain").connect(Intake(), None):
            pass
    assert caught.value.code == "wrong_password"
    assert "lain" not in f"{caught.value!r}"


@pytest.mark.parametrize("made", PROVIDERS.values(), ids=list(PROVIDERS))
async def test_without_a_connection_it_is_tried_again(made: Any):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        door = channel(made.kind, **made.settings(free.getsockname()[1]))
        with pytest.raises(Retry, match="no connection"):
            async with door.connect(Intake(), None):
                pass


async def test_a_reply_goes_through_the_session(provider: Any):
    async with running(provider, Intake()) as (door, outbound):
        sent = await asyncio.gather(*(door.send(_reply(provider, n), outbound) for n in range(3)))
    assert sorted(s.native_ids for s in sent) == [(id,) for id in provider.ids]
    assert len(provider.sent) == 3


@pytest.mark.parametrize(("kind", "code", "error", "after"), CODES)
async def test_the_providers_own_code_decides(kind: str, code: Any, error: type, after: float | None):
    async with PROVIDERS[kind]() as provider:
        provider.refusals.append(code)
        async with running(provider, Intake()) as (door, outbound):
            with pytest.raises(error) as caught:
                await door.send(_reply(provider, 1), outbound)
    assert type(caught.value) is error
    assert getattr(caught.value, "after", None) == after


@pytest.mark.parametrize("made", PROVIDERS.values(), ids=list(PROVIDERS))
async def test_without_a_session_it_surely_did_not_arrive(made: Any):
    with pytest.raises(Retry, match="no session") as caught:
        await channel(made.kind, **made.settings(1)).send(_reply(made, 1), ProviderConnections(HTTP))
    assert type(caught.value) is Retry


async def test_an_answer_that_does_not_come_leaves_it_open(provider: Any):
    provider.silent = True
    async with running(provider, Intake(), answer_within=0.05) as (door, outbound):
        with pytest.raises(Unanswered):
            await door.send(_reply(provider, 1), outbound)
    assert len(provider.sent) == 1


async def test_a_connection_that_breaks_after_the_reply_leaves_it_open(provider: Any):
    provider.silent = True
    async with running(provider, Intake()) as (door, outbound):
        sending = asyncio.create_task(door.send(_reply(provider, 1), outbound))
        await provider.until(lambda: provider.sent)
        provider.hang_up()
        with pytest.raises(Unanswered):
            await sending


def _reply(provider: Any, number: int) -> Any:
    citizen = provider.citizen
    return reply(provider.kind, id=f"balasan-{number}", conversation=citizen, to=citizen)

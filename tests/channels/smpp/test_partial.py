"""One centre of several that refuses us: the others work, and people are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.commands._channel_test import try_channel
from tests.channels.recording import channel
from tests.channels.smpp.running import session
from tests.fakes.smsc import Smsc

WRONG_PASSWORD = 0x0E


@pytest.fixture
async def works() -> AsyncIterator[Smsc]:
    async with Smsc("sandi-8x") as smsc:
        yield smsc


@pytest.fixture
async def refuses() -> AsyncIterator[Smsc]:
    async with Smsc("sandi-8x") as smsc:
        smsc.bind_status = WRONG_PASSWORD
        yield smsc


async def test_the_centre_that_refuses_is_named_until_it_takes_us(works: Smsc, refuses: Smsc, monkeypatch):
    monkeypatch.setattr("connectors._smpp_session.FIRST_PAUSE", 0.01)
    async with session(works, refuses) as (_, outbound, _):
        fault = outbound.session.partial_fault
        assert (fault.code, fault.detail.startswith(f"{refuses.host}: enter")) == ("wrong_password", True)
        refuses.bind_status = 0
        await refuses.until(lambda: refuses.links)
        while outbound.session.partial_fault:
            await asyncio.sleep(0)


async def test_a_centre_that_stays_away_is_named(works: Smsc, refuses: Smsc, monkeypatch):
    monkeypatch.setattr("connectors._smpp_session.FIRST_PAUSE", 0.0)
    monkeypatch.setattr("connectors._smpp_session.LONGEST_PAUSE", 0.0)
    refuses.bind_status = 0x08
    async with session(works, refuses) as (_, outbound, _):
        assert outbound.session.partial_fault is None
        await refuses.until(lambda: outbound.session.partial_fault)
        assert outbound.session.partial_fault.code == "unreachable"


async def test_a_test_of_the_account_names_it(works: Smsc, refuses: Smsc):
    door = channel("smpp", hosts=[works.host, refuses.host])
    wrong = [finding.words async for finding in try_channel(door, None) if finding.wrong]
    assert [refuses.host in words for words in wrong] == [True]

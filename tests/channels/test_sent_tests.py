"""`channels test NAME --send TO`: the number as a person types it is the citizen's, on every channel with phones."""

from __future__ import annotations

from typing import Any

import pytest

from hub.commands._channel_test import try_channel
from tests.channels.recording import channel
from tests.fakes.server import Received, Server, answer
from tests.fakes.smsc import Smsc


async def sent(kind: str, to: str, **settings: Any) -> Received:
    """The last request of the test at the provider."""
    with Server(lambda _: answer(200, {"messages": [{"id": "wamid.1"}]})) as provider:
        urls = {name: provider.url for name in ("send_url", "graph_url") if name in settings}
        found = [finding.words async for finding in try_channel(channel(kind, **settings | urls), to)]
        assert any("a message was sent" in words for words in found)
        return provider.received[-1]


@pytest.mark.parametrize("typed", ["0812-0000-0001", "+62 812 0000 0001", "6281200000001"])
async def test_whatsapp_sends_from_our_number_to_theirs(typed: str):
    request = await sent("whatsapp", typed, phone_number_id="1068", graph_url="")
    assert (request.path, b'"to":"6281200000001"' in request.body) == ("/1068/messages", True)


async def test_a_gateway_of_sms_gets_the_whole_number():
    request = await sent("sms", "0812-0000-0001", send_url="")
    assert request.params["to"] == "+6281200000001"


async def test_a_centre_gets_an_international_number():
    async with Smsc("sandi-8x") as smsc:
        findings = [f async for f in try_channel(channel("smpp", hosts=[smsc.host]), "0812-0000-0001")]
        assert [f.words for f in findings if f.wrong] == []
        assert [(one.destination, one.destination_ton) for one in smsc.sent] == [("6281200000001", 1)]

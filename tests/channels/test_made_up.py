"""The made-up channels work with their made-up providers."""

from __future__ import annotations

import pytest

from connectors import ProviderConnections
from schemas import AccountFault, Attachment
from tests.channels.recording import cases, channel, raw, read, reply
from tests.fakes.feed import FeedServer
from tests.fakes.kiosk import KioskServer


async def test_polls_bring_all_news_once_and_then_nothing(outbound: ProviderConnections):
    with FeedServer(at_most=2) as feed:
        feed.items += [{"id": str(n), "from": "Sari", "text": "Banjir"} for n in range(5)]
        door, cursor, items, more = channel("feed", url=feed.url), None, [], True
        while more:
            polled = await door.poll(cursor, outbound)
            items += [item for request in polled.requests for item in read(door, raw("feed", request))]
            cursor, more = polled.cursor, polled.more
        assert [item.native_id for item in items] == ["0", "1", "2", "3", "4"]
        assert await door.poll(cursor, outbound) == ((), "5", False)
        assert [received.params["after"] for received in feed.received] == ["0", "2", "4", "5"]


async def test_a_feed_refuses_a_wrong_token(outbound: ProviderConnections):
    with FeedServer(token="lain") as feed, pytest.raises(AccountFault):
        await channel("feed", url=feed.url).poll(None, outbound)


async def test_a_kiosk_takes_replies_and_has_photos(outbound: ProviderConnections):
    with KioskServer() as kiosk:
        kiosk.photos["p/1"] = b"foto"
        door = channel("kiosk", url=kiosk.url)
        assert (await door.send(reply("kiosk"), outbound)).native_ids == ("kiosk-1",)
        assert kiosk.sent[0]["ref"] == "balasan-1"
        assert await door.fetch(Attachment(native_id="p/1"), outbound) == (b"foto", "image/jpeg")


def test_an_office_and_a_citizen_speak_in_one_request():
    (case,) = [case for case in cases("feed") if len(case.items) > 1]
    items = read(channel("feed"), raw("feed", case.request))
    assert [type(item).__name__ for item in items] == ["Message", "Message", "Receipt", "Action", "Reject"]

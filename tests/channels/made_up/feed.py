"""A made-up source that is asked for what is new: `GET /news?after=CURSOR`."""

from __future__ import annotations

import msgspec

from connectors import HttpRequest, PollResult, Polls, ProviderConnections, Request, Secret, Settings
from schemas import Retry
from tests.channels.made_up.items import Items


class FeedSettings(Settings, frozen=True, kw_only=True):
    url: str = ""
    token: Secret = Secret("")
    poll_every: float = 60.0


class _News(msgspec.Struct):
    items: msgspec.Raw
    reached: str
    more: bool = False


_news = msgspec.json.Decoder(_News)


class Feed(Items, Polls):
    kind = "feed"
    settings_type = FeedSettings
    outbound_settings = ("url",)
    url_settings = ("url",)

    @property
    def poll_every(self) -> float:
        return self.settings.poll_every

    async def poll(self, cursor: str | None, outbound: ProviderConnections) -> PollResult:
        self.require_outbound()
        headers = {"Authorization": f"Bearer {self.settings.token.reveal()}"}
        request = HttpRequest(f"{self.settings.url}/news", params={"after": cursor or "0"}, headers=headers)
        body = (await outbound.http.send(request)).body
        try:
            news = _news.decode(body)
        except msgspec.MsgspecError:
            raise Retry("the feed answered with something else than news") from None
        empty = bytes(news.items).strip() == b"[]"
        return PollResult(() if empty else (Request(body=body),), news.reached, news.more)

"""A Bot API in a process of its own: it holds so many updates, and forgets what an offset confirms.

    python -m bench._telegram_api PORT UPDATES

It prints the seconds from the first poll to the confirmation of the last update.
"""

from __future__ import annotations

import sys
import time

import msgspec
from aiohttp import web

from bench._updates import update

AT_ONCE = 100


class BotApi:
    """The updates, and how far they are confirmed."""

    def __init__(self, count: int) -> None:
        self._updates = [msgspec.json.encode(update(number)) for number in range(1, count + 1)]
        self._began = 0.0
        self._told = False

    async def get_updates(self, request: web.Request) -> web.Response:
        body = msgspec.json.decode(await request.read())
        self._began = self._began or time.monotonic()
        first = max(body.get("offset", 1), 1)
        if first > len(self._updates) and not self._told:
            self._told = True
            print(time.monotonic() - self._began, flush=True)
        some = b",".join(self._updates[first - 1 : first - 1 + body.get("limit", AT_ONCE)])
        return web.Response(body=b'{"ok":true,"result":[' + some + b"]}", content_type="application/json")


def main() -> None:
    """Serve until it is ended."""
    api = BotApi(int(sys.argv[2]))
    app = web.Application()
    app.router.add_post("/{bot}/getUpdates", api.get_updates)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)


if __name__ == "__main__":
    main()

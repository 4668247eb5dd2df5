"""X's filtered stream wakes the poll: what it shows is asked for at once.

The posts themselves are taken from the poll, whose cursor misses nothing, whatever becomes of the stream: so a broken
stream costs some seconds, never a post, and nothing comes twice. A post that the stream shows and a poll brings is
billed once a day. Each connect wakes the poll too, for what came meanwhile. X allows one connection an app.
Facts: docs.x.com, X API v2, filtered stream (August 2026).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress

from connectors._http import HttpRequest
from connectors._json import decode_object, object_of, objects_of, string_of
from connectors._session import ProviderConnections
from connectors._x_budget import POST, Budget
from connectors._x_calls import XCalls
from schemas import AccountFault, Reject, Retry

PATH = "tweets/search/stream"
TAG = "satupintu"
"""Of our rule; rules with other tags are left alone."""
SILENT = 50.0
"""Seconds without a byte after which the stream is dead: X sends a line break every 20 s."""
FEWEST, MOST = 5.0, 900.0
"""Seconds between two connections that fail."""
STABLE = 60.0
"""Seconds after which a connection counts as one that worked."""
WAKE_AFTER = 3.0
"""Seconds: X shows a post in the list of mentions a little later than in the stream; more posts may come by then."""
REMEMBERED = 500
"""Ids that `shown` holds."""
IN_FLIGHT = 20 * POST
"""Of the budget: posts that X may have sent, and billed, when we close."""
log = logging.getLogger(__name__)


class XStream:
    """The stream of one account. `rule` is what it shows; `shown` is filled with the ids of posts that were billed, and
    the day."""

    def __init__(
        self, account: str, rule: str, calls: XCalls, budget: Budget, shown: dict[str, str], *,
        wake_after: float = WAKE_AFTER, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:  # fmt: skip
        self._account, self._rule, self._calls, self._budget = account, rule, calls, budget
        self._shown, self._wake_after, self._sleep = shown, wake_after, sleep

    @asynccontextmanager
    async def open(self, outbound: ProviderConnections) -> AsyncIterator[asyncio.Event]:
        """The event that wakes the poll, for as long as the block lasts."""
        wake = asyncio.Event()
        listening = asyncio.create_task(self._listen_for_ever(outbound, wake))
        try:
            yield wake
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    async def _listen_for_ever(self, outbound: ProviderConnections, wake: asyncio.Event) -> None:
        pause = FEWEST
        while True:
            began, after = time.monotonic(), None
            try:
                await self._listen(outbound, wake)
                reason = "X ended it"
            except (Retry, AccountFault) as fault:
                reason, after = fault.reason, fault.after
            except Reject as refused:
                reason = refused.reason
            except Exception as bug:  # the polls do not need the stream
                reason = f"a fault of ours: {type(bug).__name__}"
            pause = FEWEST if time.monotonic() - began >= STABLE else min(pause * 2, MOST)
            wait = max(after or 0.0, pause)
            log.warning("account %s: its stream: %s; polls go on, again in %.0f s", self._account, reason, wait)
            await self._sleep(wait)

    async def _listen(self, outbound: ProviderConnections, wake: asyncio.Event) -> None:
        """Until the stream ends, or the month is about to. Raises Retry, Unanswered, AccountFault or Reject."""
        await self._set_rule(outbound)
        request = HttpRequest(self._calls.url(PATH), headers=self._calls.bearer())
        month, connected = self._budget.take(IN_FLIGHT), False
        try:
            async with (
                asyncio.timeout(self._budget.closes_in()),
                aclosing(outbound.http.lines(request, SILENT)) as lines,
            ):
                async for line in lines:
                    if not connected:
                        connected = True
                        wake.set()
                    if line.strip():
                        self._show(line)
                        asyncio.get_running_loop().call_later(self._wake_after, wake.set)
        except TimeoutError:
            raise Retry("closed while the month turns") from None
        except Exception:
            if not connected:  # X showed nothing
                self._budget.give_back(IN_FLIGHT, month)
            raise
        self._budget.give_back(IN_FLIGHT, month)  # it ended of itself: all that was billed was read

    def _show(self, line: bytes) -> None:
        """Bill the post: the poll that brings it on the same day pays nothing for it. Raises Retry where the line is
        none, and what `Budget.take` raises."""
        shown = decode_object(line) or {}
        if "data" not in shown:
            raise Retry(f"X says: {_title(shown)}")
        self._budget.take(POST)
        self._shown[string_of(object_of(shown, "data"), "id")] = f"{self._budget.now():%Y-%m-%d}"
        for oldest in list(self._shown)[:-REMEMBERED]:
            del self._shown[oldest]

    async def _set_rule(self, outbound: ProviderConnections) -> None:
        """Exactly our rule stands there under our tag."""
        answer, _ = await self._calls.get(outbound, f"{PATH}/rules", {}, own=False)
        ours = [one for one in objects_of(answer, "data") if string_of(one, "tag") == TAG]
        stale = [string_of(one, "id") for one in ours if string_of(one, "value") != self._rule]
        if stale:
            await self._calls.set_rules(outbound, {"delete": {"ids": stale}})
        if len(stale) == len(ours):
            await self._calls.set_rules(outbound, {"add": [{"value": self._rule, "tag": TAG}]})


def _title(shown: dict[str, object]) -> str:
    problems = objects_of(shown, "errors") or [object_of(shown, "error")]
    return string_of(problems[0], "title")[:100] or "no post"

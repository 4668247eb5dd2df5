"""What is new at another server about one of our requests: its updates, or its status.

Updates can only be asked for by time, for all requests of that server: one answer serves all looks of an account for a
while, and of it only what concerns a request of ours comes in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from connectors._open311_client import GeoReportClient
from connectors._open311_query import SPAN
from connectors._open311_reading import WAS
from connectors._port import PollResult
from connectors._request import Request

BACK, OVERLAP = timedelta(days=1), timedelta(minutes=15)
"""How far back is always asked, and how far before the last look: rows become visible late."""
MOST_SEEN = 200
Items = Sequence[dict[str, str]]


class NewsCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Up to when was asked, and which updates of the request were seen."""

    until: datetime | None = None
    seen: tuple[str, ...] = ()


class StatusCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one request."""

    status: str = "open"
    updated: str = ""


class Listing:
    """The updates of a server, as they were listed last; they serve as long as they are `fresh`."""

    def __init__(self, fresh: timedelta) -> None:
        self._fresh = fresh
        self._lock = asyncio.Lock()
        self._start: datetime | None = None
        self.end: datetime | None = None
        self._by_request: Mapping[str, Items] = {}

    async def since(self, client: GeoReportClient, start: datetime, now: datetime) -> None:
        """List them from then on at least, unless that was done a moment ago. Raises as `GeoReportClient.between`."""
        async with self._lock:
            start = max(min(start, now - BACK), now - SPAN)
            known = self._start is not None and self._start <= start + OVERLAP
            if known and self.end is not None and now - self.end < self._fresh:
                return
            found: dict[str, list[dict[str, str]]] = {}
            for item in await client.between("servicerequestupdates", "request_update", start, now):
                found.setdefault(item.get("service_request_id", ""), []).append(item)
            self._start, self.end, self._by_request = start, now, found

    def of(self, native: str) -> Items:
        """Those of one request, as they came."""
        return self._by_request.get(native, ())


async def news(listing: Listing, client: GeoReportClient, native: str, cursor: str | None, now: datetime) -> PollResult:
    """The updates of a request that were not seen yet. Raises as `GeoReportClient.between`."""
    last = msgspec.json.decode(cursor, type=NewsCursor) if cursor else NewsCursor()
    await listing.since(client, (last.until or now) - OVERLAP, now)
    found = {key_of(item): item for item in listing.of(native)}
    told = [item for key, item in found.items() if key not in last.seen]
    seen = tuple(found)[-MOST_SEEN:] if found else last.seen
    after = msgspec.json.encode(NewsCursor(listing.end, seen)).decode()
    return PollResult([_answer("/servicerequestupdates", told)] if told else [], after)


async def status_news(client: GeoReportClient, native: str, cursor: str | None) -> PollResult:
    """The status of a request, where it is another than at the last look. Raises as `GeoReportClient.request`."""
    last = msgspec.json.decode(cursor, type=StatusCursor) if cursor else StatusCursor()
    found = await client.request(native)
    found.setdefault("service_request_id", native)
    seen = StatusCursor(found["status"].lower(), found.get("updated_datetime", ""))
    told = seen.status != last.status or (found.get("status_notes") and seen.updated != last.updated)
    requests = [_answer("/requests", [found], **{WAS: last.status})] if told else []
    return PollResult(requests, msgspec.json.encode(seen).decode())


def key_of(item: dict[str, str]) -> str:
    """What makes an update the same: some servers give one again with other words."""
    return f"{item.get('update_id', '')}/{item.get('updated_datetime', '')}"


def _answer(path: str, items: Items, **headers: str) -> Request:
    body = msgspec.json.encode(items)
    return Request("GET", path, headers={"content-type": "application/json", **headers}, body=body)

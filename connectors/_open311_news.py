"""What is new at another server: its updates of all our requests, or the status of one."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from connectors._open311_client import GeoReportClient
from connectors._open311_query import SPAN
from connectors._open311_reading import WAS, time_of
from connectors._port import PollResult
from connectors._request import Request

FIRST, OVERLAP = timedelta(days=1), timedelta(minutes=15)
"""How far back the first poll asks, and each later one: rows may become visible late."""


class NewsCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Up to when was asked, and what was seen within the overlap before it."""

    until: datetime | None = None
    seen: tuple[str, ...] = ()


class StatusCursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of one request."""

    status: str = "open"
    updated: str = ""


async def news(client: GeoReportClient, cursor: str | None, now: datetime) -> PollResult:
    """The updates since the cursor. Raises as `GeoReportClient.between`."""
    last = msgspec.json.decode(cursor, type=NewsCursor) if cursor else NewsCursor()
    start = now - FIRST if last.until is None else last.until - OVERLAP
    end = min(now, start + SPAN)
    found = {key_of(item): item for item in await client.between("servicerequestupdates", "request_update", start, end)}
    fresh = [item for key, item in found.items() if key not in last.seen]
    recent = tuple(key for key, item in found.items() if _is_recent(item, end))
    after = msgspec.json.encode(NewsCursor(end, recent)).decode()
    requests = [_answer("/servicerequestupdates", fresh)] if fresh else []
    return PollResult(requests, after, more=end < now)


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
    return f"{item.get('service_request_id', '')}/{item.get('update_id', '')}/{item.get('updated_datetime', '')}"


def _is_recent(item: dict[str, str], end: datetime) -> bool:
    at = time_of(item.get("updated_datetime", ""))
    return at is None or at >= end - OVERLAP - timedelta(minutes=1)


def _answer(path: str, items: list[dict[str, str]], **headers: str) -> Request:
    body = msgspec.json.encode(items)
    return Request("GET", path, headers={"content-type": "application/json", **headers}, body=body)

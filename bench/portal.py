"""Records a second polled from a portal by its manifest, on one core: pages decoded, told apart, mapped and read.

    python -m bench.portal [--runs 5] [--records 10000]

The portal's pages lie in memory; nothing is stored. `poll`: pages of 100 rows until the sweep is over, each row once
new and once known (a sweep with news is read a second time). `read`: each new row becomes a Message and an Action.
Processor seconds count, not the clock's.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from bench._table import options, tabulate
from connectors import HttpRequest, HttpResponse, PollResult, ProviderConnections, Request, Secret
from connectors.portal import Portal, PortalSettings
from schemas import Body, Raw

COLUMNS = {"poll s": ".2f", "read s": ".2f", "records/s": ",.0f"}
NOW = datetime(2026, 11, 29, tzinfo=UTC)
PAGE = 100


class Pages:
    """In the place of `Http`: answers with pages made before."""

    def __init__(self, records: int) -> None:
        rows = [_row(number) for number in range(records)]
        self._pages = [msgspec.json.encode({"data": rows[n : n + PAGE]}) for n in range(0, records, PAGE)]

    async def send(self, request: HttpRequest) -> HttpResponse:
        page = int(request.params["page"]) - 1
        return HttpResponse(200, {}, self._pages[page] if page < len(self._pages) else b'{"data": []}')


def _row(number: int) -> dict[str, Any]:
    at = (NOW - timedelta(days=20) + timedelta(seconds=number)).strftime("%Y-%m-%d %H:%M:%S")
    return {
        "id": number, "judul": "Jalan berlubang", "isi": "<p>Jalan di depan pasar berlubang, mohon diperbaiki.</p>",
        "created_at": at, "updated_at": at, "pelapor": {"nama": "Budi", "telepon": "081200000001"},
        "kode_wilayah": "34.04.07", "lat": -7.77, "lng": 110.4, "kategori": "Jalan", "instansi": "Dinas PU",
        "status": "Dalam Proses", "tanggapan": [],
    }  # fmt: skip


def main() -> None:
    given = options(records=10_000)
    tabulate(COLUMNS, lambda _: measured(given.records), given.runs)


def measured(records: int) -> list[float]:
    """Seconds of polling and of reading, and the records a second of both together."""
    settings = PortalSettings(manifest="portal-daerah", secrets={"api_key": Secret("x")})
    door = Portal("bench", "34.04", settings)
    door.now = lambda: NOW
    pages = Pages(records)
    begun = time.process_time()
    requests = asyncio.run(_swept(door, pages))
    polled = time.process_time()
    count = sum(len(list(door.parse(_raw(request, n)))) for n, request in enumerate(requests))
    read = time.process_time()
    assert len(requests) == records
    assert count == 2 * records
    return [polled - begun, read - polled, records / (read - begun)]


async def _swept(door: Portal, pages: Any) -> list[Request]:
    found: list[Request] = []
    polled = PollResult(more=True)
    while polled.more:
        polled = await door.poll(polled.cursor, ProviderConnections(pages))
        found += polled.requests
    return found


def _raw(request: Request, number: int) -> Raw:
    return Raw(
        id=str(number), account="bench", channel="portal", owner="34.04", received_at=NOW, method=request.method,
        path=request.path, headers=request.headers, body=Body(request.body),
    )  # fmt: skip


if __name__ == "__main__":
    main()

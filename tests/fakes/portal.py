"""A made-up regional portal on a real socket: reports and answers by page, a login whose token lapses, and what such
portals do wrong: pages that shift while they are read, rows that commit late, pages of HTML, 429, rows twice."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from connectors import HttpResponse
from tests.fakes.server import Behaviour, Fault, Received, Server, answer

WITA = timedelta(hours=8)
"""Its clock: times are written without a zone."""
HTML = "<!DOCTYPE html><html><body>Sedang dalam pemeliharaan</body></html>"


class PortalServer(Server):
    """`with PortalServer() as portal`: rows stand in `reports` and `answers`, what it was told in `told`."""

    def __init__(self, *, size: int = 20, faults: Random | None = None, token_calls: int = 10**9) -> None:
        super().__init__(self._respond_in_turn)
        self.rows: dict[str, list[dict[str, Any]]] = {"aduan": [], "balasan": []}
        self.told: list[dict[str, Any]] = []
        self.calls = 0
        self.at = datetime(2026, 11, 1, tzinfo=UTC)
        self._lock = threading.Lock()
        self._size, self._faults, self._token_calls = size, faults, token_calls
        self._token, self._left = "", 0

    def add(self, table: str, *, late: timedelta = timedelta(0), **fields: Any) -> None:
        """A row, changed now; `late`: its transaction began so much earlier, and commits now."""
        with self._lock:
            self.at += timedelta(seconds=1)
            self.rows[table].append({"diubah": self._written(self.at - late), **fields})

    def change(self, table: str, position: int, **fields: Any) -> None:
        """The row moves to the end of the list, as one does that is sorted by its change."""
        with self._lock:
            self.at += timedelta(seconds=1)
            row = self.rows[table].pop(position)
            self.rows[table].append(row | {"diubah": self._written(self.at)} | fields)

    def _written(self, at: datetime) -> str:
        return f"{at + WITA:%d/%m/%Y %H:%M:%S}"

    def _respond_in_turn(self, received: Received) -> Behaviour:
        with self._lock:
            self.calls += 1
            return self._fault() or self._served(received)

    def _fault(self) -> Behaviour | None:
        if self._faults is None or self._faults.random() > 0.25:
            return None
        return self._faults.choice(
            [
                answer(200, HTML),
                answer(429, "", retry_after="0"),
                answer(503, ""),
                answer(200, ""),
                Fault.DROP,
                Fault.HALF,
            ]
        )

    def _served(self, received: Received) -> HttpResponse:
        if received.path == "/login":
            if received.json != {"username": "satupintu", "password": "sandi-portal"}:
                return answer(401, "")
            self._token, self._left = f"token-{self.calls}", self._token_calls
            return answer(200, {"token": self._token})
        if received.headers.get("authorization") != f"Bearer {self._token}" or self._left <= 0:
            return answer(302, "", location="/login")
        self._left -= 1
        if received.method == "POST":
            return self._tell(received.json)
        if received.path == "/tanggapan":
            return answer(200, {"results": [row for row in self.told if row["nomor"] == received.params["nomor"]]})
        if received.path.startswith("/satu/"):
            return self._one(received.path.removeprefix("/satu/"))
        return self._list(received)

    def _tell(self, row: dict[str, Any]) -> HttpResponse:
        row = {"id": f"t{len(self.told) + 1}", **row}
        self.told.append(row)
        return answer(200, {"ok": True, "id": row["id"]})

    def _one(self, native: str) -> HttpResponse:
        found = next((row for row in self.rows["aduan"] if row["nomor"] == native), None)
        return answer(404, {"pesan": "tidak ada"}) if found is None else answer(200, {"data": found})

    def _list(self, received: Received) -> HttpResponse:
        since = datetime.strptime(received.params["sejak"], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) - WITA
        rows = [row for row in self.rows[received.path.strip("/")] if self._changed(row) >= since]
        rows.sort(key=self._changed)
        first = int(received.params["offset"])
        page = rows[first : first + self._size]
        if self._faults and page and self._faults.random() < 0.2:
            page = [page[0], *page]
        return answer(200, {"results": page, "total": len(rows)})

    def _changed(self, row: dict[str, Any]) -> datetime:
        return datetime.strptime(row["diubah"], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) - WITA

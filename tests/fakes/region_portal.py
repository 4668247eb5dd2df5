"""A made-up regional portal as a program, with pages on a real socket, a database, citizens and officers of its own.

    python -m tests.fakes.region_portal FOLDER --port 8091 --complaints 5000 --share 0.1 --seed 1

Citizens file complaints here; officers answer those that another system brought. It does what such portals do wrong:
the list of complaints is sorted by change, the newest first, so that it shifts while it is read; rows commit up to 20 s
after their time; an answer is HTML, 429, 503, cut off, or none at all, before or after the work was done; logins lapse;
rows stand twice on a page; times are of another zone, without saying so.
"""

from __future__ import annotations

import argparse
import sqlite3
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from connectors import HttpResponse
from tests.fakes.server import Behaviour, Fault, Received, Server, answer

WITA = timedelta(hours=8)
HTML = "<!DOCTYPE html><html><body>Sedang dalam pemeliharaan</body></html>"
LATEST = 20.0
"""Seconds by which a row commits late at most."""
SIZE = 100
"""Rows of a page."""
LOGIN_CALLS = 300
TICK = 0.2
SCHEMA = """
    CREATE TABLE IF NOT EXISTS aduan (nomor TEXT PRIMARY KEY, asal TEXT, isi TEXT, status TEXT, diubah REAL,
        tampak REAL);
    CREATE INDEX IF NOT EXISTS aduan_diubah ON aduan (diubah);
    CREATE TABLE IF NOT EXISTS tanggapan (id INTEGER PRIMARY KEY AUTOINCREMENT, nomor TEXT, asal TEXT, isi TEXT,
        diubah REAL, tampak REAL);
    CREATE INDEX IF NOT EXISTS tanggapan_diubah ON tanggapan (diubah);
    CREATE INDEX IF NOT EXISTS tanggapan_nomor ON tanggapan (nomor);
"""


FAULTS = (answer(200, HTML), answer(429, "", retry_after="1"), answer(503, ""), Fault.DROP, Fault.HALF, Fault.RESET)


class Plan(NamedTuple):
    """What happens in the portal."""

    complaints: int
    per_second: float
    share: float
    """Of the calls that fail."""
    seed: int


class RegionPortal(Server):
    """`with RegionPortal(folder, port, plan)`: killed and begun again, it goes on with its database."""

    def __init__(self, folder: Path, port: int, plan: Plan) -> None:
        super().__init__(self._respond_in_turn, port)
        self._plan, self._random = plan, Random(plan.seed)
        self._lock = threading.Lock()
        self._rows = sqlite3.connect(folder / "portal.db", check_same_thread=False, isolation_level=None)
        self._rows.row_factory = sqlite3.Row
        self._rows.executescript("PRAGMA journal_mode = WAL;" + SCHEMA)
        self._token, self._left, self._calls = "", 0, 0

    def live(self) -> None:
        """Citizens file, and officers answer what came from outside, for ever."""
        while not self.wait(TICK):
            with self._lock:
                self._file()
                self._answer_all()

    def _file(self) -> None:
        filed = self._one("SELECT count(*) FROM aduan WHERE asal = 'warga'")
        for n in range(filed, min(self._plan.complaints, filed + max(1, int(self._plan.per_second * TICK)))):
            self._insert("warga", f"A{n:06d}", f"Pohon tumbang menutup jalan di depan rumah nomor {n}")

    def _answer_all(self) -> None:
        waiting = self._all(
            "SELECT nomor FROM aduan a WHERE asal = 'satupintu' AND tampak <= ? AND NOT EXISTS "
            "(SELECT 1 FROM tanggapan t WHERE t.nomor = a.nomor AND t.asal = 'petugas') LIMIT 50",
            time.time(),
        )
        for row in waiting:
            self._say(row["nomor"], "petugas", f"Sudah kami tangani, {row['nomor']}")

    def _insert(self, origin: str, number: str, words: str) -> None:
        began, shows = self._times()
        self._rows.execute("INSERT INTO aduan VALUES (?, ?, ?, 'Masuk', ?, ?)", (number, origin, words, began, shows))

    def _say(self, number: str, origin: str, words: str) -> int:
        """An answer; what an officer says also ends the complaint, which moves to the front of its list."""
        began, shows = self._times()
        with self._rows:
            self._rows.execute("BEGIN")
            done = self._rows.execute(
                "INSERT INTO tanggapan (nomor, asal, isi, diubah, tampak) VALUES (?, ?, ?, ?, ?)",
                (number, origin, words, began, shows),
            )
            self._rows.execute("UPDATE aduan SET status = 'Selesai', diubah = ? WHERE nomor = ?", (began, number))
        return int(done.lastrowid or 0)

    def _times(self) -> tuple[float, float]:
        """When its transaction began, which is its time, and when it commits."""
        now = time.time()
        return now, now + (self._random.random() * LATEST if self._random.random() < 0.05 else 0.0)

    def _respond_in_turn(self, received: Received) -> Behaviour:
        with self._lock:
            self.received.clear()
            self._calls += 1
            if self._random.random() >= self._plan.share:
                return self._served(received)
            fault = self._random.choice(
                [
                    answer(200, HTML),
                    answer(429, "", retry_after="1"),
                    answer(503, ""),
                    Fault.DROP,
                    Fault.HALF,
                    Fault.RESET,
                ]
            )
            done_first = self._random.random() < 0.5 and not (isinstance(fault, HttpResponse) and fault.status == 429)
            if done_first:
                self._served(received)
            return fault

    def _served(self, received: Received) -> HttpResponse:
        if received.path == "/login":
            if received.json != {"username": "satupintu", "password": "sandi-portal"}:
                return answer(401, "")
            self._token, self._left = f"token-{self._random.random()}", LOGIN_CALLS
            return answer(200, {"token": self._token})
        if received.headers.get("authorization") != f"Bearer {self._token}" or self._left <= 0:
            return answer(302, "", location="/login")
        self._left -= 1
        if received.method == "POST":
            return self._told(received)
        if received.path == "/cari":
            return answer(200, {"results": self._found(received)})
        return self._list(received)

    def _told(self, received: Received) -> HttpResponse:
        if received.path == "/aduan":
            number = "S{:06d}".format(self._one("SELECT count(*) FROM aduan WHERE asal = 'satupintu'"))
            self._insert("satupintu", number, received.json["isi"])
            return answer(200, {"ok": True, "nomor": number})
        number = received.path.rpartition("/")[2]
        return answer(200, {"ok": True, "nomor": str(self._say(number, "satupintu", received.json["isi"]))})

    def _found(self, received: Received) -> list[dict[str, Any]]:
        table = received.params["di"]
        rows = self._all(f"SELECT * FROM {table} WHERE isi LIKE ?", f"%{received.params['kata']}%")
        return [self._shown(row) for row in rows]

    def _list(self, received: Received) -> HttpResponse:
        table = received.path.strip("/")
        newest_first = table == "aduan"
        offset = (int(received.params["hal"]) - 1) * SIZE if newest_first else int(received.params["offset"])
        rows = self._all(
            f"SELECT * FROM {table} WHERE diubah >= ? AND tampak <= ? "
            f"ORDER BY diubah {'DESC' if newest_first else ''} LIMIT ? OFFSET ?",
            _instant(received.params["sejak"]), time.time(), SIZE, offset,
        )  # fmt: skip
        shown = [self._shown(row) for row in rows]
        if shown and self._random.random() < 0.1:
            shown = [shown[0], *shown]
        return answer(200, {"results": shown})

    def _shown(self, row: sqlite3.Row) -> dict[str, Any]:
        at = datetime.fromtimestamp(row["diubah"], UTC) + WITA
        kept = {name: value for name, value in dict(row).items() if name not in {"tampak", "asal"}}
        return kept | {"diubah": f"{at:%d/%m/%Y %H:%M:%S}"}

    def _all(self, sql: str, *values: Any) -> Sequence[sqlite3.Row]:
        return self._rows.execute(sql, values).fetchall()

    def _one(self, sql: str) -> int:
        return int(self._rows.execute(sql).fetchone()[0])


def _instant(written: str) -> float:
    return (datetime.strptime(written, "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) - WITA).timestamp()


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--complaints", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--share", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with RegionPortal(given.folder, given.port, Plan(given.complaints, given.rate, given.share, given.seed)) as portal:
        portal.live()


if __name__ == "__main__":
    main()

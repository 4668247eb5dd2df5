"""A made-up hotline's database, and accounts that read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, NullPool, create_engine, text

from connectors import Http, PollResult, ProviderConnections, Request, Secret
from connectors.database import Database, DatabaseSettings
from schemas import Action, Message
from tests.channels.recording import raw, read

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
TABLE = """
CREATE TABLE aduan (
  nomor VARCHAR(20) PRIMARY KEY, isi TEXT, status CHAR(20), dibaca INTEGER DEFAULT 0, dibuat TIMESTAMP NULL,
  diubah TIMESTAMP NULL DEFAULT NULL
)
"""
MANIFEST = """
name = "Hotline karangan"
zone = "Asia/Makassar"
timeout = "{timeout}"

[views.aduan]
query = "SELECT nomor, isi, status, dibaca, dibuat, diubah FROM aduan WHERE isi <> ':00' AND isi NOT LIKE '%%'"
key = "nomor"
time = "diubah"
overlap = "15m"
size = {size}
ignore = ["dibaca"]
{more}

[views.aduan.message]
id = "nomor"
text = "isi"
sent_at = "dibuat"

[[views.aduan.actions]]
what = "status"
status = "status"
at = "diubah"

[tables.status]
"Diproses" = "in_progress"
"Selesai" = "done"
""".replace("'%%'", "'x%%y'")


class Source:
    """One database, and what the hotline's own program does in it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._folder = url, folder
        own = {"init_command": "SET time_zone = '+08:00'"} if "mariadb" in url else {}
        self._engine: Engine = create_engine(url, poolclass=NullPool, connect_args=own)
        self.do(TABLE)

    def do(self, statement: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            connection.execute(text(statement), values)

    def add(self, number: int, at: datetime | None, isi: str = "", status: str | None = None) -> None:
        words = isi or f"Jalan rusak nomor {number}"
        self.do(
            "INSERT INTO aduan (nomor, isi, status, dibuat, diubah) VALUES (:n, :i, :s, :d, :d)",
            n=f"A{number:04}", i=words, s=status, d=local(at),
        )  # fmt: skip

    def add_many(self, numbers: range, at: datetime) -> None:
        with self._engine.begin() as connection:
            rows = [{"n": f"A{n:04}", "i": f"Jalan rusak nomor {n}", "d": local(at)} for n in numbers]
            connection.execute(text("INSERT INTO aduan (nomor, isi, dibuat, diubah) VALUES (:n, :i, :d, :d)"), rows)

    def account(self, *, size: int = 20, timeout: str = "30s", more: str = "", manifest: str = MANIFEST) -> Database:
        path = self._folder / "manifest.toml"
        path.write_text(manifest.replace("{timeout}", timeout).replace("{size}", str(size)).replace("{more}", more))
        door = Database("rekam", "32.73", DatabaseSettings(manifest=str(path), url=Secret(self.url)))
        door.now = lambda: NOW
        return door


def local(at: datetime | None) -> Any:
    """As the hotline writes it: by the clock on its wall."""
    return (at + timedelta(hours=8)).replace(tzinfo=None) if at else None


async def sweep(door: Database, cursor: str | None) -> tuple[list[Request], str | None]:
    """Poll until nothing more is there."""
    found: list[Request] = []
    polled = PollResult((), cursor, more=True)
    async with Http() as http:
        while polled.more:
            polled = await door.poll(polled.cursor, ProviderConnections(http))
            found += polled.requests
    return found, polled.cursor


def items(door: Database, requests: list[Request]) -> list[Message | Action]:
    found = [item for request in requests for item in read(door, raw("database", request))]
    assert all(isinstance(item, Message | Action) for item in found), found
    return found  # type: ignore[return-value]


def numbers(door: Database, requests: list[Request]) -> list[int]:
    """Of the reports."""
    return [int(item.native_id[1:]) for item in items(door, requests) if isinstance(item, Message)]

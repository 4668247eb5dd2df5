"""The baseline of the ingress: a bare ASGI endpoint that checks the same signature and answers after the same kind of
append (SQLite, WAL, synchronous=FULL, one writer thread, many appends in one transaction). It does nothing else.

    python -m bench._bare_ingress PORT DATABASE SECRET
"""

from __future__ import annotations

import asyncio
import hmac
import queue
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any


class Log:
    """Appends of one process share a transaction and a sync."""

    def __init__(self, path: Path) -> None:
        self._queue: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._path = path
        self._loop: asyncio.AbstractEventLoop | None = None

    async def append(self, body: bytes) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._write, daemon=True).start()
        future = self._loop.create_future()
        self._queue.put((body, future))
        await future

    def _write(self) -> None:
        db = sqlite3.connect(self._path, isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE IF NOT EXISTS log (offset INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")
        while True:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO log (body) VALUES (?)", [(body,) for body, _ in group])
            db.execute("COMMIT")
            assert self._loop
            self._loop.call_soon_threadsafe(lambda group=group: [f.set_result(None) for _, f in group])


def app(log: Log, secret: bytes) -> Any:
    """The endpoint."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            event = await receive()
            body, more = body + event.get("body", b""), event.get("more_body", False)
        signature = dict(scope["headers"]).get(b"x-hub-signature-256", b"")
        good = hmac.compare_digest(signature, b"sha256=" + hmac.digest(secret, body, "sha256").hex().encode())
        if good:
            await log.append(body)
        await send(
            {"type": "http.response.start", "status": 200 if good else 403, "headers": [(b"content-length", b"0")]}
        )
        await send({"type": "http.response.body", "body": b""})

    return answer


if __name__ == "__main__":
    import uvicorn

    port, database, key = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3].encode()
    uvicorn.run(
        app(Log(database), key), host="127.0.0.1", port=port, log_config=None, access_log=False, lifespan="off",
        ws="none", http="httptools", loop="uvloop",
    )  # fmt: skip

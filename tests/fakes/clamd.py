"""A clamd that misbehaves, on a real socket. The real one stands in tests/services/test_clamd.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def fake_clamd(path: Path, answer: bytes, *, reads: int = -1) -> AsyncIterator[str]:
    """Reads so many bytes (-1: one command), answers and hangs up; its address. A command may ask for its version."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reads >= 0:
            await reader.readexactly(reads)
        asked = b"" if reads >= 0 else await reader.readuntil(b"\0")
        if asked == b"zINSTREAM\0":
            await reader.readuntil(b"\0\0\0\0")
        writer.write(b"ClamAV 1.0.7\0" if asked == b"zVERSION\0" else answer)
        writer.close()

    server = await asyncio.start_unix_server(serve, path, limit=2**24)
    async with server:
        yield f"unix:{path}"

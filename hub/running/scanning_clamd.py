"""clamd, asked by INSTREAM over TCP or a unix socket (clamd(8)). Anything but "OK" is not clean."""

from __future__ import annotations

import asyncio
import struct
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from sink.attachments_checks import Verdict

WITHIN = 60.0
"""Seconds for one file."""
CHUNK = 64 * 1024
_END = b"\0"


class ScanResult(NamedTuple):
    """What is known of the bytes."""

    verdict: Verdict
    why: str | None = None
    """clamd's name of what it found, or a code."""
    final: bool = True
    """False: asked again, the answer may be another one."""


class Clamd:
    """`address` is host:port, or unix: and a path."""

    def __init__(self, address: str, within: float = WITHIN) -> None:
        self._address, self._within = address, within

    async def scan(self, body: bytes) -> ScanResult:
        """The verdict on these bytes. Raises OSError where no clamd listens."""
        try:
            async with asyncio.timeout(self._within):
                reader, writer = await self._connect()
                try:
                    return _result(await _answer(reader, writer, body))
                finally:
                    writer.close()
        except TimeoutError:
            return ScanResult("no_verdict", "scan_too_slow", final=False)

    async def version(self) -> tuple[str, datetime | None]:
        """Its version, and the date of its signatures where it says one. Raises OSError where no clamd answers."""
        async with asyncio.timeout(self._within):
            reader, writer = await self._connect()
            try:
                writer.write(b"zVERSION\0")
                await writer.drain()
                return _version(await reader.readuntil(_END))
            except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                raise ConnectionError from None
            finally:
                writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._address.startswith("unix:"):
            return await asyncio.open_unix_connection(self._address.removeprefix("unix:"))
        host, _, port = self._address.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> bytes:
    """Empty where clamd hung up without a word. Over its StreamMaxLength it answers and hangs up in mid-stream, so the
    answer is awaited while the bytes are written."""
    answer = asyncio.create_task(reader.readuntil(_END))
    try:
        with suppress(ConnectionError):
            writer.write(b"zINSTREAM\0")
            for start in range(0, len(body), CHUNK):
                chunk = body[start : start + CHUNK]
                writer.write(struct.pack("!L", len(chunk)) + chunk)
                await writer.drain()
                if answer.done():
                    break
            writer.write(struct.pack("!L", 0))
            await writer.drain()
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return (await answer).rstrip(_END)
        return b""
    finally:
        answer.cancel()


def _version(answer: bytes) -> tuple[str, datetime | None]:
    """As "ClamAV 1.0.7/27460/Thu Nov 14 09:35:12 2024"."""
    name, _, signatures = answer.rstrip(_END).decode("utf-8", "replace").partition("/")
    try:
        return name, datetime.strptime(signatures.partition("/")[2].strip(), "%a %b %d %H:%M:%S %Y").replace(tzinfo=UTC)
    except ValueError:
        return name, None


def _result(answer: bytes) -> ScanResult:
    words = answer.decode("utf-8", "replace").removeprefix("stream: ").strip()
    if words == "OK":
        return ScanResult("clean")
    if words.endswith(" FOUND"):
        return ScanResult("infected", words.removesuffix(" FOUND")[:100])
    if "size limit exceeded" in words:
        return ScanResult("no_verdict", "scan_too_large")
    return ScanResult("no_verdict", "scan_broken_off", final=False)

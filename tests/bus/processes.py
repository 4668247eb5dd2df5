"""Processes of their own beside a test's: workers on a log, doors with a spool."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def process_of(module: str, *arguments: Path | str) -> AsyncIterator[Process]:
    """`python -m MODULE ARGUMENTS…`, killed at the end."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdin=PIPE, stdout=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def worker(role: str, log: Path | str, *arguments: str) -> AbstractAsyncContextManager[Process]:
    """A process of `worker.py` in that role."""
    return process_of("tests.bus.worker", role, log, *arguments)


async def line(process: Process) -> str:
    """The next line that it prints."""
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()

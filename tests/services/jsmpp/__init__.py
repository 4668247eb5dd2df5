"""A centre on jSMPP (Java): a program of others on the other end of the session."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.services.ports import free_ports

HERE = Path(__file__).parent
JARS = HERE / "jars"


class JSmpp:
    """The running centre. `bring` takes messages to be delivered; `line` gives its next line of output."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.host = f"127.0.0.1:{port}"

    def bring(self, source: str, esm_class: int, coding: int, text: bytes) -> None:
        """Delivered once somebody is bound to receive."""
        assert self._process.stdin
        self._process.stdin.write(f"{source} {esm_class} {coding} {text.hex()}\n".encode())

    async def line(self) -> str:
        assert self._process.stdout
        return (await self._process.stdout.readline()).decode().strip()


@asynccontextmanager
async def a_jsmpp(password: str) -> AsyncIterator[JSmpp]:
    """Started on a free port. Skips where Java or Maven is missing."""
    if not (shutil.which("java") and shutil.which("mvn")) and not os.environ.get("CI"):
        pytest.skip("jSMPP needs Java and Maven (Debian: default-jre-headless, maven)")
    if not (JARS / ".complete").exists():
        words = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        await asyncio.to_thread(subprocess.run, [*words, f"-DoutputDirectory={JARS}"], check=True)
        (JARS / ".complete").touch()
    (port,) = free_ports(1)
    words = ["java", "-cp", f"{JARS}/*", str(HERE / "Smsc.java"), str(port), password]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    try:
        centre = JSmpp(process, port)
        assert await centre.line() == "listening"
        yield centre
    finally:
        process.kill()
        await process.wait()

"""The real clamd, with a database of one line: the EICAR test file."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from hub.running.scanning_clamd import Clamd, ScanResult

pytestmark = pytest.mark.service
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
NAME = "Eicar-Test-Signature"
LIMIT = 1024 * 1024
CONFIG = """
Foreground yes
DatabaseDirectory {folder}/db
LocalSocket {folder}/clamd.ctl
StreamMaxLength 1M
"""


@pytest.fixture
async def clamd(tmp_path: Path) -> AsyncIterator[Clamd]:
    program = shutil.which("clamd")
    if program is None:
        assert not os.environ.get("CI"), "clamd is not installed: apt-get install clamav-daemon"
        pytest.skip("needs clamd")
    (tmp_path / "db").mkdir()
    digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
    (tmp_path / "db" / "eicar.hdb").write_text(f"{digest}:{len(EICAR)}:{NAME}\n")
    (tmp_path / "clamd.conf").write_text(CONFIG.format(folder=tmp_path))
    process = await asyncio.create_subprocess_exec(
        program, "-c", str(tmp_path / "clamd.conf"), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(30):
            while not (tmp_path / "clamd.ctl").exists():
                await asyncio.sleep(0.05)
        yield Clamd(f"unix:{tmp_path / 'clamd.ctl'}")
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def test_clamd_tells_the_test_virus_from_the_rest_and_gives_no_verdict_over_its_limit(clamd: Clamd) -> None:
    assert await clamd.scan(EICAR) == ScanResult("infected", f"{NAME}.UNOFFICIAL")
    assert await clamd.scan(b"Jalan rusak") == ScanResult("clean")
    over = await clamd.scan(b"x" * (LIMIT * 3))
    assert (over.verdict, over.why in ("scan_too_large", "scan_broken_off")) == ("no_verdict", True)

"""A "yes" means durable: the trace of system calls shows file, folder and log synced before the answer is written."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import requests

from tests.programs import Program, channels, signed, wait_for, whatsapp_body

CALLS = "trace=fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg,pwrite64"


@pytest.fixture
def strace() -> str:
    found = shutil.which("strace")
    if not found and os.environ.get("CI"):
        pytest.fail("strace is not installed: apt-get install strace")
    if not found:
        pytest.skip("strace is not installed")
    return found


@pytest.mark.slow
def test_file_and_log_are_synced_before_the_yes(tmp_path: Path, strace: str) -> None:
    program = Program(tmp_path / "hub", channels())
    program.start("run", "door")
    trace = tmp_path / "trace"
    tracer = subprocess.Popen([strace, "-f", "-y", "-s", "32", "-e", CALLS, "-o", trace, "-p", str(program.pid)])
    try:
        wait_for(lambda: trace.exists() and _traced(program.pid), 10, "strace to attach")
        body = whatsapp_body("wamid.besar", "6281200000001", "Banjir di jalan raya. " * 20_000)  # goes to the blobs
        assert requests.post(program.url + "/in/whatsapp", body, headers=signed(body), timeout=20).status_code == 200
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.wait(10)
        program.stop()
    _in_order(trace.read_text(errors="replace"))


def _traced(pid: int) -> bool:
    return all("TracerPid:\t0" not in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status"))


def _in_order(trace: str) -> None:
    steps = {
        "the file is synced": r"fsync\(\d+<[^>]*/blobs/",
        "it gets its name": r"rename(?:at2?)?\([^\n]*/blobs/",
        "the folder is synced": r"fsync\(\d+<[^>]*/blobs(?:/[0-9a-f]{2})?>\)",
        "the row is written": r"pwrite64\(\d+<[^>]*bus\.db-wal>",
        "the log is synced": r"f(?:data)?sync\(\d+<[^>]*bus\.db-wal>",
        "yes": r"\"HTTP/1\.1 200",
    }
    at = 0
    for step, pattern in steps.items():
        found = re.compile(pattern).search(trace, at)
        assert found, f"not seen in order: {step}"
        at = found.start()

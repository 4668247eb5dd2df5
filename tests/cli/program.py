"""The program as a shell calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith("SATUPINTU_")}


def satupintu(*words: str, data: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Call it, in its own data folder if one is given."""
    where = ("--data", str(data)) if data else ()
    return subprocess.run(
        [sys.executable, "-m", "hub", *words, *where],
        input=stdin, capture_output=True, text=True, timeout=120, env=CLEAN, check=False,
    )  # fmt: skip


def one_line(done: subprocess.CompletedProcess[str], code: int) -> str:
    """Its standard error: exactly one line, with that exit code and nothing on standard output."""
    assert done.returncode == code, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert not done.stdout
    return done.stderr

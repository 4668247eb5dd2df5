"""Where the generators are installed, and how they are called."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).parent


def cached(name: str, pinned: bytes, install: Callable[[Path], None]) -> Path:
    """The folder of a tool, installed where it is not there yet. `pinned`: the text that fixes its version."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "satupintu"
    folder = cache / f"{name}-{hashlib.sha256(pinned).hexdigest()[:12]}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=cache, prefix=f".{name}-"))
    try:
        install(made)
        made.rename(folder)
    except OSError:
        if not folder.exists():  # another process may have been faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def call(words: Sequence[str | Path], folder: Path | None = None) -> str:
    """What the program says. Raises RuntimeError with it where it fails."""
    program = shutil.which(str(words[0]))
    if program is None:
        raise RuntimeError(f"{words[0]} is needed, and is not installed")
    done = subprocess.run(  # noqa: S603 - our own words
        [program, *map(str, words[1:])], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout

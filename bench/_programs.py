"""Programs under measurement: started on free ports in throwaway folders, ended by process id."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.services.ports import free_port

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "satupintu-bench-pycache"))
"""Programs start with their bytecode ready, as on an installed machine."""
SECRET = "bench-app-secret"
CHANNELS = f"""
[whatsapp]
kind = "whatsapp"
owner = "32.73"
app_secret = "{SECRET}"
verify_token = "bench"
state = "silent"
[web]
kind = "web"
owner = "32.73"
[file]
kind = "file"
owner = "32.73"
"""


def prepared(folder: Path, channels: str = CHANNELS) -> Path:
    """A data folder with these accounts."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "channels.toml").write_text(channels)
    return folder


def answers(port: int, within: float = 60.0) -> float:
    """Seconds until the port answers an HTTP request."""
    start = time.monotonic()
    while time.monotonic() - start < within:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as s:
                s.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                if s.recv(12):
                    return time.monotonic() - start
        except OSError:
            time.sleep(0.01)
    raise TimeoutError(f"nothing answers on port {port}")


@contextmanager
def running(*words: str, port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m WORDS…` while the context lasts."""
    program = subprocess.Popen([sys.executable, "-m", *words], stderr=subprocess.PIPE if port is None else None)
    try:
        if port is not None:
            answers(port)
        yield program
    finally:
        program.terminate()
        program.wait(20)


@contextmanager
def timed_peer(module: str, *numbers: int) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """`python -m MODULE PORT NUMBERS…`, which prints the seconds that it was busy: its port and process."""
    port = free_port()
    words = [sys.executable, "-m", module, str(port), *map(str, numbers)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        time.sleep(2)
        yield port, process
    finally:
        process.terminate()
        process.wait(10)


def seconds_of(process: subprocess.Popen[str]) -> float:
    """Once a timed peer is done."""
    assert process.stdout
    return float(process.stdout.readline())


@contextmanager
def hub(folder: Path, *words: str, channels: str = CHANNELS) -> Iterator[int]:
    """`satupintu WORDS…` on that folder; its port."""
    port, data = free_port(), prepared(folder, channels)
    with running("hub", *words, "--data", str(data), "--listen", f"127.0.0.1:{port}", port=port):
        yield port


def peak_of(*words: str) -> tuple[float, float, str]:
    """Run `satupintu WORDS…` to its end: seconds, peak resident MiB of it and its children, standard output."""
    start, peak = time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+") as out:
        program = subprocess.Popen([sys.executable, "-m", "hub", *words], stdout=out)
        while program.poll() is None:
            peak = max(peak, _resident(program.pid))
            time.sleep(0.1)
        seconds = time.monotonic() - start
        if program.returncode:
            raise RuntimeError(f"satupintu {words[0]} ended with {program.returncode}")
        out.seek(0)
        return seconds, peak, out.read()


def _resident(pid: int) -> float:
    """MiB of a process and its children, what they share counted once (PSS)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    own = re.search(r"^Pss:\s+(\d+) kB", status, re.MULTILINE)
    return (int(own.group(1)) / 1024 if own else 0.0) + sum(_resident(int(child)) for child in children)


def machine() -> str:
    """The machine in one line."""
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    name = model.group(1) if model else "unknown processor"
    return f"{os.cpu_count()} cores of {name}, {memory:.0f} GiB, Python {sys.version.split()[0]}, {files} files"

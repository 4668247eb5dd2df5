"""As `bench.fuzz`, driven by coverage: atheris keeps each input that reaches a new line, and damages it further.

    python -m bench.fuzz_guided KIND [--inputs 100000] [--seed 1]

It begins with the bodies and queries of the kind's recording, and ends with 1 at the first fault of the channel, whose
input it prints. atheris is no dependency of the tests: `pip install atheris` (Linux; 35 MB).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

from msgspec.structs import replace

LONGEST = 8192
"""Bytes of an input."""


def loaded() -> ModuleType:
    """atheris. Its instrumentation has to be there before the channels are loaded."""
    try:
        import atheris  # type: ignore[import-not-found] # installed by hand
    except ImportError:
        sys.exit("atheris is not installed: .venv/bin/pip install atheris")
    return atheris  # type: ignore[no-any-return]


class Target:
    """One channel. An input's first byte chooses the request of the recording whose body, or query, it replaces."""

    def __init__(self, kind: str) -> None:
        from tests.channels.recording import cases, channel

        self._kind, self._door = kind, channel(kind)
        self._requests = [case.request for case in cases(kind)]
        self.inputs = self.items = self.rejects = 0

    def seeds(self) -> list[bytes]:
        """The recording itself."""
        return [bytes([n % 256]) + (r.body or r.query.encode()) for n, r in enumerate(self._requests)]

    def __call__(self, data: bytes) -> None:
        """Raises AssertionError where the channel shows a fault."""
        from connectors import group_parts
        from schemas import Reject
        from tests.channels.recording import raw, read

        chosen = self._requests[(data[0] if data else 0) % len(self._requests)]
        new: dict[str, Any] = {"body": data[1:]} if chosen.body else {"query": data[1:].decode("utf-8", "replace")}
        request = replace(chosen, **new)
        self.inputs += 1
        if self.inputs % 10_000 == 0:  # libFuzzer leaves the process without a word to Python
            print(f"{self._kind}: {self.inputs:,} inputs, {self.items:,} items, {self.rejects:,} Rejects", flush=True)
        group_parts(self._door, request)
        for item in read(self._door, raw(self._kind, request)):
            self.items += 1
            if isinstance(item, Reject):
                self.rejects += 1
                assert item.code != "channel_bug", f"{item.detail}: {data!r}"


def main() -> None:
    """Print what was tried, every 10,000 inputs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("--inputs", type=int, default=100_000, help="[100000]")
    parser.add_argument("--seed", type=int, default=1, help="[1]")
    chosen = parser.parse_args()
    atheris = loaded()
    with atheris.instrument_imports(include=["connectors"]):
        target = Target(chosen.kind)
    with tempfile.TemporaryDirectory() as corpus:
        for n, seed in enumerate(target.seeds()):
            (Path(corpus) / str(n)).write_bytes(seed)
        options = [f"-runs={chosen.inputs}", f"-seed={chosen.seed}", f"-max_len={LONGEST}", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={corpus}/", corpus], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()

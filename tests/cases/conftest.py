"""Cases that strangers brought: each a file of invented inputs in `inputs/NN`, and what must come of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.cli import run_command
from tests.flow.running_hub import RunningHub, running_hub
from tests.programs import channels

INPUTS = Path(__file__).parent / "inputs"
NUMBER_ID = "106540352242922"
"""The phone number id of the account in `tests.programs.channels`."""


class Done(NamedTuple):
    """What a command printed."""

    code: int
    out: list[Any]
    """Its lines of JSON."""
    err: list[str]


class Satupintu:
    """`satupintu …` in one data folder, in this process."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        folder.mkdir()
        (folder / "channels.toml").write_text(channels())
        self.folder, self._capture = folder, capture

    def __call__(self, *words: str | Path) -> Done:
        code = run_command(["--data", str(self.folder), *map(str, words)])
        out, err = self._capture.readouterr()
        return Done(code, [json.loads(line) for line in out.splitlines()], err.splitlines())

    def ingest(self, file: Path) -> tuple[dict[str, int], list[str]]:
        """The ledger of the file without its zeros, and the lines for people."""
        done = self("ingest", file)
        assert (done.code, len(done.out)) == (0, 1), done.err
        return {name: count for name, count in done.out[0].items() if count}, done.err

    def texts(self) -> list[str]:
        """The words of every report, sorted."""
        return sorted(complaint["text"] for complaint in self("export").out)


@pytest.fixture
def satupintu(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Satupintu:
    return Satupintu(tmp_path / "var", capsys)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[RunningHub]:
    """A hub that answers on a free port, its providers' fakes beside it."""
    async with running_hub(tmp_path / "hub", "memory://") as opened:
        yield opened


def webhook_of(path: Path) -> bytes:
    """An input as Meta posts it to the account."""
    return path.read_bytes().replace(b'"1068"', f'"{NUMBER_ID}"'.encode())

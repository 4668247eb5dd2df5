"""A folder's files through kills of the process that reads them, beside others: each row comes in, and each file is put
away once."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from connectors import _folder
from connectors.file import FileChannel, FileSettings
from hub.accounts import Accounts
from tests.flow.account_processes import World, killed_before_its_cursor, until

FILES, ROWS, KILLS = 4, 150, 3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "masuk").mkdir()
    return tmp_path / "masuk"


def account(folder: Path) -> FileChannel:
    return FileChannel("rekap", "32.73", FileSettings(folder=str(folder), settled="0.1s", poll_every="0.05s"))


def write(folder: Path, number: int) -> None:
    rows = [["Isi Laporan", "Nama"], *([f"Lampu {number}-{n} mati", f"W{n}"] for n in range(ROWS))]
    if number % 2:
        (folder / f"{number}.csv").write_text("".join(f"{';'.join(row)}\n" for row in rows))
        return
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    (folder / f"{number}.xlsx").write_bytes(out.getvalue())


async def test_each_row_comes_in_and_each_file_is_put_away_through_kills(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_folder, "AT_ONCE", 40)
    for number in range(FILES):
        write(folder, number)
    processes = []
    for kill in range(KILLS):
        process = killed_before_its_cursor(world, account(folder), saves=kill)
        processes.append(process.start())
        await until(lambda process=process: asyncio.sleep(0, process._dead), "the kill", within=20)
    processes += [world.process(Accounts.of(account(folder))).start() for _ in range(2)]
    await until(lambda: asyncio.sleep(0, len(list(folder.glob("selesai/*"))) == FILES), "all files away", within=30)
    await asyncio.gather(*(process.stop() for process in processes))
    raws = await world.raws()
    bodies = {bytes(raw.body) for raw in raws}
    assert len({raw.headers["row-id"] for raw in raws}) == len(bodies) == FILES * ROWS
    assert len(raws) >= FILES * ROWS + KILLS, "each kill repeats some rows"
    assert [path.name for path in folder.iterdir()] == ["selesai"]

"""A folder as an account: files are taken when they are whole, once, and put away when they are durable."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openpyxl import Workbook

from connectors import _folder
from connectors._folder import FolderCursor
from connectors._request import Request
from connectors.file import FileChannel, FileSettings
from schemas import AccountFault, Attachment, Message, Reject, Retry
from tests.channels.recording import raw, read

BEGIN = datetime(2026, 3, 2, 8, tzinfo=UTC)
NOBODY: Any = None


class Poller:
    """The account as the hub polls it: the cursor is saved after the requests are durable."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = FileSettings(folder=str(folder), settled="30s", **settings)
        self.cursor: str | None = None
        self.taken: list[Request] = []
        self.at = BEGIN
        self.restart()

    def restart(self) -> None:
        """Another process holds the account now."""
        self.channel = FileChannel("rekap", "32.73", self.settings)
        self.channel.now = lambda: self.at

    async def once(self, *, saved: bool = True) -> bool:
        found = await self.channel.poll(self.cursor, NOBODY)
        self.taken += found.requests
        self.cursor = found.cursor if saved else self.cursor
        return found.more

    async def until_idle(self, after: float = 60) -> None:
        self.at += timedelta(seconds=after)
        while await self.once():
            pass

    def items(self) -> list[Any]:
        return [item for one in self.taken for item in read(self.channel, raw("file", one))]

    def texts(self) -> list[str]:
        return [item.text if isinstance(item, Message) else item.code for item in self.items()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "masuk").mkdir()
    return tmp_path / "masuk"


@pytest.fixture
def poller(folder: Path) -> Iterator[Poller]:
    return Poller(folder)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def test_a_file_is_taken_when_it_stood_still_and_put_away_when_it_is_durable(folder: Path, poller: Poller):
    (folder / "mei.csv").write_text("id,text\n1,Macet\n2,Air\n")
    await poller.until_idle(after=0)
    await poller.until_idle(after=29)
    assert (poller.texts(), names(folder)) == ([], ["mei.csv"])
    await poller.until_idle(after=1)
    assert poller.texts() == ["Macet", "Air"]
    (put_away,) = names(folder)
    assert put_away.startswith("selesai/mei.")


async def test_a_file_that_still_grows_is_not_taken(folder: Path, poller: Poller):
    for size in range(1, 5):
        (folder / "mei.csv").write_text("id,text\n1,Macet\n" * size)
        await poller.until_idle(after=29)
    assert poller.taken == []


@pytest.mark.parametrize("name", ["mei.csv.part", ".mei.csv", "~$mei.xlsx", "mei.filepart", "MEI.TMP"])
async def test_a_file_that_a_program_has_not_finished_is_left(name: str, folder: Path, poller: Poller):
    (folder / name).write_text("id,text\n1,Macet\n")
    await poller.until_idle()
    await poller.until_idle()
    assert (poller.taken, names(folder)) == ([], [name])


async def test_a_clock_that_was_a_year_ahead_holds_no_file_back(folder: Path, poller: Poller):
    (folder / "rekap.csv").write_text("text\nLampu mati\n")
    poller.at = BEGIN + timedelta(days=365)
    await poller.until_idle(0)
    poller.at = BEGIN
    await poller.until_idle(0)
    await poller.until_idle()
    assert poller.texts() == ["Lampu mati"]


async def test_an_empty_file_waits_for_its_rows(folder: Path, poller: Poller):
    (folder / "mei.csv").touch()
    await poller.until_idle()
    (folder / "mei.csv").write_text("id,text\n1,Macet\n")
    await poller.until_idle()
    await poller.until_idle()
    assert poller.texts() == ["Macet"]


async def test_the_same_content_is_read_once_and_new_content_of_one_name_again(folder: Path, poller: Poller):
    for text in ("Macet", "Macet", "Air"):
        (folder / "rekap.csv").write_text(f"id,text\n1,{text}\n")
        await poller.until_idle()
        await poller.until_idle()
    assert poller.texts() == ["Macet", "Air"]
    assert len(names(folder)) == 2


async def test_a_crash_between_rows_and_cursor_repeats_rows_with_their_ids(folder: Path, poller: Poller, monkeypatch):
    monkeypatch.setattr(_folder, "AT_ONCE", 2)
    (folder / "a.csv").write_text("text\n" + "".join(f"Laporan {n}\n" for n in range(5)))
    await poller.until_idle()
    poller.at += timedelta(seconds=60)
    for saved in (True, True, False):
        await poller.once(saved=saved)
        poller.restart()
    await poller.until_idle()
    ids = [one.headers["row-id"] for one in poller.taken]
    assert poller.texts() == ["Laporan 0", "Laporan 1", "Laporan 2", "Laporan 3", "Laporan 2", "Laporan 3", "Laporan 4"]
    assert (len(set(ids)), ids[2:4]) == (5, ids[4:6])
    assert names(folder)[0].startswith("selesai/")


async def test_a_file_that_changes_while_it_is_read_is_read_again(folder: Path, poller: Poller, monkeypatch):
    monkeypatch.setattr(_folder, "AT_ONCE", 1)
    (folder / "a.csv").write_text("text\nMacet\nAir\n")
    await poller.until_idle()
    poller.at += timedelta(seconds=60)
    await poller.once()
    await poller.once()
    (folder / "a.csv").write_text("text\nMacet\nAir\nLampu\n")
    await poller.until_idle()
    await poller.until_idle()
    assert poller.texts() == ["Macet", "Air", "Macet", "Air", "Lampu"]
    assert [name.split("/")[0] for name in names(folder)] == ["selesai"]


async def test_a_file_that_is_no_table_is_named_and_set_apart_and_the_next_is_read(folder: Path, poller: Poller):
    (folder / "a.pdf").write_bytes(b"%PDF-1.7 surat")
    (folder / "b.csv").write_text("text\nMacet\n")
    os.utime(folder / "a.pdf", (1, 1))
    await poller.until_idle()
    await poller.until_idle()
    await poller.until_idle()
    assert poller.texts() == ["unreadable_file", "Macet"]
    assert b"a.pdf is a PDF" in poller.taken[0].body
    assert [name.split("/")[0] for name in names(folder)] == ["gagal", "selesai"]


async def test_a_wrong_row_is_named_by_its_line(folder: Path, poller: Poller):
    (folder / "a.csv").write_text("text,latitude\nMacet,\nAir,utara\n")
    await poller.until_idle()
    await poller.until_idle()
    (_, wrong) = poller.items()
    assert isinstance(wrong, Reject)
    assert wrong.detail.startswith("line 3:")


async def test_the_accounts_columns_and_workbooks_hold_here_too(folder: Path):
    poller = Poller(folder, columns={"text": "Cerita warga"}, dates="day-first")
    book = Workbook()
    for row in (["Kode", "Cerita warga", "Tanggal"], [1, "Macet", "05/08/2025"]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    (folder / "b.xlsx").write_bytes(out.getvalue())
    await poller.until_idle()
    await poller.until_idle()
    (message,) = poller.items()
    assert (message.text, message.sent_at.date().isoformat()) == ("Macet", "2025-08-05")


async def test_a_folder_whose_files_may_not_be_moved_is_read_once(folder: Path, poller: Poller, monkeypatch):
    async def may_not(*args: bytes) -> bool:
        return False

    monkeypatch.setattr("connectors._folder_local.LocalFolder.move", may_not)
    (folder / "a.csv").write_text("text\nMacet\n")
    for _ in range(4):
        await poller.until_idle()
    assert (poller.texts(), names(folder)) == (["Macet"], ["a.csv"])


async def test_many_files_that_may_not_be_moved_hide_no_new_one(folder: Path, poller: Poller, monkeypatch):
    async def may_not(*args: bytes) -> bool:
        return False

    monkeypatch.setattr("connectors._folder_local.LocalFolder.move", may_not)
    monkeypatch.setattr(_folder, "REMEMBERED", 3)
    for number in range(5):
        path = folder / f"{number}.csv"
        path.write_text(f"text\nLaporan {number}\n")
        os.utime(path, ns=(number, number))
        for _ in range(2):
            await poller.until_idle()
    assert poller.texts() == [f"Laporan {number}" for number in range(5)]


async def test_names_in_any_bytes_are_taken(folder: Path, poller: Poller):
    with open(os.fsencode(folder) + b"/m\xe9i.csv", "w") as file:  # noqa: PTH123 - a name that is no text
        file.write("text\nMacet\n")
    await poller.until_idle()
    await poller.until_idle()
    assert poller.texts() == ["Macet"]


async def test_a_folder_that_is_not_there_is_a_fault_of_the_account(tmp_path: Path):
    with pytest.raises(AccountFault, match="make it"):
        await Poller(tmp_path / "nowhere").once()


async def test_a_link_out_of_the_folder_is_no_file_of_it(folder: Path, poller: Poller, tmp_path: Path):
    (tmp_path / "rahasia.csv").write_text("text\nMacet\n")
    (folder / "a.csv").symlink_to(tmp_path / "rahasia.csv")
    await poller.until_idle()
    await poller.until_idle()
    assert poller.taken == []


async def test_the_cursor_stays_small(folder: Path, poller: Poller, monkeypatch):
    monkeypatch.setattr(_folder, "REMEMBERED", 3)
    for number in range(8):
        (folder / f"{number}.csv").write_text(f"text\nLaporan {number}\n")
    for _ in range(9):
        await poller.until_idle()
    cursor = msgspec.json.decode(poller.cursor or "", type=FolderCursor)
    assert (len(cursor.digests), len(cursor.seen)) == (3, 0)
    assert len(poller.taken) == 8


def test_an_account_without_folder_is_not_polled():
    assert not FileChannel("file", "00", FileSettings()).polling


async def test_a_picture_beside_a_table_waits_there_and_is_read_when_a_row_names_it(folder: Path, poller: Poller):
    (folder / "foto").mkdir()
    (folder / "foto" / "2.jpg").write_bytes(b"dua")
    (folder / "1.jpg").write_bytes(b"satu")
    (folder / "mei.csv").write_text("id,text,attachments\n1,Macet,1.jpg; foto\\2.jpg\n")
    await poller.until_idle(after=0)
    await poller.until_idle()
    (message,) = poller.items()
    assert len([name for name in names(folder) if name.startswith("selesai/mei.")]) == 1
    bodies = [(await poller.channel.fetch(one, NOBODY)).body for one in message.attachments]
    assert bodies == [b"satu", b"dua"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("../luar.jpg", "file_elsewhere"), ("/etc/passwd", "file_elsewhere"), (".rahasia.jpg", "file_elsewhere"),
     ("foto/.git/1.jpg", "file_elsewhere"), ("C:\\foto.jpg", "file_elsewhere"), ("", "file_elsewhere"),
     ("hub.db", "file_kind"), ("foto", "file_kind"), ("tautan.jpg", "no_file"), ("pipa.jpg", "no_file"),
     ("map.jpg", "no_file"), ("tiada.jpg", "no_file"), ("a" * 300 + ".jpg", "no_file"),
     ("besar.jpg", "file_too_large")],
)  # fmt: skip
async def test_nothing_but_an_attachment_in_the_folder_is_read(
    folder: Path, poller: Poller, name: str, code: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("connectors._folder_attachments.LARGEST", 3)
    (folder.parent / "luar.jpg").write_bytes(b"luar")
    (folder / "tautan.jpg").symlink_to(folder.parent / "luar.jpg")
    (folder / ".rahasia.jpg").write_bytes(b"x")
    (folder / "hub.db").write_bytes(b"x")
    (folder / "besar.jpg").write_bytes(b"1234")
    (folder / "map.jpg").mkdir()
    os.mkfifo(folder / "pipa.jpg")
    with pytest.raises(Reject) as fault:
        await poller.channel.fetch(Attachment(native_id=name), NOBODY)
    assert fault.value.code == code
    assert name == "" or name not in fault.value.detail


@pytest.mark.parametrize(("number", "fault"), [(errno.EMFILE, Retry), (errno.EIO, Retry), (errno.EACCES, Reject)])
async def test_an_attachment_is_given_up_for_its_own_faults_only(
    folder: Path, poller: Poller, number: int, fault: type[Exception], monkeypatch: pytest.MonkeyPatch
):
    def fail(path: bytes, flags: int) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("connectors._folder_local.os.open", fail)
    with pytest.raises(fault):
        await poller.channel.fetch(Attachment(native_id="1.jpg"), NOBODY)


HEADINGS, CELLS = "No;Tgl;No. HP;Isi Pengaduan", "1;05/08/2025;6,28E+12;Lampu “mati” di Dago"


@pytest.mark.parametrize("title", ["REKAP PENGADUAN;;;", "sep=;", '"Rekap, triwulan II"'])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252", "utf-16"])
async def test_a_recap_as_excel_writes_it_is_read_as_ingest_reads_it(folder: Path, title: str, encoding: str):
    poller = Poller(folder, dates="day-first", zone="Asia/Makassar")
    (folder / "rekap.csv").write_bytes(f"{title}\r\n{HEADINGS}\r\n{CELLS}\r\n".encode(encoding))
    await poller.until_idle(after=0)
    await poller.until_idle()
    (message,) = poller.items()
    assert (message.text, message.sent_at.isoformat()) == ("Lampu “mati” di Dago", "2025-08-05T00:00:00+08:00")
    assert message.extra["row-note"].startswith("its phone is damaged")


async def test_a_workbook_below_titles_with_serial_dates_is_read(folder: Path, poller: Poller):
    book = Workbook()
    for row in (["REKAP"], [], ["Tanggal", "Isi Laporan", "Tindak Lanjut"], [45874.5, "Macet", "Sudah diurai"]):
        book.active.append(row)
    book.save(folder / "rekap.xlsx")
    await poller.until_idle(after=0)
    await poller.until_idle()
    message, answer = poller.items()
    assert (message.sent_at.isoformat(), answer.text) == ("2025-08-05T12:00:00+07:00", "Sudah diurai")

"""The checks of files, from the bytes that came to those that may be shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hub.clock import TimeSource
from hub.commands._doctor_files import clamd_finding
from hub.running.backend import Backend
from hub.running.scanning import MAX_CHECKS, BlobCalls, FileChecker
from hub.running.scanning_clamd import Clamd, ScanResult
from schemas import Attachment
from sink import Record, Vault
from sink.attachments_checks import count_unscanned
from sink.blobs import Blobs
from sink.export import export
from tests.fakes.clamd import fake_clamd
from tests.sink.made import NOW, execute, message, persist, routed, rows
from tests.sink.made_pictures import OWNER, exif, picture

SHOWN = "SELECT verdict, why, shown, check_at FROM attachments"


async def at_once(call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    return call(*args, **kwargs)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as opened:
        yield opened


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def checker(record: Record, blobs: Blobs, clamd: Clamd | None = None) -> FileChecker:
    timing = TimeSource(lambda: NOW, lambda: 0.0, asyncio.sleep)
    return FileChecker(Backend(record, at_once, timing), BlobCalls(blobs.get, blobs.put), clamd)


def sent(record: Record, blobs: Blobs, *bodies: tuple[bytes, str]) -> list[str]:
    """A report with these files; their SHA-256."""
    names = [blobs.put(body) for body, _ in bodies]
    files = (
        Attachment(native_id=name, media_type=kind, sha256=name, state="fetched")
        for name, (_, kind) in zip(names, bodies, strict=True)
    )
    persist(record, routed(message(1, attachments=tuple(files))))
    return names


async def test_what_is_shown_holds_no_exif_and_the_original_stays(record: Record, blobs: Blobs) -> None:
    body = picture(exif=exif())
    [original] = sent(record, blobs, (body, "image/jpeg"))
    assert await checker(record, blobs).step() == 1
    [(verdict, shown, preview, kind)] = rows(record, "SELECT verdict, shown, preview, shown_type FROM attachments")
    assert (verdict, kind, blobs.get(original)) == ("unscanned", "image/jpeg", body)
    assert all(OWNER.encode() not in blobs.get(name) for name in (shown, preview))
    [complaint] = export(record, None)
    assert (complaint["place"]["lat"], complaint["place"]["lon"]) == (-6.25, 106.75)


async def test_a_bomb_is_a_fault_of_its_file_and_nothing_else_stops(
    record: Record, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb, pdf = picture(size=(50, 50)), b"%PDF-1.7"
    names = sent(record, blobs, (bomb, "image/jpeg"), (b"\xff\xd8\xff", "image/jpeg"), (pdf, "application/pdf"))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)  # 2,500 pixels: Pillow itself would only warn
    assert await checker(record, blobs).step() == 3
    assert rows(record, "SELECT why, shown FROM attachments ORDER BY n") == [
        ("picture_too_large", None), ("picture_unknown", None), (None, names[2]),
    ]  # fmt: skip
    assert rows(record, "SELECT why FROM timeline WHERE what = 'file_withheld' ORDER BY why") == [
        ("picture_too_large",), ("picture_unknown",),
    ]  # fmt: skip


async def test_a_file_whose_bytes_are_gone_has_no_verdict(record: Record, blobs: Blobs) -> None:
    [name] = sent(record, blobs, (b"%PDF-1.7", "application/pdf"))
    blobs.delete(name)
    await checker(record, blobs).step()
    assert rows(record, SHOWN) == [("no_verdict", "file_missing", None, None)]


async def test_without_the_scanner_nothing_is_shown_however_long_it_takes(record: Record, blobs: Blobs) -> None:
    sent(record, blobs, (picture(), "image/jpeg"))
    absent = checker(record, blobs, Clamd("unix:/nowhere/clamd.ctl"))
    for _ in range(MAX_CHECKS + 1):
        assert await absent.step() == 1
        [(verdict, why, shown, due)] = rows(record, SHOWN)
        assert (verdict, why, shown, due is None) == ("no_verdict", "scanner_unavailable", None, False)
        execute(record, "UPDATE attachments SET check_at = '2025-01-01T00:00:00+00:00'")
    await checker(record, blobs).step()
    assert rows(record, "SELECT shown IS NOT NULL FROM attachments") == [(1,)]


async def test_a_scanner_that_never_answers_about_a_file_leaves_it_unshown(
    record: Record, blobs: Blobs, tmp_path: Path
) -> None:
    sent(record, blobs, (picture(), "image/jpeg"))
    async with fake_clamd(tmp_path / "clamd.ctl", b"", reads=10) as address:
        for _ in range(MAX_CHECKS):
            assert await checker(record, blobs, Clamd(address)).step() == 1
            execute(record, "UPDATE attachments SET check_at = '2025-01-01T00:00:00+00:00' WHERE check_at IS NOT NULL")
    assert rows(record, SHOWN) == [("no_verdict", "scan_broken_off", None, None)]


ANSWERS = [
    (b"stream: OK\0", "clean", None, True),
    (b"stream: Eicar-Test-Signature FOUND\0", "infected", "Eicar-Test-Signature", True),
    (
        b"stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND\0",
        "infected",
        "Heuristics.Limits.Exceeded.MaxFileSize",
        True,
    ),
    (b"INSTREAM size limit exceeded. ERROR\0", "no_verdict", "scan_too_large", True),
    (b"stream: Can't allocate memory ERROR\0", "no_verdict", "scan_broken_off", False),
    (b"stream: NOT OK\0", "no_verdict", "scan_broken_off", False),
    (b"stream: OK", "no_verdict", "scan_broken_off", False),
    (b"", "no_verdict", "scan_broken_off", False),
]


@pytest.mark.parametrize(("answer", "verdict", "why", "final"), ANSWERS)
async def test_only_ok_is_clean(tmp_path: Path, answer: bytes, verdict: Any, why: str | None, final: bool) -> None:
    async with fake_clamd(tmp_path / "clamd.ctl", answer) as address:
        assert await Clamd(address).scan(b"x" * 100_000) == ScanResult(verdict, why, final)


async def test_a_stream_that_is_cut_off_over_its_limit_is_no_verdict(tmp_path: Path) -> None:
    async with fake_clamd(tmp_path / "clamd.ctl", b"INSTREAM size limit exceeded. ERROR\0", reads=100_000) as address:
        found = await Clamd(address).scan(b"x" * 8_000_000)
    assert (found.verdict, found.why in ("scan_too_large", "scan_broken_off")) == ("no_verdict", True)


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[str]:
    """A clamd that takes the bytes and says nothing."""
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_unix_server(serve, tmp_path / "clamd.ctl"):
        yield f"unix:{tmp_path / 'clamd.ctl'}"
        ended.set()


async def test_a_scanner_that_is_too_slow_gives_no_verdict(silent: str) -> None:
    assert await Clamd(silent, within=0.05).scan(b"x") == ScanResult("no_verdict", "scan_too_slow", final=False)


async def test_files_from_before_the_scanner_are_scanned_once_it_is_set_and_shown_meanwhile(
    record: Record, blobs: Blobs, tmp_path: Path
) -> None:
    sent(record, blobs, (b"%PDF-1.7", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"))
    assert await checker(record, blobs).step() == 2
    assert (count_unscanned(record), await checker(record, blobs).step()) == (1, 0)
    async with fake_clamd(tmp_path / "clamd.ctl", b"stream: Eicar-Test FOUND\0") as address:
        scanning = checker(record, blobs, Clamd(address))
        assert await scanning.step() == 1
        assert rows(record, "SELECT count(*) FROM attachments WHERE shown IS NOT NULL") == [(1,)]
        assert await scanning.step() == 1
        assert await scanning.step() == 0
    assert rows(record, "SELECT verdict, why, shown FROM attachments ORDER BY n") == [
        ("infected", "Eicar-Test", None), ("unscanned", "picture_unknown", None),
    ]  # fmt: skip
    assert rows(record, "SELECT count(*) FROM timeline WHERE what = 'file_withheld'") == [(2,)]


@pytest.mark.parametrize("answers", [False, True], ids=["no clamd answers", "it breaks off"])
async def test_files_from_before_the_scanner_are_shown_until_it_has_said_its_last_word(
    record: Record, blobs: Blobs, tmp_path: Path, answers: bool
) -> None:
    sent(record, blobs, (b"%PDF-1.7", "application/pdf"))
    await checker(record, blobs).step()
    async with fake_clamd(tmp_path / "clamd.ctl", b"") as address:
        scanning = checker(record, blobs, Clamd(address if answers else "unix:/nowhere/clamd.ctl"))
        assert [await scanning.step() for _ in range(3)] == ([1, 1, 0] if answers else [0, 0, 0])
    assert rows(record, "SELECT verdict, shown IS NOT NULL, check_at IS NOT NULL FROM attachments") == [
        ("unscanned", 1, answers)
    ]


async def test_doctor_sees_clamd_its_signatures_and_the_files(record: Record, tmp_path: Path) -> None:
    answers = {
        b"ClamAV 1.0.7/27460/Thu Nov 14 09:35:12 2024\0": (" of 14.11.2024: run freshclam", True),
        b"ClamAV 1.0.7/27460/Thu Nov 28 09:35:12 2024\0": (" of 28.11.2024", False),
        b"ClamAV 1.0.7\0": ("without signatures: run freshclam", True),
    }
    for answer, (words, warning) in answers.items():
        async with fake_clamd(tmp_path / "clamd.ctl", answer, reads=9) as address:
            found = await clamd_finding(address, datetime(2024, 11, 29, tzinfo=UTC))
        assert (found.words.endswith(words), found.warning, found.wrong) == (True, warning, False)
        (tmp_path / "clamd.ctl").unlink(missing_ok=True)
    assert (await clamd_finding("unix:/nowhere/clamd.ctl", NOW)).wrong

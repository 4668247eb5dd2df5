from __future__ import annotations

import errno
import gzip
import multiprocessing
import os
import random
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from schemas import Body, Raw, Retry
from sink import archive_files
from sink.archive import Archive

DAY = datetime(2025, 7, 1, tzinfo=UTC)
LATE = DAY + timedelta(days=400)


def raw(n: int, at: datetime | None = None) -> Raw:
    body = Body(f'{{"text": "Lampu jalan nomor {n} mati\\n"}}'.encode())
    when = at or DAY + timedelta(seconds=n)
    return Raw(id=str(UUID(int=n)), account="sms", channel="sms", owner="32.73", received_at=when, body=body)


def archived(folder: Path, *batches: Iterable[Raw]) -> Path:
    """The one file of one writer, closed."""
    with Archive(folder) as archive:
        for batch in batches:
            archive.append(batch)
    (file,) = folder.glob("*.gz")
    return file


def left_open(folder: Path, *batches: Iterable[Raw]) -> Path:
    """The one file of a writer that was killed."""
    work = multiprocessing.get_context("fork").Process(target=_write_and_die, args=(folder, batches))
    work.start()
    work.join(30)
    (file,) = folder.glob("*.gz")
    return file


def _write_and_die(folder: Path, batches: Iterable[Iterable[Raw]]) -> None:
    archive = Archive(folder)
    for batch in batches:
        archive.append(batch)
    os._exit(0)


def read(folder: Path, since: datetime = DAY, until: datetime | None = None) -> tuple[list[int], list[str]]:
    """The numbers of the raws, and what is said of damage."""
    damage: list[str] = []
    raws = list(Archive(folder).read(since, until, on_damage=damage.append))
    assert raws == [raw(UUID(r.id).int, r.received_at) for r in raws]
    return [UUID(r.id).int for r in raws], damage


def test_raws_come_back_whole_and_in_order(tmp_path: Path) -> None:
    archived(tmp_path, [raw(1), raw(2)], [raw(3)])
    assert read(tmp_path) == ([1, 2, 3], [])


def test_a_range_holds_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        archive.append(raw(n, DAY + timedelta(hours=12 * n)) for n in range(10))
    assert read(tmp_path, DAY + timedelta(hours=24), DAY + timedelta(hours=72))[0] == [2, 3, 4, 5]
    assert read(tmp_path, DAY + timedelta(hours=25))[0] == [3, 4, 5, 6, 7, 8, 9]


def test_a_day_is_a_day_of_utc(tmp_path: Path) -> None:
    jakarta = datetime.fromisoformat("2025-07-02T06:59:59+07:00")
    file = archived(tmp_path, [raw(1, jakarta)])
    assert file.name.startswith("2025-07-01.")
    assert read(tmp_path, jakarta, jakarta + timedelta(seconds=1))[0] == [1]


def test_a_raw_that_was_archived_twice_is_read_once(tmp_path: Path) -> None:
    for _ in range(2):
        with Archive(tmp_path) as archive:
            archive.append([raw(1), raw(2), raw(1)])
    assert read(tmp_path) == ([1, 2], [])


def test_files_of_several_writers_are_merged_by_time(tmp_path: Path) -> None:
    with Archive(tmp_path) as one, Archive(tmp_path) as other:
        one.append([raw(1), raw(4)])
        other.append([raw(2), raw(3)])
        one.append([raw(6)])
        other.append([raw(5)])
        assert read(tmp_path)[0] == [1, 2, 3, 4, 5, 6]
    assert read(tmp_path) == ([1, 2, 3, 4, 5, 6], [])


def test_raws_of_one_writer_stay_in_its_order_though_a_clock_went_back(tmp_path: Path) -> None:
    archived(tmp_path, [raw(5), raw(2), raw(9)])
    assert read(tmp_path)[0] == [5, 2, 9]


def test_what_was_appended_is_synced_before_append_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: dict[int, int] = {}
    real = os.fsync

    def fsync(file: int) -> None:
        real(file)
        synced[os.fstat(file).st_ino] = os.fstat(file).st_size

    monkeypatch.setattr(os, "fsync", fsync)
    archive = Archive(tmp_path)
    for n in range(3):
        archive.append([raw(n)])
        (file,) = tmp_path.glob("*.gz")
        assert synced[file.stat().st_ino] == file.stat().st_size
    assert tmp_path.stat().st_ino in synced
    archive.close()


def test_closed_files_pass_the_ordinary_tools(tmp_path: Path) -> None:
    file = archived(tmp_path, [raw(1)], [raw(2)])
    assert gzip.decompress(file.read_bytes()).count(b"\n") == 2
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


def test_a_file_torn_at_any_byte_gives_every_member_before_the_tear(tmp_path: Path) -> None:
    first = left_open(tmp_path, [raw(1), raw(2)]).stat().st_size
    for file in tmp_path.glob("*.gz"):
        file.unlink()
    file = left_open(tmp_path, [raw(1), raw(2)], [raw(3)])
    whole = file.read_bytes()
    for size in range(len(whole) + 1):
        file.write_bytes(whole[:size])
        numbers = [1, 2, 3] if size == len(whole) else [1, 2] if size >= first else []
        assert read(tmp_path) == (numbers, []), size


def test_a_file_that_a_power_cut_filled_up_with_zeros_is_torn_not_damaged(tmp_path: Path) -> None:
    file = left_open(tmp_path, [raw(1)])
    file.write_bytes(file.read_bytes() + bytes(5000))
    assert read(tmp_path) == ([1], [])


@pytest.mark.slow
@pytest.mark.parametrize("closed", [True, False])
def test_a_flipped_bit_is_named_and_costs_one_member_at_most(tmp_path: Path, closed: bool) -> None:
    batches = [[raw(n)] for n in range(1, 5)]
    file = archived(tmp_path, *batches) if closed else left_open(tmp_path, *batches)
    whole = file.read_bytes()
    last = whole.rindex(b"\x1f\x8b\x08")
    for at in range(len(whole) if closed else last):
        bit = 1 << random.Random(at).randrange(8)
        file.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        numbers, damage = read(tmp_path)
        assert len(numbers) >= 3
        assert numbers == sorted(numbers)
        assert len(damage) == 1 if closed else len(damage) == (len(numbers) < 4)
        assert all(file.name in line for line in damage)


@pytest.mark.slow
def test_a_closed_file_that_was_cut_is_damaged_not_torn(tmp_path: Path) -> None:
    file = archived(tmp_path, [raw(1)], [raw(2)])
    whole = file.read_bytes()
    for size in range(len(whole)):
        file.write_bytes(whole[:size])
        numbers, damage = read(tmp_path)
        assert numbers in ([], [1])
        assert len(damage) == 1


def test_damage_of_one_file_does_not_hide_the_others(tmp_path: Path) -> None:
    file = archived(tmp_path, [raw(1)])
    with Archive(tmp_path) as archive:
        archive.append([raw(2)])
    file.write_bytes(b"\xff" * 500)
    numbers, damage = read(tmp_path)
    assert numbers == [2]
    assert [line.partition(" ")[0] for line in damage] == [file.name]


def test_the_next_writer_closes_what_a_crash_left_and_nothing_that_is_written(tmp_path: Path) -> None:
    dead = left_open(tmp_path, [raw(1)])
    at_work = Archive(tmp_path)
    at_work.append([raw(2)])
    with Archive(tmp_path) as archive:
        archive.append([raw(3)])
        sums = (tmp_path / "SHA256SUMS").read_text()
        assert [line.split("  ")[1] for line in sums.splitlines()] == [dead.name]
    at_work.append([raw(4)])
    at_work.close()
    assert len((tmp_path / "SHA256SUMS").read_text().splitlines()) == 3
    assert read(tmp_path) == ([1, 2, 3, 4], [])


def test_a_disk_that_is_full_leaves_nothing_behind_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = Archive(tmp_path)
    archive.append([raw(1)])
    with monkeypatch.context() as patch:

        def half(file: int, data: bytes) -> None:
            os.write(file, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(archive_files, "_write", half)
        with pytest.raises(Retry, match="No space left"):
            archive.append([raw(2)])
    archive.append([raw(2)])
    archive.close()
    assert read(tmp_path) == ([1, 2], [])
    subprocess.run(["gzip", "--test", *map(str, tmp_path.glob("*.gz"))], check=True)


def test_a_file_whose_torn_member_could_not_be_removed_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    archive = Archive(tmp_path)
    archive.append([raw(1)])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuses)
        patch.setattr(os, "ftruncate", refuses)
        with pytest.raises(Retry, match="Input/output"):
            archive.append([raw(2)])
    archive.append([raw(3)])
    archive.close()
    assert len(list(tmp_path.glob("*.gz"))) == 2
    numbers, damage = read(tmp_path)
    assert ({1, 3} <= set(numbers), damage) == (True, [])


def test_old_days_are_removed_with_their_checksums(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        archive.append(raw(n, DAY + timedelta(days=n)) for n in range(10))
        removed = archive.prune(5, DAY + timedelta(days=9, hours=12))
        assert [name[:10] for name in removed] == ["2025-07-01", "2025-07-02", "2025-07-03", "2025-07-04"]
        assert archive.prune(5, DAY + timedelta(days=9, hours=12)) == []
    assert read(tmp_path)[0] == [4, 5, 6, 7, 8, 9]
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)


def test_days_that_are_over_are_closed_and_go_on_in_another_file(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        archive.append(raw(n, DAY + timedelta(days=n)) for n in range(4))
        assert archive.prune(100, DAY + timedelta(days=3)) == []
        closed = [line.split("  ")[1][:10] for line in (tmp_path / "SHA256SUMS").read_text().splitlines()]
        assert closed == ["2025-07-01", "2025-07-02"]
        archive.append([raw(9, DAY + timedelta(hours=1))])
    assert len(list(tmp_path.glob("2025-07-01.*.gz"))) == 2
    assert read(tmp_path) == ([0, 9, 1, 2, 3], [])


def test_raws_of_many_days_that_come_together_open_few_files(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        for n in range(40):
            archive.append([raw(n, DAY + timedelta(days=n % 5))])
    assert len(list(tmp_path.glob("*.gz"))) == 5


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert read(tmp_path / "none") == ([], [])
    assert Archive(tmp_path / "none").prune(1, LATE) == []


def test_a_raw_that_this_release_cannot_read_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    file = archived(tmp_path, [raw(1)])
    (tmp_path / "SHA256SUMS").unlink()
    file.write_bytes(file.read_bytes() + gzip.compress(b'{"id": 7}\n') + gzip.compress(b""))
    numbers, damage = read(tmp_path)
    assert numbers == [1]
    assert "not_an_event" in damage[0]

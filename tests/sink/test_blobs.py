from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sink import Blobs


def test_bytes_lie_under_their_hash_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"foto jalan rusak")
    assert name == hashlib.sha256(b"foto jalan rusak").hexdigest() == blobs.put(b"foto jalan rusak")
    assert blobs.get(name) == b"foto jalan rusak"
    assert blobs.path(name).stat().st_mode & 0o777 == 0o600
    assert [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()] == [blobs.path(name)]


def test_bytes_that_are_there_already_are_synced_before_they_are_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"x")
    synced: list[Path] = []
    monkeypatch.setattr("sink.blobs.sync_folder", synced.append)
    assert blobs.put(b"x") == name
    assert synced == [blobs.path(name).parent, tmp_path / "blobs"]


def test_what_was_deleted_is_gone(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path / "blobs")
    name = blobs.put(b"x")
    blobs.delete(name)
    blobs.delete(name)
    with pytest.raises(FileNotFoundError):
        blobs.get(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 63 + "/"])
def test_nothing_outside_the_folder_is_reached(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        Blobs(tmp_path / "blobs").get(name)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = Blobs(tmp_path / "blobs")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        blobs.put(b"x")
    monkeypatch.undo()
    assert [p for p in (tmp_path / "blobs").rglob("*") if p.is_file()] == []
    assert blobs.get(blobs.put(b"x")) == b"x"

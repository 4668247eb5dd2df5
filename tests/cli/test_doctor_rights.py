"""`doctor` of a data folder whose files belong to somebody else, or are damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.commands import _doctor_host
from hub.settings import load_settings


def test_doctor_names_what_the_hub_may_not_read_or_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = load_settings({"data": str(tmp_path)}, {})
    tmp_path.chmod(0o700)
    for name in ("blobs", "archive"):
        (tmp_path / name).mkdir()
    for name in ("bus.db", "keys.toml", "rules.toml"):
        (tmp_path / name).touch()
    denied = {tmp_path / "blobs": os.W_OK, tmp_path / "keys.toml": os.R_OK, tmp_path / "rules.toml": os.W_OK}
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & denied.get(Path(path), 0))  # root may do all
    found = [finding.words for finding in _doctor_host.check_disk(own) if finding.wrong]
    assert found[0].startswith(f"{tmp_path}/blobs cannot be read and written: chown it")
    assert found[1].startswith(f"{tmp_path}/keys.toml cannot be read: chown it")
    assert len(found) == 2


def test_a_damaged_file_is_named_with_its_own_remedy(tmp_path: Path) -> None:
    own = load_settings({"data": str(tmp_path)}, {})
    for name in ("record.db", "bus.db"):
        (tmp_path / name).write_bytes(b"no database" * 1000)
    (record,), (bus,) = _doctor_host.check_record(own), _doctor_host.check_bus(own)
    assert (record.wrong, "restore the last backup" in record.words) == (True, True)
    assert (bus.wrong, "backup" in bus.words, "move it away" in bus.words) == (True, False, True)

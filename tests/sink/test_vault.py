from __future__ import annotations

import re
from pathlib import Path

import pytest
from stdnum import luhn

from sink import Vault, WrongKeys
from tests.sink.conftest import OpenRecord
from tests.sink.made import PHONE

NAME_COLUMN = "attachments.name"


def test_a_sealed_value_opens_and_shows_nothing(vault: Vault) -> None:
    sealed = vault.seal("Siti", NAME_COLUMN)
    assert vault.open(sealed, NAME_COLUMN) == "Siti"
    assert b"Siti" not in sealed
    assert vault.seal("Siti", NAME_COLUMN) != sealed


def test_a_value_that_was_moved_to_another_column_does_not_open(vault: Vault) -> None:
    with pytest.raises(WrongKeys, match="moved to another column"):
        vault.open(vault.seal("Siti", NAME_COLUMN), "attachments.source")


@pytest.mark.parametrize("left", [0, 1, 2, 3, 10, 15, 30, 34])
def test_a_truncated_value_does_not_open(vault: Vault, left: int) -> None:
    with pytest.raises(WrongKeys):
        vault.open(vault.seal("Siti", NAME_COLUMN)[:left], NAME_COLUMN)


def test_a_changed_value_does_not_open(vault: Vault) -> None:
    sealed = bytearray(vault.seal("Siti", NAME_COLUMN))
    sealed[-1] ^= 1
    with pytest.raises(WrongKeys):
        vault.open(bytes(sealed), NAME_COLUMN)


def test_values_sealed_with_an_older_key_still_open(vault: Vault, tmp_path: Path) -> None:
    sealed, path = vault.seal("Siti", NAME_COLUMN), tmp_path / "keys.toml"
    other = Vault.create(tmp_path / "other.toml")
    text = path.read_text().replace('key = "k1"', 'key = "k2"')
    newest = re.search(r'k1 = "(.*)"', (tmp_path / "other.toml").read_text())
    assert newest is not None
    path.write_text(f'{text}k2 = "{newest[1]}"\n')
    turned = Vault.load(path)
    assert turned.open(sealed, NAME_COLUMN) == "Siti"
    assert turned.key == "k2"
    assert turned.check() == vault.check() != other.check()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_keys_that_others_can_read_are_refused(vault: Vault, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    with pytest.raises(WrongKeys, match="chmod 600"):
        Vault.load(path)


@pytest.mark.parametrize("text", ["", "key = 1", "[seal", 'key = "k1"\nlookup = "x"\n[seal]\nk1 = "x"\n'])
def test_what_is_no_keys_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.toml"
    path.touch(0o600)
    path.write_text(text)
    with pytest.raises(WrongKeys, match="not a keys file"):
        Vault.load(path)


def test_missing_keys_are_refused_and_old_ones_never_overwritten(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(WrongKeys, match="backup"):
        Vault.load(tmp_path / "nowhere.toml")
    with pytest.raises(WrongKeys):
        Vault.create(tmp_path / "keys.toml")


def test_the_folder_of_new_keys_is_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr("sink.vault.sync_folder", synced.append)
    Vault.create(tmp_path / "new.toml")
    assert synced == [tmp_path]


def test_numbers_are_ten_digits_with_a_check_digit_and_no_order(vault: Vault) -> None:
    numbers = [vault.number(f"complaint {n}", 0) for n in range(500)]
    assert all(re.fullmatch("[1-9][0-9]{9}", n) and luhn.is_valid(n) for n in numbers)
    assert len(set(numbers)) == 500
    assert numbers != sorted(numbers)
    assert vault.number("complaint 1", 1) != numbers[1] == vault.number("complaint 1", 0)


def test_tokens_are_derived_and_fit_a_url(vault: Vault) -> None:
    assert re.fullmatch("[a-z2-7]{26}", vault.token("raw"))
    assert vault.token("raw") == vault.token("raw") != vault.token("war")


def test_hashes_of_two_purposes_never_meet(vault: Vault) -> None:
    assert vault.digest("identity", PHONE) != vault.digest("recipient", PHONE)
    assert len(vault.digest("identity", PHONE)) == 16


def test_a_record_refuses_other_keys(open_record: OpenRecord, tmp_path: Path) -> None:
    with open_record():
        pass
    other = Vault.create(tmp_path / "other.toml")
    with pytest.raises(WrongKeys, match="other keys"), open_record(other):
        pass
    with open_record():
        pass


def test_a_record_refuses_to_open_without_a_key_it_was_sealed_with(
    open_record: OpenRecord, vault: Vault, tmp_path: Path
) -> None:
    path = tmp_path / "keys.toml"
    with open_record():
        pass
    other = Vault.create(tmp_path / "other.toml")
    drawn = re.search(r'k1 = "(.*)"', (tmp_path / "other.toml").read_text())
    assert drawn is not None
    path.write_text(re.sub(r'k1 = ".*"', f'k1 = "{drawn[1]}"', path.read_text()))
    with pytest.raises(WrongKeys), open_record(Vault.load(path)):
        pass
    assert other.key == vault.key

"""Editions of accounts, rules and templates: a changed file holds in every process, a wrong one nowhere."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hub.accounts import Accounts
from hub.edited_files import channels_file, offices_file, rules_file
from hub.editions import Editions, LiveEdition
from hub.settings import UsageError
from router import OfficeRegistry, Rules
from schemas import Retry
from sink.aside import list_asides, put_account_aside
from sink.editions import edition_versions, latest_edition
from sink.record import Record
from sink.vault import Vault

SMS = '[sms]\nkind = "sms"\nowner = "32.73"\ntoken = "{token}"\n'
NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as record:
        yield record


class Machine:
    """A process with a channels file of its own; `at` is when the file was written, in minutes."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = folder / f"{name}.toml"
        self.accounts = Accounts()
        self.minutes = 0
        self.editions = Editions(
            [channels_file(self.file, self.accounts, None)], publisher=name, now=lambda: NOW + _minutes(self.minutes)
        )

    def write(self, text: str, at: int = 0) -> None:
        self.file.write_text(text)
        stamp = (NOW + _minutes(at)).timestamp()
        os.utime(self.file, (stamp, stamp))

    @property
    def token(self) -> str:
        return str(self.accounts["sms"].settings.token.reveal())


def _minutes(minutes: int) -> timedelta:
    return timedelta(minutes=minutes)


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path, "here")
    machine.write(SMS.format(token="first"))
    return machine


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    return Machine(tmp_path, "there")


def test_the_first_file_is_the_first_edition(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    assert here.token == "first"
    assert edition_versions(record) == {"accounts": 1}


def test_a_changed_file_holds_here_and_in_every_other_process(record: Record, here: Machine, there: Machine) -> None:
    here.editions.begin(record)
    there.editions.begin(record)
    here.write(SMS.format(token="second"), at=1)
    here.editions.step(record)
    there.editions.step(record)
    assert (here.token, there.token) == ("second", "second")


def test_an_unchanged_account_stays_the_same_object(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    before = here.accounts["sms"]
    here.write(SMS.format(token="first") + '[berkas]\nkind = "file"\nowner = "32.73"\n', at=1)
    here.editions.step(record)
    assert here.accounts["sms"] is before
    assert set(here.accounts) == {"sms", "berkas"}


def test_a_wrong_file_is_refused_with_table_key_and_fix_and_the_old_edition_stays(
    record: Record, here: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    here.editions.begin(record)
    here.write(SMS.format(token="second") + 'tokn = "x"\n', at=1)
    with caplog.at_level(logging.ERROR):
        here.editions.step(record)
        here.editions.step(record)
    assert here.token == "first"
    assert edition_versions(record) == {"accounts": 1}
    [line] = caplog.messages  # once, not at every step
    assert "[sms]" in line
    assert "tokn is no setting (did you mean token?)" in line


@pytest.mark.parametrize("stopped", [False, True], ids=["while it runs", "while it was stopped"])
@pytest.mark.parametrize("text", ["# the table was cut off\n", '[sms]\nkind = "file"\nowner = "32.73"\n'])
def test_a_file_that_would_take_all_accounts_away_or_turn_one_into_another_kind_is_refused(
    text: str, *, stopped: bool, record: Record, here: Machine
) -> None:
    here.editions.begin(record)
    here.write(text, at=1)
    if stopped:
        here = Machine(here.file.parent, "here")
        here.editions.begin(record)
    else:
        here.editions.step(record)
    assert here.token == "first"
    assert edition_versions(record) == {"accounts": 1}


def test_two_machines_with_different_files_do_not_overwrite_each_other_in_turn(
    record: Record, here: Machine, there: Machine
) -> None:
    here.editions.begin(record)
    there.write(SMS.format(token="older"), at=-5)
    there.editions.begin(record)
    for _ in range(3):
        here.editions.step(record)
        there.editions.step(record)
    assert (here.token, there.token) == ("first", "first")
    assert edition_versions(record) == {"accounts": 1}


def test_a_file_that_was_changed_while_nothing_ran_is_published_at_the_start(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    again = Machine(here.file.parent, "here")
    again.write(SMS.format(token="second"), at=1)
    again.editions.begin(record)
    assert again.token == "second"
    assert edition_versions(record) == {"accounts": 2}


def test_a_wrong_file_at_the_start_leaves_the_edition_that_holds(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    again = Machine(here.file.parent, "here")
    again.write("kind = 'sms'\n", at=1)
    again.editions.begin(record)
    assert again.token == "first"


def test_a_wrong_file_at_the_first_start_is_a_wrong_call(record: Record, there: Machine) -> None:
    there.write("kind = 'sms'\n")
    with pytest.raises(UsageError, match="stands outside a table"):
        there.editions.begin(record)


def test_a_process_that_cannot_reach_the_record_uses_its_file_and_follows_later(
    record: Record, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.editions.begin(record)
    there.write(SMS.format(token="older"), at=-5)
    with monkeypatch.context() as patched:
        patched.setattr(record, "read", _unavailable)
        there.editions.begin(record)
    assert there.token == "older"
    there.editions.step(record)
    assert there.token == "first"


def test_an_edition_that_cannot_be_used_here_leaves_the_old_one(
    record: Record, here: Machine, there: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.editions.begin(record)
    there.editions.begin(record)
    monkeypatch.setenv("ONLY_HERE", "second")
    here.write(SMS.format(token="env:ONLY_HERE"), at=1)
    here.editions.step(record)
    monkeypatch.delenv("ONLY_HERE")
    there.editions.step(record)
    assert (here.token, there.token) == ("second", "first")


def test_a_secret_that_changes_in_its_file_is_taken_wherever_the_edition_holds(
    record: Record, here: Machine, there: Machine, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("first\n")
    here.write(SMS.format(token=f"file:{tmp_path / 'token'}"), at=1)
    here.editions.begin(record)
    there.write(SMS.format(token="older"), at=-5)  # its own file stays unused
    there.editions.begin(record)
    put_account_aside(record, "reader", "sms", code="guard_run", detail="", at=NOW)
    (tmp_path / "token").write_text("second\n")
    here.editions.step(record)
    there.editions.step(record)
    assert (here.token, there.token) == ("second", "second")
    assert [row.released_at is not None for row in list_asides(record)] == [True]
    assert edition_versions(record) == {"accounts": 1}


def test_a_file_waits_for_the_secret_that_it_names(record: Record, here: Machine, tmp_path: Path) -> None:
    here.editions.begin(record)
    here.write(SMS.format(token=f"file:{tmp_path / 'token'}"), at=1)
    here.editions.step(record)
    here.editions.step(record)
    assert here.token == "first"
    (tmp_path / "token").write_text("second\n")
    here.editions.step(record)
    assert (here.token, edition_versions(record)) == ("second", {"accounts": 2})


def test_an_edition_waits_here_for_the_secret_that_it_names(
    record: Record, here: Machine, there: Machine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here.editions.begin(record)
    there.editions.begin(record)
    secret = tmp_path / "token"
    secret.write_text("second\n")
    here.write(SMS.format(token=f"file:{secret}"), at=1)
    here.editions.step(record)
    secret.unlink()
    there.editions.step(record)
    here.editions.step(record)
    assert (here.token, there.token) == ("second", "first")
    assert f"{secret} cannot be read" in caplog.text
    secret.write_text("third\n")
    here.editions.step(record)
    there.editions.step(record)
    assert (here.token, there.token) == ("third", "third")
    assert edition_versions(record) == {"accounts": 2}


def test_a_file_that_waits_does_not_take_the_place_of_a_newer_edition(
    record: Record, here: Machine, there: Machine, tmp_path: Path
) -> None:
    here.editions.begin(record)
    there.write(SMS.format(token="first"))
    there.editions.begin(record)
    here.write(SMS.format(token=f"file:{tmp_path / 'token'}"), at=1)
    here.editions.step(record)
    there.write(SMS.format(token="second"), at=2)
    there.editions.step(record)
    here.editions.step(record)
    (tmp_path / "token").write_text("older\n")
    here.editions.step(record)
    assert (here.token, there.token) == ("second", "second")


def test_a_manifest_that_changes_makes_its_account_anew(record: Record, here: Machine, tmp_path: Path) -> None:
    manifest = tmp_path / "portal.toml"
    shipped = Path("connectors/manifests/portal-daerah.toml").read_text()
    manifest.write_text(shipped)
    here.write(f'[portal]\nkind = "portal"\nowner = "32.73"\nmanifest = "{manifest}"\nsecrets = {{api_key = "k"}}\n')
    here.editions.begin(record)
    before = here.accounts["portal"]
    here.editions.step(record)
    assert here.accounts["portal"] is before
    manifest.write_text("[[")
    here.editions.step(record)
    assert here.accounts["portal"] is before
    manifest.write_text(shipped.replace("https://pengaduan.", "https://lapor."))
    here.editions.step(record)
    assert here.accounts["portal"].outbound_urls == ("https://lapor.example.go.id/api/v1",)


def test_an_account_is_released_by_its_new_secret_though_the_record_was_unavailable(
    record: Record, here: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "token"
    secret.write_text("first\n")
    here.write(SMS.format(token=f"file:{secret}"), at=1)
    here.editions.begin(record)
    put_account_aside(record, "reader", "sms", code="guard_run", detail="", at=NOW)
    secret.write_text("second\n")
    _step_beside_an_outage(record, here, monkeypatch, "hub.edited_files.release_accounts")
    assert [row.released_at is not None for row in list_asides(record)] == [True]


def test_a_command_that_reads_publishes_nothing(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    reading = Accounts()
    here.write(SMS.format(token="second"), at=1)
    Editions([channels_file(here.file, reading, None)], publisher=None, now=lambda: NOW).begin(record)
    assert reading["sms"].settings.token.reveal() == "second"
    assert edition_versions(record) == {"accounts": 1}


def test_a_new_edition_of_an_account_releases_it(record: Record, here: Machine) -> None:
    here.editions.begin(record)
    put_account_aside(record, "reader", "sms", code="guard_run", detail="", at=NOW)
    here.write(SMS.format(token="second"), at=1)
    here.editions.step(record)
    assert [row.released_at is not None for row in list_asides(record)] == [True]


def test_a_file_that_was_changed_while_the_record_was_unavailable_is_published_when_it_is_back(
    record: Record, here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.editions.begin(record)
    here.write(SMS.format(token="second"), at=1)
    _step_beside_an_outage(record, here, monkeypatch, record, "write")
    assert here.token == "second"
    assert edition_versions(record) == {"accounts": 2}


def test_an_account_is_released_though_the_record_was_unavailable_in_between(
    record: Record, here: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.editions.begin(record)
    put_account_aside(record, "reader", "sms", code="guard_run", detail="", at=NOW)
    here.write(SMS.format(token="second"), at=1)
    _step_beside_an_outage(record, here, monkeypatch, "hub.edited_files.release_accounts")
    assert [row.released_at is not None for row in list_asides(record)] == [True]
    assert edition_versions(record) == {"accounts": 2}


def test_a_file_that_cannot_be_read_is_no_edition(
    record: Record, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    offices, path = LiveEdition(OfficeRegistry()), tmp_path / "offices.csv"
    path.write_text("id,name\ndpu,Dinas PU\n")
    editions = Editions([offices_file(path, offices)], publisher="here:1", now=lambda: NOW)
    editions.begin(record)
    path.write_bytes("id,name\ndpu,Dinas PU – Jalan\n".encode("cp1252"))
    with caplog.at_level(logging.ERROR):
        editions.step(record)
        editions.step(record)
    assert (offices.version, offices.value["dpu"].name) == (1, "Dinas PU")
    assert caplog.messages == [f"{path} cannot be read: save it as UTF-8; the old edition stays"]
    path.write_text("id,name\ndpu,Dinas PU – Jalan\n")
    editions.step(record)
    assert (offices.version, offices.value["dpu"].name) == (2, "Dinas PU – Jalan")


def test_a_file_that_cannot_be_read_at_the_first_start_is_a_wrong_call(record: Record, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="save it as UTF-8"):
        Editions([rules_file(path, LiveEdition(Rules.load(None)))], publisher="here:1", now=lambda: NOW).begin(record)


def test_rules_are_followed_and_a_file_that_is_gone_is_what_is_shipped(record: Record, tmp_path: Path) -> None:
    rules, path = LiveEdition(Rules.load(None)), tmp_path / "rules.toml"
    shipped = rules.value.version
    editions = Editions([rules_file(path, rules)], publisher="here:1", now=lambda: NOW)
    editions.begin(record)
    assert latest_edition(record, "rules") is None
    rule = 'name = "jalan"\nwhen = { words = ["jalan"] }\noffice = { id = "pu", name = "PU" }\nwhy = "jalan"\n'
    path.write_text("[[rule]]\n" + rule)
    editions.step(record)
    assert (rules.version, rules.value.version != shipped) == (1, True)
    path.unlink()
    editions.step(record)
    assert (rules.version, rules.value.version) == (2, shipped)


def _step_beside_an_outage(record: Record, here: Machine, monkeypatch: pytest.MonkeyPatch, *called: object) -> None:
    """Two steps; in the first the record is unavailable to what is called there."""
    with monkeypatch.context() as patched:
        patched.setattr(*called, _unavailable)  # type: ignore[call-overload]
        with pytest.raises(Retry):
            here.editions.step(record)
    here.editions.step(record)


def _unavailable(*_: object) -> None:
    raise Retry("the database does not answer")

"""L8: a sealing key can be replaced: what an older one sealed is sealed anew, and it leaves the keys file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary

from schemas import Attachment, message_id
from sink import Record, Vault, WrongKeys, apply_rereading, store_dead_letters
from sink.cursors import load_cursor, save_cursor
from sink.editions import latest_edition, publish_edition
from sink.forward_progress import Progress, store_progress
from sink.job_claims import claim_jobs
from sink.job_results import JobResult
from sink.renewed_secrets import save_renewed_secret
from sink.resealing import SEALED, reseal
from sink.tables import account_states, meta, metadata
from tests.sink.conftest import OpenRecord
from tests.sink.made import NOW, dead, decision, message, persist, recall, remember, routed, rows
from tests.sink.made_replies import lease

COLUMNS = {str(column) for column in SEALED}


def fill(record: Record) -> None:
    """Something sealed in every column that holds sealed values."""
    media = Attachment(native_id="media", url="https://lookaside.example/1", name="Siti.jpg")
    known = {"id": message_id("whatsapp", "wa", "1"), "account": "wa", "channel": "whatsapp", "extra": {"smsc": "x"}}
    first = message(1, reader="1", attachments=(media,), **known)
    opened = decision(first, recall(record, first))
    remember(record, [(first, opened)])
    persist(record, routed(first, number=opened.number))
    [job] = claim_jobs(record, ["fetch"], lease(record, accounts=["wa"]), {"wa": 1}, in_flight=(), now=NOW)
    store_progress(record, [Progress(job, JobResult(job, "waiting", NOW), None, "their answer")], NOW)
    apply_rereading(record, [message(1, reader="2", title="Lampu", **known)], now=NOW, dry_run=False)
    store_dead_letters(record, [dead(first, 9)])
    publish_edition(record, "rules", "x = 1", "budi", NOW)
    save_cursor(record, "wa", lease(record, accounts=["wa"])["wa"], "seen up to here", NOW)
    save_renewed_secret(record, "wa", "rahasia-segar")


def keys(tmp_path: Path, newest: str, *names: str) -> Vault:
    """The vault of the keys file, with sealing keys of these names; one that is new is drawn."""
    path, drawn = tmp_path / "keys.toml", tmp_path / "k2.toml"
    if not drawn.exists():
        Vault.create(drawn)
    known = dict(re.findall(r'(k[12]) = "(.*)"', path.read_text()))
    known.setdefault("k2", re.findall(r'k1 = "(.*)"', drawn.read_text())[0])
    lines = [f'{name} = "{known[name]}"' for name in names]
    head = path.read_text().partition("[seal]")[0]
    head = re.sub(r'key = "k\d"', f'key = "{newest}"', head)
    path.write_text("\n".join([head + "[seal]", *lines, ""]))
    return Vault.load(path)


def test_every_column_that_is_sealed_is_sealed_anew() -> None:
    bytes_of_any_length = {
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.type.length is None and table is not meta
    }
    hashes = {"numbers.reporter", "match_reports.words", "match_reports.reporter", "match_reports.sender"}
    assert (bytes_of_any_length | {str(account_states.c.cursor)}) - hashes == COLUMNS


def test_counting_changes_nothing(open_record: OpenRecord, tmp_path: Path) -> None:
    with open_record() as record:
        fill(record)
    with open_record(keys(tmp_path, "k2", "k1", "k2")) as record:
        counted = reseal(record, apply=False)
        assert {column for column, count in counted.columns.items() if count} == COLUMNS
        assert reseal(record, apply=False) == counted


def test_the_older_key_leaves_the_keys_file_once_nothing_is_sealed_with_it(
    open_record: OpenRecord, tmp_path: Path
) -> None:
    with open_record() as record:
        fill(record)
    with open_record(keys(tmp_path, "k2", "k1", "k2")) as record:
        first, second = reseal(record, apply=True), reseal(record, apply=True)
    assert (set(first.columns), first.retired) == (COLUMNS, [])
    assert (sum(second.columns.values()), second.retired) == (0, ["k1"])
    with open_record(keys(tmp_path, "k2", "k2")) as record:
        edition = latest_edition(record, "rules")
        assert edition is not None
        assert (edition.body, load_cursor(record, "wa")) == ("x = 1", "seen up to here")
        assert rows(record, "SELECT name FROM meta ORDER BY name") == [("key k2",), ("keys",)]
        assert [reseal(record, apply=False).columns[column] for column in COLUMNS] == [0] * len(COLUMNS)


def test_a_key_that_is_still_needed_cannot_leave(open_record: OpenRecord, tmp_path: Path) -> None:
    with open_record() as record:
        fill(record)
    with pytest.raises(WrongKeys), open_record(keys(tmp_path, "k2", "k2")):
        pass


@pytest.mark.parametrize("change", ["zero", "equal"])
def test_keys_that_are_zero_or_equal_are_refused(vault: Vault, tmp_path: Path, change: str) -> None:
    path = tmp_path / "keys.toml"
    lookup = re.findall(r'lookup = "(.*)"', path.read_text())[0]
    other = "A" * 43 + "=" if change == "zero" else re.findall(r'token = "(.*)"', path.read_text())[0]
    path.write_text(path.read_text().replace(lookup, other))
    with pytest.raises(WrongKeys):
        Vault.load(path)

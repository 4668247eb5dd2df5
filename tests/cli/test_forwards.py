"""`forwards` and `reconcile` as an operator calls them, beside a fake LAPOR!."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from bus import Turnstile
from connectors import channel_type, secret_hook
from hub.cli import run_command
from schemas import complaint_id
from sink.batch_items import PersistOptions
from sink.forward_claims import claim_forwards
from sink.forward_progress import ForeignReport, Progress, store_progress
from sink.job_results import JobResult
from sink.leases import renew_leases
from sink.persist import persist_batch
from sink.record import Record
from sink.vault import Vault
from tests.channels.portal import accounts as portals
from tests.fakes.lapor import AUTH, TOKEN, Complaint, LaporServer
from tests.fakes.portal import PortalServer
from tests.flow.lapor_drill import account
from tests.sink.made import NOW, acted, action, message, routed

PORTAL = """
[rekam]
kind = "portal"
owner = "32.73"
url = "{url}"
manifest = "{manifest}"
secrets = {{ username = "satupintu", password = "sandi-portal" }}
"""


class Hub(NamedTuple):
    """A data folder with three complaints on their way into LAPOR!."""

    folder: Path
    lapor: Any

    @contextmanager
    def record(self) -> Iterator[Record]:
        path, keys = self.folder / "record.db", self.folder / "keys.toml"
        vault = Vault.load(keys) if keys.exists() else Vault.create(keys)
        with Record.open(f"sqlite:///{path}", vault, Turnstile(path)) as record:
            yield record

    def call(self, capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Exit code, the lines of JSON, and the words for people."""
        capfd.readouterr()
        code = run_command([*words, "--data", str(self.folder)])
        out, err = capfd.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with LaporServer() as lapor:
        (tmp_path / "channels.toml").write_text(account(lapor))
        made = Hub(tmp_path, lapor)
        channel = channel_type("lapor")
        fields = {"url": lapor.url, "token": TOKEN, "auth_value": AUTH}
        to: Any = channel("lapor", "34.04", msgspec.convert(fields, channel.settings_type, dec_hook=secret_hook))
        with made.record() as record:
            persist_batch(record, [routed(message(n)) for n in (1, 2)], NOW, PersistOptions(destinations=[to]))
            epochs = renew_leases(record, "h", ["forward/lapor"], now=NOW, pool="forward")
            mine = {"lapor": epochs["forward/lapor"]}
            jobs = {c.job.complaint: c.job for c in claim_forwards(record, mine, {"lapor": 9}, in_flight=(), now=NOW)}
            first, second = (jobs[complaint_id(message(n).id)] for n in (1, 2))
            foreign = ForeignReport(first.complaint or "", "lapor", "34.04", "sp4n", "7123456", True)
            doubt = JobResult(second._replace(step="create"), "unknown", NOW.replace(year=9999), "needs_person", "look")
            done = Progress(first, JobResult(first, "done"), foreign)
            store_progress(record, [done, Progress(second._replace(step="create"), doubt)], NOW)
            persist_batch(record, [routed(message(3))], NOW)  # by a process without the account
        yield made


def test_a_person_sees_what_is_in_doubt_and_says_what_became_of_it(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    code, [line], _ = hub.call(capfd, "forwards", "list", "--state", "unknown")
    assert (code, line["code"], line["step"]) == (0, "needs_person", "create")
    code, [shown], _ = hub.call(capfd, "forwards", "show", line["id"])
    assert shown["forward"]["text"] == message(2).text
    code, [said], _ = hub.call(capfd, "forwards", "stands", line["id"], "7123457")
    assert (code, said) == (0, {"id": line["id"], "stands": "7123457"})
    code, _, words = hub.call(capfd, "forwards", "again", line["id"])
    assert code == 1
    assert "not in doubt" in words
    code, _, words = hub.call(capfd, "forwards", "stands", "nonsense", "1")
    assert code == 64


def test_reconcile_shows_each_difference_and_repairs_what_is_clear(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    code, found, words = hub.call(capfd, "reconcile")
    by_what = {line["what"]: line for line in found}
    assert by_what.keys() == {"missing", "in_doubt", "gone"}
    assert code == 1
    assert "1 asked about, 3 differences, 0 repaired" in words
    hub.lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"}, status="Selesai")
    code, found, words = hub.call(capfd, "reconcile", "--apply")
    assert {line["what"]: line["repaired"] for line in found} == {"missing": True, "in_doubt": False, "status": True}
    assert code == 0
    code, found, _ = hub.call(capfd, "reconcile", "--account", "lapor")
    assert {line["what"] for line in found} == {"in_doubt", "status"}
    code, lines, _ = hub.call(capfd, "forwards", "list")
    assert {line["state"] for line in lines} == {"waiting", "unknown"}


def test_reconcile_shows_what_stands_in_lapor_twice_and_a_person_settles_it(
    hub: Hub, capfd: pytest.CaptureFixture[str]
) -> None:
    number = routed(message(1)).matched.number
    for id in ("7123456", "7999999"):
        hub.lapor.complaints[id] = Complaint(id, {"content": f"… [SP {number}]"})
    code, found, _ = hub.call(capfd, "reconcile", "--apply")
    [twice] = [line for line in found if line["what"] == "twice_there"]
    assert (code, twice["number"], twice["native"], twice["repaired"]) == (1, number, "7123456", False)
    assert "7999999" in twice["detail"]
    del hub.lapor.complaints["7999999"]
    assert hub.call(capfd, "reconcile")[0] == 0


def test_reconcile_shows_where_we_are_further_and_what_lapor_refused(
    hub: Hub, capfd: pytest.CaptureFixture[str]
) -> None:
    hub.lapor.complaints["7123456"] = Complaint("7123456", {"content": "…"}, status="Belum Terverifikasi")
    with hub.record() as record:
        act = action(9, "status", status="in_progress", received_at=NOW, observed_at=NOW)
        persist_batch(record, [acted(act, message(1))], NOW)
        with record.write() as connection:
            connection.exec_driver_sql("UPDATE jobs SET state = 'failed', code = 'http_422' WHERE state = 'unknown'")
    code, found, _ = hub.call(capfd, "reconcile", "--apply")
    details = {line["what"]: line["detail"] for line in found}
    assert (code, details["status_there"]) == (0, "unverified there, in_progress here")
    assert "http_422" in details["failed"]


def test_a_portal_whose_manifest_says_how_is_compared_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with PortalServer() as portal:
        hub = Hub(tmp_path, portal)
        (tmp_path / "channels.toml").write_text(PORTAL.format(url=portal.url, manifest=portals.MANIFEST))
        with hub.record() as record:
            report = routed(message(1, external_ids={"rekam": "A1"}))
            persist_batch(record, [report], NOW, PersistOptions(destinations=[portals.account(portal.url)]))
        portal.add("aduan", nomor="A1", uraian="Lampu mati", status="Selesai")
        code, [line], words = hub.call(capfd, "reconcile", "--apply")
        assert (code, line["what"], line["repair"], line["detail"]) == (
            0,
            "status",
            None,
            "done there, unverified here",
        )
        assert "1 asked about, 1 differences, 0 repaired" in words
        portal.rows["aduan"].clear()
        code, [line], _ = hub.call(capfd, "reconcile")
        assert (code, line["what"], line["native"]) == (1, "gone", "A1")


def test_reconcile_says_when_lapor_cannot_be_asked(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    (hub.folder / "channels.toml").write_text(account(hub.lapor, auth_value="salah"))
    code, _, words = hub.call(capfd, "reconcile")
    assert code == 1
    assert "http_401" in words


def test_doctor_says_whether_every_complaint_stands_there(hub: Hub) -> None:
    from hub.commands._doctor_forwards import check_forwards
    from hub.settings import load_settings

    findings = list(check_forwards(load_settings({"data": str(hub.folder)}, {})))
    assert [finding.wrong for finding in findings] == [False, True, True]
    assert "1 stand there" in findings[0].words
    assert "satupintu reconcile" in findings[1].words

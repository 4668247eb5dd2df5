"""Our server of GeoReport v2 as strangers use it: PyPI's `georeport`, FixMyStreet's way of calling, and another hub.

FixMyStreet speaks XML only, takes the first request of an answer, takes an empty id for a failure, and polls a token.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from georeport import GeoReport
from lxml import etree

from tests.programs import wait_for
from tests.web.serving import serving

KEY = "kunci-klien"
SERVER = f"""
[o311]
kind = "open311"
owner = "32.73"
keys = ["{KEY}"]
jurisdiction_id = "contoh.go.id"

[dari-hub]
kind = "open311"
owner = "32.73"
keys = ["kunci-hub"]
office = "pemda"

[petugas]
kind = "console"
owner = "32"
api_keys = ["kunci-petugas"]
"""
LAMP = {"service_code": "1398", "description": "Lampu jalan mati", "lat": "-6.9", "long": "107.6"}


def call(url: str, body: bytes | None = None, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with urlopen(Request(url, body, named), timeout=10) as found:
        read: bytes = found.read()
    return read


def act(base: str, number: str, **fields: str) -> None:
    body = json.dumps(fields).encode()
    headers = {"authorization": "Bearer kunci-petugas", "content_type": "application/json", "prefer": "wait=5"}
    assert json.loads(call(f"{base}/api/v1/reports/{number}/actions", body, **headers))["outcome"] == "added"


class FixMyStreet:
    """Its calls, written down from `perllib/Open311.pm` as facts."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def _xml(self, path: str, **params: str) -> Any:
        return etree.fromstring(
            call(f"{self._endpoint}/{path}?{urlencode({'jurisdiction_id': 'contoh.go.id', **params})}")
        )

    def services(self) -> list[str]:
        return [s.findtext("service_code") for s in self._xml("services.xml")]

    def attributes(self, code: str) -> list[str]:
        return [a.findtext("code") for a in self._xml(f"services/{code}.xml").find("attributes")]

    def send(self, problem: int, **fields: str) -> str:
        """The id; empty where it failed, and then it is sent again later."""
        form = {
            "jurisdiction_id": "contoh.go.id", "api_key": KEY, **LAMP, "first_name": "Budi", "last_name": "Contoh",
            "email": "budi@contoh.id", "address_string": "", "address_id": "", "account_id": "", "device_id": "",
            "attribute[fixmystreet_id]": str(problem), "attribute[title]": "Gelap", "attribute[easting]": "1",
            "media_url": "", **fields,
        }  # fmt: skip
        root = etree.fromstring(call(f"{self._endpoint}/requests.xml", urlencode(form).encode()))
        return root.find("request").findtext("service_request_id") or ""

    def post_update(self, number: str, update: int, words: str, status: str = "OPEN") -> str:
        form = {
            "jurisdiction_id": "contoh.go.id", "api_key": KEY, "service_request_id": number, "update_id": str(update),
            "updated_datetime": datetime.now(UTC).isoformat(timespec="seconds"), "status": status, "description": words,
            "first_name": "Budi", "last_name": "Contoh", "email": "budi@contoh.id", "title": "", "media_url": "",
        }  # fmt: skip
        root = etree.fromstring(call(f"{self._endpoint}/servicerequestupdates.xml", urlencode(form).encode()))
        return root.find("request_update").findtext("update_id") or ""

    def updates(self, minutes: int = 10) -> list[tuple[str, str, str]]:
        """Those within the window alone: others it throws away."""
        now = datetime.now(UTC)
        start, end = now - timedelta(minutes=minutes), now + timedelta(minutes=1)
        found = self._xml("servicerequestupdates.xml", start_date=f"{start:%FT%TZ}", end_date=f"{end:%FT%TZ}")
        rows = [{child.tag: child.text or "" for child in row} for row in found.findall("request_update")]
        assert all(start <= datetime.fromisoformat(row["updated_datetime"]) <= end for row in rows)
        return [(row["service_request_id"], row["status"], row["description"]) for row in rows]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("server"), SERVER) as base:
        yield base


@pytest.fixture(scope="module")
def street(hub: str) -> FixMyStreet:
    return FixMyStreet(f"{hub}/in/o311")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_georeport_reads_us(hub: str, street: FixMyStreet, form: str):
    first, second = street.send(1, description=f"Satu {form}"), street.send(2, description=f"Dua {form}")
    reader = GeoReport(f"{hub}/in/o311", jurisdiction="contoh.go.id", output_format=form)
    assert "1398" in {service["service_code"] for service in reader.get_service_list()}
    assert reader.get_service_definition("1398")["service_code"] == "1398"
    assert wait_for(lambda: reader.get_service_request(first), 20, "the first")["description"] == f"Satu {form}"
    assert reader.get_service_request(second)["status"] == "open"
    since = f"{datetime.now(UTC) - timedelta(days=1):%FT%TZ}"
    listed = reader.get_service_requests(service_code="1398", start_date=since, status="open,closed")
    assert {first, second} <= {one["service_request_id"] for one in listed}
    both = reader.get_service_requests(service_request_id=f"{first},{second}")
    assert [float(one["lat"]) for one in both] == [-6.9, -6.9]


def test_fixmystreet_sends_tells_and_hears(hub: str, street: FixMyStreet):
    assert "1398" in street.services()
    assert "title" in street.attributes("1398")
    number = street.send(7001)
    assert number
    assert street.send(7001) == number, "it sends again where it had no answer"
    assert street.send(7002) != number
    assert street.post_update(number, 1, "Masih gelap") == "1"
    act(hub, number, act="verify")
    act(hub, number, act="finish", text="Lampu diganti")
    told = wait_for(lambda: [u for u in street.updates() if u[0] == number and u[1] == "fixed"], 20, "the end")
    assert told == [(number, "fixed", "Lampu diganti")]
    assert street.post_update(number, 2, "Mati lagi", "REOPEN") == "2"
    reopened = wait_for(
        lambda: [u for u in street.updates() if u[0] == number and u[1] == "reopen"], 20, "it is open again"
    )
    assert len(reopened) == 1


@pytest.mark.slow
def test_a_hub_is_the_client_of_another(hub: str, tmp_path: Path):
    """A report goes there, what is said there comes back, and what is said here is there once, and no news here."""
    channels = f"""
[web]
kind = "web"
owner = "32.73"
api_keys = ["kunci-web"]

[petugas]
kind = "console"
owner = "32"
api_keys = ["kunci-petugas"]

[kota]
kind = "open311"
owner = "32.73"
url = "{hub}/in/dari-hub"
api_key = "kunci-hub"
service_code = "1398"
updates = true
poll_every = "0.2s"
"""
    with serving(tmp_path, channels) as ours:
        headers = {"authorization": "Bearer kunci-web", "content_type": "application/json", "prefer": "wait=10"}
        words = {"text": "Lampu penerangan di Jalan Contoh mati sejak kemarin", "phone": "081200000001"}
        number = json.loads(call(f"{ours}/api/v1/reports", json.dumps(words).encode(), **headers))["number"]
        hushed = {"text": "Pungli di loket kelurahan", "secret": True}
        call(f"{ours}/api/v1/reports", json.dumps(hushed).encode(), **headers)
        there, told = GeoReport(f"{hub}/in/dari-hub"), FixMyStreet(f"{hub}/in/dari-hub")
        [standing] = wait_for(there.get_service_requests, 20, "the report over there")
        native = standing["service_request_id"]
        assert f"[SP {number}]" in standing["description"]
        act(hub, native, act="verify")
        act(hub, native, act="finish", text="Lampu sudah diganti")

        def status() -> str:
            return str(json.loads(call(f"{ours}/api/v1/reports/{number}"))["status"])

        wait_for(lambda: status() == "done", 20, "the end over here")
        act(ours, number, act="reopen", text="Mati lagi")
        wait_for(lambda: there.get_service_request(native)["status"] == "open", 20, "it is open again over there")
        act(ours, number, act="answer", text="Diperiksa ulang besok")

        def words_there() -> list[str]:
            return [said.partition("\n")[0] for _, _, said in told.updates()]

        wait_for(lambda: "Diperiksa ulang besok" in words_there(), 20, "the answer over there")
        time.sleep(1)  # some looks, which see our own words over there
        assert words_there() == ["", "Lampu sudah diganti", "Mati lagi", "Diperiksa ulang besok"]
        assert status() == "in_progress"
        assert len(there.get_service_requests()) == 1

"""Apps in a browser or WebView: those whose origin their account names, and no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.app import AppChannel, AppSettings
from hub.settings import Settings, load_settings
from tests.web.asgi import Response
from tests.web.conftest import CHANNELS, KEY, Site

APP, OTHER, STRANGER = "https://app.bandung.test", "capacitor://localhost", "https://jahat.test"
APPS = f"""
[aplikasi]
kind = "app"
owner = "32.73"
origins = ["{APP}"]

[aplikasi-lain]
kind = "app"
owner = "32.77"
origins = ["{OTHER}"]

[aplikasi-tutup]
kind = "app"
owner = "32.78"
state = "closed"
origins = ["https://tutup.test"]
"""
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,prefer"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS + APPS)
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


def allowed(answer: Response) -> str | None:
    return answer.headers.get("access-control-allow-origin")


async def new_key(site: Site, origin: str, account: str = "aplikasi") -> Response:
    headers = {"origin": origin, "sec-fetch-site": "cross-site"}
    return await site.call("POST", f"/api/v1/devices?account={account}", headers=headers)


async def file(site: Site, key: str, origin: str) -> Response:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "origin": origin,
               "sec-fetch-site": "cross-site"}  # fmt: skip
    return await site.call("POST", "/api/v1/reports", json.dumps({"text": "Lampu taman padam"}).encode(), headers)


@pytest.mark.parametrize("path", ["/api/v1/devices", "/api/v1/reports", "/api/v1/uploads", "/api/v1/uploads/abc"])
@pytest.mark.parametrize("origin", [APP, OTHER])
async def test_the_browser_of_an_app_is_told_what_it_may_send(quiet: Site, path: str, origin: str) -> None:
    answer = await quiet.call("OPTIONS", path, headers={"origin": origin, **PREFLIGHT})
    assert (answer.status, allowed(answer)) == (200, origin)
    may = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "idempotency-key", "prefer", "upload-offset", "tus-resumable"} <= may
    assert "PATCH" in answer.headers["access-control-allow-methods"]


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/api/v1/reports", STRANGER),
        ("/api/v1/uploads", STRANGER),
        ("/api/v1/devices", "null"),
        ("/api/v1/devices", APP + ".jahat.test"),
        ("/api/v1/devices", "https://tutup.test"),
        ("/", APP),
        ("/lacak", APP),
        ("/api/v1/statistics", APP),
    ],
)
async def test_nothing_is_said_to_other_origins_nor_of_other_paths(quiet: Site, path: str, origin: str) -> None:
    answers = [
        await quiet.call("OPTIONS", path, headers={"origin": origin, **PREFLIGHT}),
        await quiet.call("GET", path, headers={"origin": origin}),
    ]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


async def test_an_app_of_another_origin_files_uploads_and_reads_its_headers(quiet: Site) -> None:
    drawn = await new_key(quiet, APP)
    filed = await file(quiet, drawn.json["key"], APP)
    tus = {
        "tus-resumable": "1.0.0",
        "authorization": f"Bearer {drawn.json['key']}",
        "upload-length": "4",
        "origin": APP,
    }
    upload = await quiet.call("POST", "/api/v1/uploads", headers=tus)
    refused = await quiet.call("POST", "/api/v1/uploads", headers=tus | {"tus-resumable": "0.2"})
    assert [a.status for a in (drawn, filed, upload, refused)] == [201, 202, 201, 412]
    assert {allowed(a) for a in (drawn, filed, upload, refused)} == {APP}
    assert {"Location", "Upload-Offset", "Retry-After"} <= set(
        upload.headers["access-control-expose-headers"].split(", ")
    )


@pytest.mark.parametrize("origin", [STRANGER, OTHER, "null"])
async def test_a_key_is_used_by_the_origins_of_its_own_account_only(quiet: Site, origin: str) -> None:
    key = (await new_key(quiet, APP)).json["key"]
    assert [(await file(quiet, key, origin)).status, (await new_key(quiet, origin)).status] == [403, 403]


async def test_apps_outside_of_browsers_and_keys_of_servers_need_no_origin(quiet: Site) -> None:
    drawn = await quiet.call("POST", "/api/v1/devices?account=aplikasi")
    headers = {"content-type": "application/json", "authorization": f"Bearer {drawn.json['key']}"}
    filed = await quiet.call("POST", "/api/v1/reports", b'{"text": "Lampu taman padam"}', headers)
    assert (filed.status, (await file(quiet, KEY, STRANGER)).status) == (202, 202)


@pytest.mark.parametrize(
    "origin", ["*", "null", "https://app.test/", "https://*.test", "app.test", "https://a.test\r\nX: y"]
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="origins: takes a scheme and a host"):
        AppChannel("aplikasi", "32.73", AppSettings(origins=(origin,)))

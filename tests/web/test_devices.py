"""An app's device: a key without signing up, its own reports, and nothing of others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.settings import Settings, load_settings
from tests.web.asgi import Response
from tests.web.conftest import CHANNELS, KEY, Site
from tests.web.test_api import PNG

APPS = """
[aplikasi]
kind = "app"
owner = "32.73"
rate = 12

[aplikasi-lain]
kind = "app"
owner = "32.77"
"""
STORIES = ("Trotoar di Jalan Riau ambles", "Lampu taman padam sejak Senin", "Sampah menumpuk di pasar")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS + APPS)
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


async def device(site: Site, query: str = "", client: str = "203.0.113.7") -> Any:
    answer = await site.call("POST", f"/api/v1/devices{query}", client=client)
    assert answer.status == 201
    return answer.json


async def file(site: Site, key: str, **report: Any) -> Response:
    headers = {"content-type": "application/json", "authorization": f"Bearer {key}", "prefer": "wait=20"}
    return await site.call("POST", "/api/v1/reports", json.dumps(report).encode(), headers)


async def own(site: Site, key: str, query: str = "") -> Response:
    return await site.call("GET", f"/api/v1/reports{query}", headers={"authorization": f"Bearer {key}"})


async def test_a_device_files_and_sees_its_own_reports_only(site: Site) -> None:
    mine, other = [(await device(site))["key"] for _ in range(2)]
    numbers = [(await file(site, mine, text=story)).json["number"] for story in STORIES]
    assert len(set(numbers)) == 3
    listed = (await own(site, mine)).json
    assert ([r["number"] for r in listed["reports"]], listed["next"]) == (numbers[::-1], None)
    assert (await own(site, other)).json == {"reports": [], "next": None}
    first = (await own(site, mine, "?limit=2")).json
    rest = (await own(site, mine, f"?limit=2&before={first['next']}")).json
    assert [r["number"] for r in first["reports"] + rest["reports"]] == numbers[::-1]


async def test_answers_are_polled_with_the_key_and_no_token(site: Site) -> None:
    mine, other = [(await device(site))["key"] for _ in range(2)]
    number = (await file(site, mine, text=STORIES[0])).json["number"]
    path = f"/api/v1/reports/{number}"
    shown = await site.call("GET", path, headers={"authorization": f"Bearer {mine}"})
    assert [words["text"] for words in shown.json["words"]] == [STORIES[0]]
    for headers in ({}, {"authorization": f"Bearer {other}"}, {"authorization": f"Bearer {mine[:-1]}"}):
        assert "words" not in (await site.call("GET", path, headers=headers)).json


async def test_a_device_uploads_for_its_report(site: Site) -> None:
    key = (await device(site, "?account=aplikasi-lain"))["key"]
    tus = {"tus-resumable": "1.0.0", "authorization": f"Bearer {key}", "upload-length": str(len(PNG)),
           "content-type": "application/offset+octet-stream", "content-length": str(len(PNG))}  # fmt: skip
    path = (await site.call("POST", "/api/v1/uploads", PNG, tus)).headers["location"]
    stranger = (await device(site))["key"]
    assert (await file(site, stranger, text=STORIES[0], uploads=[path])).status == 422
    assert (await file(site, key, text=STORIES[0], uploads=[path])).status == 201


@pytest.mark.parametrize(
    "damage",
    [lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"), lambda key: key.replace("aplikasi", "aplikasi-lain")],
    ids=["another proof", "another account"],
)
async def test_a_key_that_the_hub_did_not_draw_is_refused(quiet: Site, damage: Any) -> None:
    key = damage((await device(quiet))["key"])
    assert [(await file(quiet, key, text=STORIES[0])).status, (await own(quiet, key)).status] == [401, 401]


async def test_keys_of_other_kinds_list_nothing(quiet: Site) -> None:
    assert [(await own(quiet, key)).status for key in (KEY, "salah")] == [401, 401]
    assert (await quiet.call("GET", "/api/v1/reports")).status == 401


async def test_devices_are_no_way_around_the_limit_of_an_address(quiet: Site) -> None:
    answers = [await quiet.call("POST", "/api/v1/devices") for _ in range(13)]
    assert [answer.status for answer in answers] == [201] * 12 + [429]
    key = answers[0].json["key"]
    assert (await file(quiet, key, text=STORIES[0])).status == 429


async def test_an_account_that_is_no_app_draws_no_keys(quiet: Site) -> None:
    for query in ("?account=web", "?account=tidak-ada"):
        assert (await quiet.call("POST", f"/api/v1/devices{query}")).status == 404

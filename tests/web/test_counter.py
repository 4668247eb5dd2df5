"""What staff enter at the counter on somebody's behalf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.opening import open_hub
from hub.running.serve import WORK, run_stages
from hub.running.status import ProcessStatus
from hub.settings import Settings, load_settings
from sink import export
from tests.web.asgi import Response
from tests.web.conftest import CHANNELS, KEY, Site
from tests.web.test_api import multipart

COUNTER_KEY = "kunci-loket-untuk-uji"
OTHER_KEY = "kunci-loket-yang-baru"
COUNTER = f"""
[loket]
kind = "counter"
owner = "32.73"
api_keys = ["{COUNTER_KEY}", "{OTHER_KEY}"]
"""
LETTER = {"text": "Saluran air di depan balai desa tersumbat", "came_by": "letter", "entered_by": "Ibu Lestari"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS + COUNTER)
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


async def test_where_no_form_is_open_that_is_said_before_it_is_filled_in_and_reports_go_on(settings: Settings) -> None:
    settings.channels.write_text(COUNTER)
    async with open_hub(settings) as opened, run_stages(settings, opened, ProcessStatus(), WORK):
        site = Site(settings, opened)
        form = await site.call("GET", "/")
        entered = (await enter(site, LETTER, prefer="wait=20")).json
        at = f"/lacak/{entered['number']}"
        body, kind = multipart(("text", "Kini meluap"), ("token", entered["token"]))
        added = await site.call("POST", f"{at}/keterangan", body, {**kind, "sec-fetch-site": "same-origin"})
        page = await site.call("GET", f"{at}?token={entered['token']}")
    assert (form.status, "Silakan lapor lewat kanal lain" in form.text, "<textarea" in form.text) == (503, True, False)
    assert (added.status, "Kini meluap" in page.text) == (303, True)


async def enter(site: Site, report: dict[str, Any], key: str = COUNTER_KEY, **headers: str) -> Response:
    sent = {"content-type": "application/json", "authorization": f"Bearer {key}", **headers}
    return await site.call("POST", "/api/v1/reports", json.dumps(report).encode(), sent)


async def test_a_letter_gets_its_number_and_keeps_who_entered_it(site: Site) -> None:
    answer = await enter(site, LETTER | {"name": "Wawan", "phone": "0812-0000-0017"}, prefer="wait=20")
    [line] = export(site.opened.storage.record, None, with_fields={"loket"})
    assert (answer.status, answer.json["number"]) == (201, line["number"])
    assert (line["channel"], line["account"]) == ("counter", "loket")
    assert line["extra"] == {"came_by": "letter", "entered_by": "Ibu Lestari"}


async def test_the_same_letter_with_its_key_is_entered_once(site: Site) -> None:
    once = {"prefer": "wait=20", "idempotency-key": "agenda/17"}
    answers = [(await enter(site, LETTER, key, **once)).json for key in (COUNTER_KEY, COUNTER_KEY, OTHER_KEY)]
    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"came_by": None}, "came_by"), ({"entered_by": ""}, "entered_by"), ({"came_by": "pigeon"}, "came_by")],
)
async def test_who_entered_it_and_how_it_came_must_be_said(quiet: Site, change: dict[str, Any], field: str) -> None:
    answer = await enter(quiet, LETTER | change)
    assert (answer.status, [error["field"] for error in answer.json["errors"]]) == (422, [field])


async def test_only_a_counter_may_say_how_it_came(quiet: Site) -> None:
    answer = await enter(quiet, LETTER, KEY)
    assert [error["field"] for error in answer.json["errors"]] == ["came_by", "entered_by"]

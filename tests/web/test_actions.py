"""Officers act by the API within their scope; citizens rate and reopen on the page; everybody reads the numbers."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from hub.settings import Settings, load_settings
from sink import export
from tests.web.conftest import CHANNELS, Site

OFFICERS = """
[console-bandung]
kind = "console"
owner = "32.73"
api_keys = ["kunci-bandung"]

[console-cimahi]
kind = "console"
owner = "32.77"
api_keys = ["kunci-lain"]

[console-membaca]
kind = "console"
owner = "32"
api_keys = ["kunci-verifikasi"]
actions = ["verify"]

[console-provinsi]
kind = "console"
owner = "32"
office = "32"
api_keys = ["kunci-provinsi"]

[console-dinas]
kind = "console"
owner = "32.73"
office = "dinas-lain"
api_keys = ["kunci-dinas"]
"""
STORY = "Lampu jalan di depan Pasar Baru mati sejak Senin malam."
JSON = {"content-type": "application/json"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS + OFFICERS)
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


@pytest.fixture
async def report(site: Site) -> Any:
    """A report that was filed by the form's API: its number and its token."""
    body = json.dumps({"text": STORY, "phone": "0812-0000-0071"}).encode()
    answer = await site.call("POST", "/api/v1/reports", body, {**JSON, "prefer": "wait=10"})
    return answer.json


async def act(site: Site, number: str, key: str, /, *, wait: bool = True, idempotency: str = "", **given: str) -> Any:
    headers = {**JSON, "authorization": f"Bearer {key}"}
    headers |= {"prefer": "wait=10"} if wait else {}
    headers |= {"idempotency-key": idempotency} if idempotency else {}
    return await site.call("POST", f"/api/v1/reports/{number}/actions", json.dumps(given).encode(), headers)


async def status(site: Site, report: dict[str, Any]) -> dict[str, Any]:
    answer = await site.call("GET", f"/api/v1/reports/{report['number']}?token={report['token']}")
    found: dict[str, Any] = answer.json
    return found


async def test_an_officers_answer_is_shown_to_its_reporter(site: Site, report: dict[str, Any]) -> None:
    answer = await act(site, report["number"], "kunci-bandung", act="answer", text="Petugas datang besok.", by="Budi")
    assert (answer.status, answer.json["outcome"], answer.json["reason"]) == (200, "added", None)
    shown = await status(site, report)
    assert shown["status"] == "in_progress"
    assert [words["text"] for words in shown["answers"]] == ["Petugas datang besok."]
    assert "Budi" not in json.dumps(shown)


async def test_who_acted_for_an_office_is_known_to_auditors_alone(site: Site, report: dict[str, Any]) -> None:
    number = report["number"]
    await act(site, number, "kunci-bandung", act="pass", to="32", by="Budi Santoso")
    await act(site, number, "kunci-bandung", act="answer", text="Petugas datang.", office="32", by="Siti Aminah")
    await act(site, number, "kunci-bandung", act="finish", text="Sudah menyala.", office="32")
    [line] = export(site.opened.storage.record, None)
    acts = [(step["what"], step["by"]) for step in line["timeline"] if "by" in step]
    assert acts == [
        ("disposition", "Budi Santoso"), ("answer", "Siti Aminah"), ("status_in_progress", "Siti Aminah"),
        ("status_done", "console-bandung"),
    ]  # fmt: skip
    shown = [await status(site, report), (await site.call("GET", f"/lacak/{number}?token={report['token']}")).text]
    assert not [name for name in ("Budi", "Siti", "console-bandung") if name in json.dumps(shown)]


@pytest.mark.parametrize("given", ["finish", "archive", "reject"])
async def test_the_reporter_reads_why_a_report_ended(site: Site, report: dict[str, Any], given: str) -> None:
    await act(site, report["number"], "kunci-bandung", act=given, text="Bukan wewenang kota.")
    shown = await site.call("GET", f"/lacak/{report['number']}?token={report['token']}")
    assert "Bukan wewenang kota." in shown.text
    assert "Belum ada jawaban." not in shown.text
    assert "Bukan wewenang" not in (await site.call("GET", f"/lacak/{report['number']}")).text


@pytest.mark.parametrize("given", [{"act": "take"}, {"act": "verify"}, {"act": "pass", "to": "32.73"}])
async def test_a_closed_report_goes_on_only_when_it_is_reopened(
    site: Site, report: dict[str, Any], given: dict[str, str]
) -> None:
    await act(site, report["number"], "kunci-bandung", act="reject", text="Bukan wewenang kota.")
    before = await status(site, report)
    answer = await act(site, report["number"], "kunci-bandung", **given)
    assert answer.status == 422 or answer.json["outcome"] == "refused"
    assert await status(site, report) == before
    reopened = await act(site, report["number"], "kunci-bandung", act="reopen")
    assert reopened.json["outcome"] == "added"


async def test_a_desk_that_answered_and_passed_the_report_on_no_longer_has_it(
    site: Site, report: dict[str, Any]
) -> None:
    await act(site, report["number"], "kunci-bandung", act="answer", text="Kami teruskan ke provinsi.")
    passed = await act(site, report["number"], "kunci-bandung", act="pass", to="32", text="Jalan provinsi.")
    ended = await act(site, report["number"], "kunci-bandung", act="finish", office="32", text="Sudah diperbaiki.")
    assert (passed.json["outcome"], ended.json["outcome"]) == ("added", "added")
    assert (await status(site, report))["status"] == "done"


async def test_a_key_acts_for_an_office_that_is_named_by_its_region(site: Site, report: dict[str, Any]) -> None:
    assert (await act(site, report["number"], "kunci-provinsi", act="take")).status == 404
    await act(site, report["number"], "kunci-bandung", act="pass", to="32")
    assert (await act(site, report["number"], "kunci-provinsi", act="take")).json["outcome"] == "added"


async def test_the_same_key_twice_is_one_act(site: Site, report: dict[str, Any]) -> None:
    first = await act(site, report["number"], "kunci-bandung", idempotency="k1", act="answer", text="Satu kali.")
    again = await act(site, report["number"], "kunci-bandung", idempotency="k1", act="answer", text="Satu kali.")
    assert (first.json["outcome"], again.json["outcome"]) == ("added", "redelivered")
    assert len((await status(site, report))["answers"]) == 1


async def test_a_double_click_is_shown_once(site: Site, report: dict[str, Any]) -> None:
    for _ in range(2):
        await act(site, report["number"], "kunci-bandung", act="answer", text="Satu kali.")
    shown = await status(site, report)
    assert [step["why"] for step in shown["timeline"] if step["what"] == "answer"] == ["Satu kali."]


@pytest.mark.parametrize(
    ("key", "given", "code"),
    [
        ("kunci-salah", {"act": "verify"}, 401),
        ("kunci-api-untuk-uji", {"act": "verify"}, 401),
        ("kunci-lain", {"act": "verify"}, 404),
        ("kunci-dinas", {"act": "verify"}, 404),
        ("kunci-verifikasi", {"act": "finish"}, 403),
        ("kunci-bandung", {"act": "archive"}, 422),
        ("kunci-bandung", {"act": "answer", "text": "\u200b\n"}, 422),
        ("kunci-bandung", {"act": "link"}, 422),
        ("kunci-bandung", {"act": "destroy"}, 422),
        ("kunci-bandung", {"act": "pass", "to": "instansi entah"}, 422),
        ("kunci-bandung", {"act": "answer", "text": "Dari Semarang.", "office": "33.74"}, 422),
    ],
)
async def test_nobody_acts_beyond_the_own_scope(
    site: Site, report: dict[str, Any], key: str, given: dict[str, str], code: int
) -> None:
    assert (await act(site, report["number"], key, **given)).status == code
    assert (await status(site, report))["status"] == "unverified"


@pytest.mark.parametrize("given", ["link", "join", "unlink"])
async def test_nobody_links_a_report_with_one_beyond_the_own_scope(
    site: Site, report: dict[str, Any], given: str
) -> None:
    body = json.dumps({"text": "Lampu di Cimahi mati"}).encode()
    keyed = {**JSON, "prefer": "wait=10", "authorization": "Bearer kunci-kedua"}
    others = (await site.call("POST", "/api/v1/reports", body, keyed)).json
    answer, unknown = [
        await act(site, report["number"], "kunci-bandung", act=given, to=to) for to in (others["number"], "1708000011")
    ]
    assert (answer.status, unknown.status) == (422, 422)
    assert answer.json["detail"].replace(others["number"], "1708000011") == unknown.json["detail"]
    assert [step["what"] for step in (await status(site, others))["timeline"]] == ["recorded", "routed"]


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"answer", 400, "Kirim satu objek JSON"),
        (b'{"act": "destroy"}', 422, "Pilih salah satu: verify, take"),
        (b"{}", 422, "Kolom ini wajib diisi."),
    ],
)
async def test_what_is_wrong_with_an_act_is_said(site: Site, body: bytes, code: int, says: str) -> None:
    headers = {**JSON, "authorization": "Bearer kunci-bandung"}
    answer = await site.call("POST", "/api/v1/reports/1708000011/actions", body, headers)
    assert (answer.status, says in answer.text) == (code, True)


async def test_a_number_that_nobody_has_is_not_found(site: Site) -> None:
    assert (await act(site, "1708000011", "kunci-bandung", act="verify")).status == 404


async def test_what_is_missing_is_said_in_the_language_asked_for(site: Site, report: dict[str, Any]) -> None:
    answer = await act(site, report["number"], "kunci-bandung", act="reject")
    assert answer.json["detail"] == "Tindakan belum dapat dilakukan: tindakan reject memerlukan keterangan (text)."


async def page(site: Site, report: dict[str, Any], what: str, **fields: str) -> Any:
    form = {"token": report["token"], "lang": "id", **fields}
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return await site.call("POST", f"/lacak/{report['number']}/{what}", body, headers)


async def test_the_page_of_a_finished_report_takes_a_rating_and_reopens_it(site: Site, report: dict[str, Any]) -> None:
    shown = await site.call("GET", f"/lacak/{report['number']}?token={report['token']}")
    assert "/nilai" not in shown.text
    await act(site, report["number"], "kunci-bandung", act="finish", text="Sudah menyala.")
    shown = await site.call("GET", f"/lacak/{report['number']}?token={report['token']}")
    assert "/nilai" in shown.text
    assert (await page(site, report, "nilai", rating="9")).status == 422
    assert (await page(site, report, "nilai", rating="2")).status == 303
    rated = await status(site, report)
    assert (rated["status"], [words["text"] for words in rated["words"] if words["text"]]) == ("done", [STORY])
    without_words = await page(site, report, "belum", text="")
    assert '<p class="error" id="why-error">Keterangan belum diisi.</p>' in without_words.text
    assert 'id="text-error"' not in without_words.text
    assert (await page(site, report, "belum", text="Masih+mati")).status == 303
    after = await status(site, report)
    steps = [(step["what"], step["why"]) for step in after["timeline"]]
    assert after["status"] == "in_progress"
    assert ("rated", "2") in steps
    assert "disagreed" in dict(steps)


async def test_whoever_shows_the_phone_alone_is_told_where_to_answer_add_object_and_rate(
    site: Site, report: dict[str, Any]
) -> None:
    number, form = report["number"], {"content-type": "application/x-www-form-urlencoded"}
    same_site = {**form, "sec-fetch-site": "same-origin"}
    await act(site, number, "kunci-bandung", act="ask", text="Tiang yang mana?")
    asked = await site.call("POST", f"/lacak/{number}", b"last4=0071", same_site)
    assert '<a href="#keterangan">Jawab sekarang</a>' in asked.text
    assert (f"TL {number}" in asked.text, "BELUM" in asked.text) == (True, False)
    await act(site, number, "kunci-bandung", act="finish", text="Sudah menyala.")
    ended = await site.call("POST", f"/lacak/{number}", b"last4=0071", same_site)
    assert (f"BELUM {number}" in ended.text, f"NILAI {number}" in ended.text) == (True, True)
    assert "<textarea" not in ended.text


async def test_nobody_rates_without_the_token(site: Site, report: dict[str, Any]) -> None:
    await act(site, report["number"], "kunci-bandung", act="finish", text="Sudah menyala.")
    assert (await page(site, report | {"token": "salah"}, "belum", text="x")).status == 404
    assert (await status(site, report))["status"] == "done"


async def test_the_numbers_are_open_and_hold_nobody(site: Site, report: dict[str, Any]) -> None:
    async with asyncio.timeout(20):  # until the loop of the due dates has counted
        while not (found := (await site.call("GET", "/api/v1/statistics?by=region,channel")).json):
            await asyncio.sleep(0.05)
    assert found[0]["region"] == "32.73"
    assert found[0]["received"] is None  # one report is a small cell
    table = await site.call("GET", "/api/v1/statistics?format=csv")
    none = await site.call("GET", "/api/v1/statistics?format=csv&since=2999-01")
    assert table.text.splitlines()[:1] == none.text.splitlines()
    assert re.match(r"region,received,valid,", none.text)
    assert (await site.call("GET", "/api/v1/statistics?by=sender")).status == 422
    nowhere = await site.call("GET", "/api/v1/statistics?region=99.99&lang=en")
    assert (nowhere.status, nowhere.json["errors"][0]["detail"]) == (422, "No region has this code; for example 32.73.")

"""The counter's page: who gets in, what is entered, and what is handed over."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from connectors._report import KeyedSettings
from connectors._settings import Secret
from connectors.counter import CounterChannel
from hub.web.counter_session import LASTS, CounterSession, cookie_of, session_of_cookie
from sink import export
from tests.web.accounts import TheseAccounts
from tests.web.asgi import Response
from tests.web.building import app_of
from tests.web.conftest import KEY, Site
from tests.web.test_api import PNG, multipart
from tests.web.test_counter import COUNTER_KEY, OTHER_KEY
from tests.web.test_counter import settings as settings  # noqa: PLC0414 - a fixture
from tests.web.test_pages import once

FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
STAFF = "Ibu Lestari"
LETTER = {"text": "Saluran air di depan balai desa tersumbat", "came_by": "letter", "name": "Wawan Setiadi"}


async def post(site: Site, path: str, fields: dict[str, str], **headers: str) -> Response:
    return await site.call("POST", path, urlencode(fields).encode(), {**FORM, **headers})


async def logged_in(site: Site, key: str = COUNTER_KEY) -> str:
    """The cookie."""
    answer = await post(site, "/loket/masuk", {"key": key, "staff": STAFF})
    assert (answer.status, answer.headers["location"]) == (303, "/loket")
    return answer.headers["set-cookie"].partition(";")[0]


async def test_a_letter_is_entered_and_its_number_handed_over(site: Site) -> None:
    cookie = await logged_in(site)
    page = await site.call("GET", "/loket", headers={"cookie": cookie})
    entered = await post(site, "/loket", {**LETTER, "agenda": "470/17-Um", "once": once(page)}, cookie=cookie)
    assert entered.status == 303
    done = await site.call("GET", entered.headers["location"], headers={"cookie": cookie})
    [line] = export(site.opened.storage.record, None, with_fields={"loket"})
    digits = "".join(re.findall(r"<span>(\d+)</span>", done.text))
    assert digits == line["number"]
    assert f"https://lapor.test/lacak/{digits}?token=" in done.text
    assert (line["channel"], line["account"]) == ("counter", "loket")
    assert line["extra"] == {"came_by": "letter", "entered_by": STAFF, "agenda": "470/17-Um"}
    page = await site.call("GET", "/loket", headers={"cookie": cookie})
    assert f'href="/lacak/{digits}"' in page.text


async def test_a_letter_of_one_number_in_the_register_is_entered_once(site: Site) -> None:
    cookies = [await logged_in(site, key) for key in (COUNTER_KEY, COUNTER_KEY, OTHER_KEY)]
    fields, cookie = {**LETTER, "agenda": "470/18"}, cookies[0]
    places = [(await post(site, "/loket", fields, cookie=one)).headers["location"] for one in cookies]
    other = await post(site, "/loket", {**fields, "text": "Jembatan gantung putus talinya"}, cookie=cookie)
    assert len(set(places)) == 1
    assert other.status == 422
    assert "sudah dipakai untuk laporan lain" in other.text
    assert "Jembatan gantung putus talinya" in other.text


async def test_only_todays_reports_of_this_counter_are_listed_the_newest_first(site: Site) -> None:
    cookie, numbers = await logged_in(site), []
    for n in range(11):
        entered = await post(site, "/loket", {**LETTER, "text": f"Lampu jalan nomor {n} padam"}, cookie=cookie)
        done = await site.call("GET", entered.headers["location"], headers={"cookie": cookie})
        numbers.append("".join(re.findall(r"<span>(\d+)</span>", done.text)))
    page = await site.call("GET", "/loket", headers={"cookie": cookie})
    listed = re.findall(r'href="/lacak/(\d{10})"', page.text)
    assert listed == numbers[:0:-1]


@pytest.mark.parametrize(
    ("key", "staff", "words"),
    [
        ("salah", STAFF, "Kunci ini tidak berlaku"),
        (KEY, STAFF, "Kunci ini tidak berlaku"),
        (COUNTER_KEY, " ", "wajib diisi"),
    ],
    ids=["wrong", "of another kind", "nobody's name"],
)
async def test_nobody_gets_in_without_a_key_of_a_counter_and_a_name(
    quiet: Site, key: str, staff: str, words: str
) -> None:
    answer = await post(quiet, "/loket/masuk", {"key": key, "staff": staff})
    assert (answer.status, "set-cookie" in answer.headers, key in answer.text) == (422, False, False)
    assert words in answer.text


async def test_keys_are_not_tried_out(quiet: Site) -> None:
    answers = [await post(quiet, "/loket/masuk", {"key": f"coba-{n}", "staff": STAFF}) for n in range(60)]
    assert {answer.status for answer in answers} == {422, 429}
    assert answers[-1].status == 429


@pytest.mark.parametrize("path", ["/loket", "/loket/masuk", "/loket/keluar"])
async def test_no_other_site_acts_for_the_counter(quiet: Site, path: str) -> None:
    cookie = await logged_in(quiet)
    fields = {**LETTER, "key": COUNTER_KEY, "staff": STAFF}
    answer = await post(quiet, path, fields, cookie=cookie, **{"sec-fetch-site": "cross-site"})
    assert (answer.status, "set-cookie" in answer.headers) == (403, False)


async def test_the_cookie_is_kept_from_scripts_other_sites_and_other_pages(quiet: Site) -> None:
    answer = await post(quiet, "/loket/masuk", {"key": COUNTER_KEY, "staff": STAFF})
    flags = {flag.strip().lower() for flag in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "secure", "samesite=strict", "path=/loket"} <= flags
    assert COUNTER_KEY not in answer.headers["set-cookie"]


async def test_after_the_session_nothing_is_stored_and_everything_typed_comes_back_after_the_login(quiet: Site) -> None:
    scan = ("pindai.png", PNG + bytes(300_000))
    typed = [*LETTER.items(), ("agenda", "470/17"), ("secret", "true"), ("once", "k" * 24)]
    body, kind = multipart(*typed, ("files", scan))
    over = await quiet.call("POST", "/loket", body, {**kind, "sec-fetch-site": "same-origin"})
    assert over.status == 403
    kept = dict(re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', over.text))
    assert kept == dict(typed) | {"files_again": "true"}
    mistaken = await post(quiet, "/loket/masuk", {**kept, "key": "salah", "staff": STAFF})
    assert dict(re.findall(r'type="hidden" name="(\w+)" value="(.*?)"', mistaken.text)) == kept
    form = await post(quiet, "/loket/masuk", {**kept, "key": COUNTER_KEY, "staff": STAFF})
    assert (form.status, "loket=" in form.headers["set-cookie"], once(form)) == (200, True, "k" * 24)
    for part in (f">{LETTER['text']}</textarea>", 'value="470/17"', 'value="Wawan Setiadi"', "Laporan belum tersimpan"):
        assert part in form.text
    assert "Silakan pilih lagi berkasnya" in form.text
    assert re.search(r'name="secret" value="true"[^>]* checked', form.text)
    login = await quiet.call("GET", "/loket/masuk")
    assert (login.status, login.headers["location"]) == (303, "/loket")
    place = f"/loket/diterima/{'0' * 8}-0000-7000-8000-{'0' * 12}?token=a"
    assert (await quiet.call("GET", place)).status == 404


async def test_mistakes_lead_to_their_fields_and_keep_what_was_typed(quiet: Site) -> None:
    cookie = await logged_in(quiet)
    body, kind = multipart(("came_by", "visit"), ("name", "Wawan"), ("phone", "12"), ("agenda", "surat\u00e9"))
    sent = {**kind, "sec-fetch-site": "same-origin", "cookie": cookie}
    answer = await quiet.call("POST", "/loket", body, sent)
    assert answer.status == 422
    assert 'value="visit" checked' in answer.text
    assert 'value="Wawan"' in answer.text


NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def counter(name: str, *keys: str) -> CounterChannel:
    return CounterChannel(name, "32.73", KeyedSettings(api_keys=tuple(Secret(key) for key in keys)))


@pytest.mark.parametrize(
    ("accounts", "later", "change", "goes_on"),
    [
        ([counter("loket", "satu", "dua")], 60, lambda c: c, True),
        ([counter("loket", "satu")], LASTS, lambda c: c, False),
        ([counter("loket", "satu")], -60, lambda c: c, False),
        ([counter("loket", "dua")], 60, lambda c: c, False),
        ([counter("loket-lain", "satu")], 60, lambda c: c, False),
        ([], 60, lambda c: c, False),
        ([counter("loket", "satu")], 60, lambda c: c[1:], False),
        ([counter("loket", "satu")], 60, lambda c: c[:-1], False),
        ([counter("loket", "satu")], 60, lambda c: c.partition(".")[0], False),
        ([counter("loket", "satu")], 60, lambda c: "[" * 8000 + ".\u00e9", False),
    ],
    ids=["goes on", "over", "of tomorrow", "key gone", "another counter", "account gone", "changed", "half a proof",
         "no proof", "noise"],
)  # fmt: skip
def test_a_session_ends_with_its_day_its_key_and_its_account(
    accounts: list[CounterChannel], later: float, change: Any, goes_on: bool
) -> None:
    session = CounterSession(counter("loket", "satu"), "satu", STAFF)
    cookie = change(cookie_of(session, NOW, hex_of))
    found = session_of_cookie(TheseAccounts(*accounts), cookie, NOW + timedelta(seconds=later), hex_of)
    assert (found is not None) == goes_on
    assert found is None or (found.staff, found.key) == (STAFF, "satu")


async def test_the_page_asks_for_the_key_again_after_a_working_day(quiet: Site) -> None:
    at = [NOW]
    quiet.app = app_of(quiet.settings, quiet.opened, quiet.publish, clock=lambda: at[0])
    cookie, pages = await logged_in(quiet), []
    for later in (LASTS - 1, LASTS):
        at[0] = NOW + timedelta(seconds=later)
        pages.append(await quiet.call("GET", "/loket", headers={"cookie": cookie}))
    assert ['action="/loket/masuk' in page.text for page in pages] == [False, True]


def hex_of(words: str) -> str:
    """A signature, as good as a test needs it."""
    return hashlib.sha256(words.encode()).hexdigest()

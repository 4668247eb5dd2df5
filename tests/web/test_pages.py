"""The pages as bytes: headers, the form's way, errors that keep what was typed, and what nobody else may send."""

from __future__ import annotations

import asyncio
import html
import re
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from starlette.requests import Request

from hub.clock import Clock
from hub.settings import Settings
from hub.web import WebParts, build_app
from hub.web.citizen.report_page import render_report
from schemas import Event, Retry
from sink import TrackedReport
from tests.sink.made_pictures import OWNER, exif, picture
from tests.web.asgi import Response, call
from tests.web.conftest import Site
from tests.web.test_api import PHONE, PNG, WORDS, filed, multipart

SAME_SITE = {"sec-fetch-site": "same-origin"}


async def send(site: Site, *parts: tuple[str, str | tuple[str, bytes]], **headers: str) -> Response:
    body, kind = multipart(*parts)
    return await site.call(
        "POST", "/", body, {**kind, **SAME_SITE, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


def once(page: Response) -> str:
    [found] = re.findall(r'name="once" value="(.+?)"', page.text)
    return found


async def test_a_form_filled_in_leads_to_its_number(site: Site) -> None:
    form = await site.call("GET", "/")
    sent = await send(site, ("text", WORDS), ("phone", PHONE), ("title", ""), ("lang", "id"), ("once", once(form)),
                      ("files", ("foto.png", PNG)), ("anonymous", "true"))  # fmt: skip
    assert sent.status == 303
    page = await site.call("GET", sent.headers["location"])
    [link] = re.findall(r'href="(/lacak/\d{10}\?token=\w+)"', page.text)
    assert "Laporan diterima" in page.text
    assert WORDS in (await site.call("GET", link)).text
    cut = await site.call("GET", link[:-4])
    assert ("tidak lengkap" in cut.text, WORDS in cut.text) == (True, False)


@pytest.mark.parametrize("path", ["/", "/lacak", "/lacak/", "/widget.js", "/api/v1/statistics", "/tidak-ada"])
async def test_a_monitor_that_asks_by_head_hears_what_get_says(path: str, site: Site) -> None:
    told, whole = [await site.call(method, path) for method in ("HEAD", "GET")]
    assert (told.status, told.headers["content-type"], told.body) == (whole.status, whole.headers["content-type"], b"")
    assert whole.body


async def test_a_form_sent_twice_is_filed_once(site: Site) -> None:
    drawn = once(await site.call("GET", "/"))
    first, again = [await send(site, ("text", WORDS), ("once", drawn)) for _ in range(2)]
    changed, twice = [await send(site, ("text", "Saya ganti ceritanya"), ("once", drawn)) for _ in range(2)]
    assert first.headers["location"] == again.headers["location"] != changed.headers["location"]
    assert twice.headers["location"] == changed.headers["location"]


async def test_h3_the_same_report_in_another_form_is_not_told_the_number_of_the_first(site: Site) -> None:
    number = (await filed(site))["number"]
    again = await send(site, ("text", WORDS), ("phone", PHONE))
    page = await site.call("GET", again.headers["location"])
    assert "Laporan diterima" in page.text
    assert number not in page.text


async def test_a_slow_road_shows_a_page_that_refreshes(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.citizen.form.WAIT", 0.01)
    sent = await send(quiet, ("text", WORDS))
    at: str | None = sent.headers["location"]
    pauses = []
    while at:
        page = await quiet.call("GET", at)
        found = re.search(r'http-equiv="refresh" content="(\d+); url=(.+?)"', page.text)
        pauses += [int(found[1])] if found else []
        at = sent.headers["location"].partition("?")[0] + html.unescape(found[2]) if found else None
    assert (pauses, sum(pauses)) == (sorted(pauses), 120)
    assert "Nomor laporan akan tampil di halaman ini" in page.text


async def test_a_form_is_filed_while_the_record_is_away(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise Retry("the record does not answer")

    for name in ("idempotency.remember_request", "reports.track_report", "reports.outcomes_of"):
        monkeypatch.setattr(f"hub.web.{name}", unavailable)
    drawn = once(await quiet.call("GET", "/"))
    first, again = [await send(quiet, ("text", WORDS), ("once", drawn)) for _ in range(2)]
    changed = await send(quiet, ("text", "Saya ganti ceritanya sama sekali"), ("once", drawn))
    assert first.headers["location"] == again.headers["location"] != changed.headers["location"]
    page = await quiet.call("GET", first.headers["location"])
    assert (page.status, "sudah kami simpan" in page.text) == (200, True)


async def test_the_language_changes_without_losing_what_was_typed(quiet: Site) -> None:
    wrong = await send(quiet, ("text", " "), ("title", "Lampu mati"), ("lang", "id"))
    assert '<button class="second" name="switch" value="en" lang="en">Continue in English' in wrong.text
    english = await send(quiet, ("text", WORDS), ("title", "Lampu mati"), ("lang", "id"), ("switch", "en"))
    assert (english.status, '<html lang="en">' in english.text) == (200, True)
    assert WORDS in english.text
    assert 'value="Lampu mati"' in english.text


async def test_many_bodies_of_digits_are_refused_unread(quiet: Site) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded", **SAME_SITE}
    large = await quiet.call("POST", "/lacak/1234567897", b"last4=" + b"4" * 20_000, kind)
    response = [await quiet.call("POST", "/lacak/12", b"last4=4455", kind) for _ in range(60)]
    assert (large.status, response[-1].status) == (413, 429)


async def test_errors_stand_at_their_fields_and_keep_what_was_typed(quiet: Site) -> None:
    response = await send(quiet, ("text", " "), ("title", '"Lampu" <mati>'), ("phone", "nol"), ("secret", "true"))
    assert response.status == 422
    assert 'value="&#34;Lampu&#34; &lt;mati&gt;"' in response.text
    assert '<a href="#text">Isi laporan belum diisi.</a>' in response.text
    assert re.search(
        r'id="phone" name="phone" aria-invalid="true" aria-describedby="phone-hint phone-error"', response.text
    )
    assert re.search(r'id="secret".* checked>', response.text)


async def test_the_accepted_page_is_for_its_token_only(site: Site) -> None:
    mine = await filed(site)
    for query in ("", "?token=", "?token=tebakan"):
        assert (await site.call("GET", f"/diterima/{mine['id']}{query}")).status == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "https://jahat.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://[jahat"}, 403),
        ({"origin": "http://hub.test"}, 303),
        ({}, 303),
    ],
)
async def test_what_another_site_sends_is_refused(site: Site, headers: dict[str, str], status: int) -> None:
    body, kind = multipart(("text", WORDS))
    assert (await site.call("POST", "/", body, {**kind, **headers})).status == status


async def test_the_number_alone_shows_no_words_on_the_page(site: Site) -> None:
    mine = await filed(site)
    page = await site.call("GET", f"/lacak/{mine['number']}")
    assert (page.status, "Diverifikasi" in page.text, WORDS in page.text) == (200, True, False)
    assert "Meja Depan" not in page.text


@pytest.mark.parametrize(("status", "checking", "hint"), [
    ("unverified", None, "paling lama 3 hari kerja"), ("unverified", "running", "paling lama 3 hari kerja"),
    ("unverified", "resting", "paling lama 3 hari kerja"), ("unverified", "late", "Batas 3 hari kerja sudah lewat"),
    ("unverified", "met", "Diperiksa dan diteruskan"), ("in_progress", "late", "sedang menanganinya"),
])  # fmt: skip
def test_a_page_promises_no_day_that_is_over(status: str, checking: str | None, hint: str, settings: Settings) -> None:
    at = datetime(2026, 2, 2, tzinfo=UTC)
    found = TrackedReport(
        number="1234567897", status=status, received_at=at, updated_at=at, office=None, proven=False, joined=False,
        checking=checking,
    )  # fmt: skip
    request = Request({"type": "http", "method": "GET", "path": "/lacak/1", "query_string": b"", "headers": []})
    page = bytes(render_report(request, found, "id", settings, today=at.date()).body).decode()
    [shown] = re.findall(r'<p class="state">(.+?)</p>', page)
    assert hint in shown


async def test_the_last_four_digits_open_the_words_and_stay_out_of_the_address(site: Site) -> None:
    mine = await filed(site)
    kind = {"content-type": "application/x-www-form-urlencoded", **SAME_SITE}
    page = await site.call("POST", f"/lacak/{mine['number']}", b"last4=4455", kind)
    wrong = await site.call("POST", f"/lacak/{mine['number']}", b"last4=4456", kind)
    short = await site.call("POST", f"/lacak/{mine['number']}", b"last4=445", kind)
    assert WORDS in page.text
    assert f'href="/lacak/{mine["number"]}?lang=en"' in page.text
    assert (wrong.status, WORDS in wrong.text, "tidak cocok" in wrong.text) == (422, False, True)
    assert (short.status, "Isi empat angka" in short.text) == (422, True)
    other_digits = await site.call("POST", f"/lacak/{mine['number']}", f"last4={quote('４４５５')}".encode(), kind)
    assert WORDS in other_digits.text


@pytest.mark.parametrize(
    ("number", "status", "location"),
    [
        ("1234+567+897", 303, "/lacak/1234567897"),
        ("1234567897&lang=en", 303, "/lacak/1234567897?lang=en"),
        ("１２３４５６７８９７", 303, "/lacak/1234567897"),
        ("No.+1234-567-897", 303, "/lacak/1234567897"),
        ("12", 422, None),
        ("", 422, None),
    ],
    ids=["groups", "english", "full-width", "with-words", "short", "empty"],
)
async def test_a_number_is_asked_for_as_people_write_it(
    quiet: Site, number: str, status: int, location: str | None
) -> None:
    response = await quiet.call("GET", f"/lacak?number={quote(number, safe='+&=')}")
    assert (response.status, response.headers.get("location")) == (status, location)


@pytest.mark.parametrize(
    ("number", "says"),
    [("abc", "terdiri dari 10 angka"), ("123", "terdiri dari 10 angka"), ("1234567890", "ada angka yang salah ketik")],
    ids=["words", "short", "mistyped"],
)
async def test_an_address_with_no_number_says_what_is_wrong_with_it(quiet: Site, number: str, says: str) -> None:
    page = await quiet.call("GET", f"/lacak/{number}")
    assert (page.status, says in page.text.lower()) == (404, True)


async def test_an_unknown_number_is_asked_for_again(quiet: Site) -> None:
    response = await quiet.call("GET", "/lacak/1234567897")
    assert (response.status, "tidak kami temukan" in response.text) == (404, True)


@pytest.mark.parametrize("path", ["/", "/lacak", "/tidak-ada", "/api/v1/openapi.json", "/static/satupintu.css"])
async def test_every_answer_keeps_others_out(quiet: Site, path: str) -> None:
    headers = (await quiet.call("GET", path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in headers


async def test_a_url_with_a_token_is_named_to_nobody(site: Site) -> None:
    mine = await filed(site)
    page = await site.call("GET", f"/lacak/{mine['number']}?token={mine['token']}")
    assert (page.headers["referrer-policy"], page.headers["cache-control"]) == ("strict-origin", "no-store")
    links = re.findall(r'<a [^>]*href="(.+?)"', page.text)
    with_token = [link for link in links if mine["token"] in link]
    assert with_token == [f"/lacak/{mine['number']}?lang=en&amp;token={mine['token']}"]


async def test_no_page_has_script_or_style_of_its_own_or_of_others(quiet: Site) -> None:
    for path in ("/", "/?lang=en", "/lacak", "/tidak-ada"):
        page = (await quiet.call("GET", path)).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! src=\"/static/)|https?://", page)


async def test_pages_speak_english_when_asked_to(quiet: Site) -> None:
    page = await quiet.call("GET", "/?lang=en")
    assert '<html lang="en">' in page.text
    assert "Tell us what is wrong" in page.text


@pytest.mark.parametrize(
    ("asked", "path", "language", "carried"),
    [
        ("en-US,en;q=0.9", "/lacak", "en", "/lacak"),
        ("en-US,en;q=0.9", "/lacak?lang=id", "id", "/lacak?lang=id"),
        ("en-US,en;q=0.9,id;q=0.1", "/lacak", "id", "/lacak"),
        ("en,in;q=0.5", "/lacak", "id", "/lacak"),
        ("fr", "/lacak", "id", "/lacak"),
        ("id", "/lacak?lang=en", "en", "/lacak?lang=en"),
    ],
    ids=["english", "english-but-asked", "both", "old-android", "french", "asked"],
)
async def test_a_browser_that_asks_for_english_alone_gets_english(
    quiet: Site, asked: str, path: str, language: str, carried: str
) -> None:
    page = await quiet.call("GET", path, b"", {"accept-language": asked})
    assert f'<html lang="{language}">' in page.text
    assert f'href="{carried}" aria-current="page"' in page.text
    assert (page.headers["content-language"], page.headers["vary"]) == (language, "Accept-Language")


async def test_lost_people_are_told_in_both_languages(quiet: Site) -> None:
    lost = await quiet.call("GET", "/tidak-ada")
    wrong = await quiet.call("PUT", "/")
    assert (lost.status, wrong.status) == (404, 405)
    assert "Halaman tidak ditemukan" in lost.text
    assert '<p class="hint lead" lang="en"><strong>There is no such page.' in lost.text


async def test_a_fault_of_ours_is_a_page_and_a_problem(
    quiet: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("hub.web.reports.track_report", broken)
    page = await quiet.call("GET", "/lacak/1234567897")
    problem = await quiet.call("GET", "/api/v1/reports/1234567897")
    assert (page.status, "Ada gangguan" in page.text, "Traceback" in page.text) == (500, True, False)
    assert (problem.status, problem.json["type"]) == (500, "urn:satupintu:problem:fault")
    assert ("RuntimeError at" in caplog.text, "a bug" in caplog.text) == (True, False)


async def test_a_record_that_is_away_closes_no_door(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(*_: object, **__: object) -> None:
        raise Retry("the record does not answer")

    monkeypatch.setattr("hub.web.reports.track_report", unavailable)
    monkeypatch.setattr("hub.web.reports.outcomes_of", unavailable)
    assert (await send(quiet, ("text", WORDS))).status == 303
    read = await quiet.call("GET", "/api/v1/reports/1234567897")
    assert (read.status, read.json["type"], read.headers["retry-after"]) == (
        503,
        "urn:satupintu:problem:unavailable",
        "5",
    )


async def test_static_files_may_be_kept_for_ever_and_nothing_else_is_served(quiet: Site) -> None:
    [css] = re.findall(r'href="(/static/satupintu\.css\?v=\w+)"', (await quiet.call("GET", "/")).text)
    assert "immutable" in (await quiet.call("GET", css)).headers["cache-control"]
    for path in ("/static/../translations.toml", "/static/translations.toml", "/static/"):
        assert (await quiet.call("GET", path)).status == 404


async def test_health_is_told_apart_from_readiness(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: list[Event]) -> None:
        raise OSError("disk full")

    assert (await quiet.call("GET", "/readyz")).json == {"ready": True, "bus": "ok", "disk": "ok"}
    monkeypatch.setattr(quiet.opened.transport.intake, "publish", broken)
    ready = await quiet.call("GET", "/readyz")
    assert (ready.status, ready.json["bus"], "retry-after" in ready.headers) == (503, "not answering", True)
    assert (await quiet.call("GET", "/healthz")).status == 200
    monkeypatch.setattr("hub.web.health.FREE_BYTES", 1 << 60)
    assert (await quiet.call("GET", "/readyz")).json["disk"] == "full"


async def test_metrics_hold_figures_and_nothing_personal(site: Site) -> None:
    await filed(site, name="Siti Aminah")
    text = (await site.call("GET", "/metrics")).text
    for line in (
        'satupintu_requests_total{account="web",status="202"} 1.0',
        'satupintu_lag{group="sink",topic="routed"} 0.0',
        "satupintu_dead 0.0",
        "satupintu_ledger_lost 0.0",
    ):
        assert line in text
    assert not any(word in text for word in ("Siti", PHONE, "4455", "203.0.113", "Cikareo"))


async def test_the_reporter_adds_words_and_photos_to_the_report(site: Site) -> None:
    mine = await filed(site)
    added, other = "Sekarang kawat ketiga juga putus.", "Bukan laporan saya"
    at = f"/lacak/{mine['number']}/keterangan"
    body, kind = multipart(("text", added), ("token", mine["token"]), ("files", ("foto.jpg", picture(exif=exif()))))
    sent = await site.call("POST", at, body, {**kind, **SAME_SITE})
    strange, kind = multipart(("text", other), ("token", "tebakan"))
    refused = await site.call("POST", at, strange, {**kind, **SAME_SITE})
    assert (sent.status, refused.status) == (303, 404)
    page = await site.call("GET", address := sent.headers["location"].partition("#")[0])
    assert (WORDS in page.text, added in page.text, other in page.text) == (True, True, False)
    async with asyncio.timeout(20):  # until it is checked
        while not (links := re.findall(r'(?:href|src)="(/lacak/\d+/berkas/\w+\?token=\w+)"', page.text)):
            await asyncio.sleep(0.05)
            page = await site.call("GET", address)
    for link in links:
        shown = await site.call("GET", link)
        assert (shown.headers["content-type"], OWNER.encode() in shown.body) == ("image/jpeg", False)
        assert (await site.call("GET", link.partition("?")[0])).status == 404
    assert len(links) == 2


async def test_an_addition_without_words_is_asked_for_again(site: Site) -> None:
    mine = await filed(site)
    body, kind = multipart(("text", " "), ("token", mine["token"]))
    answer = await site.call("POST", f"/lacak/{mine['number']}/keterangan", body, {**kind, **SAME_SITE})
    assert answer.status == 422
    assert '<p class="error" id="text-error">Keterangan belum diisi.</p>' in answer.text


async def test_an_addition_that_is_refused_gives_the_words_back(site: Site) -> None:
    mine = await filed(site)
    at, token = f"/lacak/{mine['number']}/keterangan", ("token", mine["token"])
    typed, once = "Kawat ketiga juga putus.", ("once", "k" * 24)
    body, kind = multipart(("text", typed), token, once, ("files", ("surat.exe", b"MZ\x90\x00")))
    wrong = await site.call("POST", at, body, {**kind, **SAME_SITE})

    async def broken(_: object) -> None:
        raise Retry("the log cannot be written")

    site.publish = broken
    body, kind = multipart(("text", typed), token, once)
    later = await site.call("POST", at, body, {**kind, **SAME_SITE})
    assert (wrong.status, later.status, later.headers["retry-after"]) == (422, 503, "5")
    for page in (wrong, later):
        assert f">{typed}</textarea>" in page.text
        assert f'value="{once[1]}"' in page.text  # the same form, if it is sent again
        assert "hreflang" not in page.text  # a link would lose the words
    assert "Silakan pilih lagi berkasnya" in wrong.text
    again = await site.call("GET", at)
    assert (again.status, again.headers["location"]) == (303, f"/lacak/{mine['number']}")


async def test_an_addition_sent_too_often_gives_the_words_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.citizen.supplement.WAIT", 0.0)
    mine = await filed(site)
    body, kind = multipart(("text", "Kawat ketiga juga putus."), ("token", mine["token"]))
    headers = {**kind, **SAME_SITE, "content-length": str(len(body))}
    answers = [await site.call("POST", f"/lacak/{mine['number']}/keterangan", body, headers) for _ in range(20)]
    assert [answer.status for answer in answers] == [303] * 19 + [429]
    assert "sent=waiting" in answers[0].headers["location"]
    assert (">Kawat ketiga juga putus.</textarea>" in answers[-1].text, "Terlalu sering" in answers[-1].text) == (
        True,
        True,
    )
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_an_addition_sent_twice_is_filed_once_and_confirmed(site: Site) -> None:
    mine = await filed(site)
    at, typed = f"/lacak/{mine['number']}/keterangan", "Kawat ketiga juga putus."
    body, kind = multipart(("text", typed), ("token", mine["token"]), ("once", "k" * 24))
    for _ in range(2):
        sent = await site.call("POST", at, body, {**kind, **SAME_SITE})
    address, _, place = sent.headers["location"].partition("#")
    page = await site.call("GET", address)
    assert page.text.count(typed) == 1
    assert f'id="{place}" role="status" tabindex="-1">Terima kasih. Keterangan Anda sudah kami terima.' in page.text


async def test_a_photo_without_words_is_no_empty_line(site: Site) -> None:
    mine = await filed(site)
    body, kind = multipart(("token", mine["token"]), ("files", ("foto.png", PNG)))
    sent = await site.call("POST", f"/lacak/{mine['number']}/keterangan", body, {**kind, **SAME_SITE})
    page = await site.call("GET", sent.headers["location"].partition("#")[0])
    words = page.text.partition('<ul class="words">')[2].partition("</ul>")[0]
    assert words.count("<li>") == 1
    assert "foto.png" in page.text


async def test_a_report_that_cannot_be_stored_gives_the_words_back(quiet: Site) -> None:
    async def broken(_: object) -> None:
        raise Retry("the log cannot be written")

    quiet.publish = broken
    answer = await send(quiet, ("text", WORDS), ("place", "Kampung Cikareo"), ("files", ("foto.png", PNG)))
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    assert WORDS in answer.text
    assert 'value="Kampung Cikareo"' in answer.text
    assert "Silakan pilih lagi berkasnya" in answer.text


async def test_a_form_sent_too_often_gives_the_words_back(quiet: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.web.citizen.form.WAIT", 0.0)
    body, kind = multipart(("text", WORDS))
    headers = {**kind, **SAME_SITE, "content-length": str(len(body))}
    answers = [await quiet.call("POST", "/", body, headers) for _ in range(21)]
    assert [a.status for a in answers] == [303] * 20 + [429]
    assert (WORDS in answers[-1].text, "retry-after" in answers[-1].headers) == (True, True)


async def test_changing_the_language_costs_no_turn(quiet: Site) -> None:
    answers = [await send(quiet, ("text", WORDS), ("switch", "en")) for _ in range(30)]
    assert {a.status for a in answers} == {200}


async def test_changing_the_language_gives_no_turn_to_one_who_has_none(
    quiet: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.web.citizen.form.WAIT", 0.0)

    async def sent(*fields: tuple[str, str]) -> int:
        body, kind = multipart(*fields)
        return (await quiet.call("POST", "/", body, {**kind, **SAME_SITE, "content-length": str(len(body))})).status

    while await sent(("text", WORDS)) == 303:
        pass
    assert [await sent(("text", WORDS), ("switch", "en")) for _ in range(5)] == [200] * 5
    assert await sent(("text", WORDS)) == 429


async def test_a_mistyped_number_is_said_to_be_one(quiet: Site) -> None:
    answer = await quiet.call("GET", "/lacak?number=1234567890")
    assert (answer.status, "Ada angka yang salah ketik" in answer.text) == (422, True)


async def test_operators_pages_answer_nowhere_else_where_inside_is_set(quiet: Site) -> None:
    parts = WebParts(
        opened=quiet.opened, settings=quiet.settings, publish=quiet.publish, clock=Clock(), answered=Counter()
    )
    public = build_app(parts)
    answers = {path: (await call(public, "GET", path)).status for path in ("/healthz", "/readyz", "/metrics")}
    assert answers == {"/healthz": 200, "/readyz": 404, "/metrics": 404}

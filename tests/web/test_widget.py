"""The form on other sites: which of them may frame it, and in which form; in Chromium on a page of another site."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, expect

from connectors.web import WebChannel, WebSettings
from hub.settings import Settings, load_settings
from tests.web.conftest import CHANNELS, Site
from tests.web.serving import serving
from tests.web.test_api import WORDS
from tests.web.test_browser import browser as browser  # noqa: PLC0414 - a fixture
from tests.web.test_pages import once

SITES = 'sites = ["https://www.bandung.go.id", "https://*.jabarprov.go.id"]\n'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "channels.toml").write_text(CHANNELS.replace("rate = 20\n", "rate = 20\n" + SITES))
    return load_settings({"data": str(tmp_path), "bus": "memory://", "public_url": "https://lapor.test"}, {})


async def test_only_the_named_sites_may_frame_the_form_and_nothing_else(quiet: Site) -> None:
    framed = [await quiet.call("GET", path) for path in ("/widget", "/widget?lang=en", "/widget/tidak-ada")]
    for answer in framed:
        policy = answer.headers["content-security-policy"]
        assert policy.endswith("frame-ancestors https://www.bandung.go.id https://*.jabarprov.go.id")
        assert "x-frame-options" not in answer.headers
    for path in ("/", "/lacak", "/widget.js", "/widgets", "/api/v1/openapi.json"):
        answer = await quiet.call("GET", path)
        assert answer.headers["x-frame-options"] == "DENY", path
        assert answer.headers["content-security-policy"].endswith("frame-ancestors 'none'"), path


@pytest.mark.parametrize(
    "site",
    ["*", "bandung.go.id", "https://bandung.go.id/", "https://a.id; script-src *", "https://a.id\r\nX: y", "https://*"],
)
def test_a_setting_that_would_say_more_than_a_site_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match="sites: takes addresses"):
        WebChannel("web", "32.73", WebSettings(sites=(site,)))


async def test_the_form_in_a_frame_leads_to_its_number_in_the_frame(site: Site) -> None:
    form = await site.call("GET", "/widget")
    body = f"text={WORDS}&once={once(form)}&lang=id".encode()
    sent = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    answer = await site.call("POST", "/widget", body, sent)
    assert (answer.status, answer.headers["location"].startswith("/widget/diterima/")) == (303, True)
    page = await site.call("GET", answer.headers["location"])
    assert 'id="number"' in page.text
    assert 'target="_blank" rel="noopener">Buka laporan saya' in page.text


async def test_a_script_of_the_site_around_cannot_file(quiet: Site) -> None:
    answer = await quiet.call("POST", "/widget", b"text=x", {"sec-fetch-site": "cross-site"})
    assert answer.status == 403


async def test_the_script_may_be_named_by_every_site_and_does_not_stay_for_ever(quiet: Site) -> None:
    answer = await quiet.call("GET", "/widget.js")
    assert (answer.headers["cache-control"], answer.headers["cross-origin-resource-policy"]) == (
        "public, max-age=3600",
        "cross-origin",
    )


@contextmanager
def other_site(hub: list[str]) -> Iterator[str]:
    """A site with a page that shows the form."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            script = f'<script src="{hub[0]}/widget.js" async></script>'
            head = (
                '<!doctype html><html lang="id"><meta name="viewport" content="width=device-width"><title>Situs</title>'
            )
            body = f"{head}<main><h1>Situs daerah</h1>{script}</main></html>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A site that may show the form, and one that may not."""
    hub: list[str] = []
    with other_site(hub) as allowed, other_site(hub) as forbidden:
        channels = CHANNELS.replace("rate = 20\n", f'rate = 1000\nsites = ["{allowed}"]\n')
        channels += f'[aplikasi]\nkind = "app"\nowner = "32.73"\norigins = ["{allowed}"]\n'
        with serving(tmp_path_factory.mktemp("hub"), channels) as url:
            hub.append(url)
            yield allowed, forbidden


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 1280])
def test_a_report_is_filed_on_another_site_and_axe_finds_nothing(
    browser: Browser, sites: tuple[str, str], width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, axe, called = context.new_page(), Axe(), set()
    page.on("request", lambda request: called.add(request.url.split("/")[2].split(":")[0]))
    page.goto(sites[0])
    form = page.frame_locator("iframe")
    form.get_by_label("Isi laporan").fill(WORDS)
    frame = page.frames[1]
    frame.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
    assert axe.run(page).response["violations"] == []
    assert axe.run(frame).response["violations"] == []  # type: ignore[arg-type]
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.wait_for_function("document.querySelector('iframe').clientHeight > 900")
    assert frame.evaluate("document.documentElement.scrollHeight <= innerHeight + 1")
    form.get_by_role("button", name="Kirim laporan").click()
    expect(form.get_by_role("heading", name="Laporan diterima")).to_be_visible()
    assert axe.run(page.frames[1]).response["violations"] == []  # type: ignore[arg-type]
    assert called == {"localhost", "127.0.0.1"}
    with context.expect_page() as opened:
        form.get_by_role("link", name="Buka laporan saya").click()
    expect(opened.value.get_by_text(WORDS)).to_be_visible()
    context.close()


@pytest.mark.browser
def test_a_site_that_is_not_named_shows_no_form(browser: Browser, sites: tuple[str, str]) -> None:
    page = browser.new_page()
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.goto(sites[1])
    expect(page.frame_locator("iframe").get_by_label("Isi laporan")).to_have_count(0)
    page.close()


FILE_AS_AN_APP = """
async (hub) => {
    const drawn = await fetch(`${hub}/api/v1/devices`, { method: "POST" });
    const { key } = await drawn.json();
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", Prefer: "wait=20" };
    const body = JSON.stringify({ text: "Trotoar di Jalan Riau ambles" });
    const filed = await fetch(`${hub}/api/v1/reports`, { method: "POST", headers, body });
    const started = await fetch(`${hub}/api/v1/uploads`, {
        method: "POST",
        headers: { Authorization: headers.Authorization, "Tus-Resumable": "1.0.0", "Upload-Length": "4" },
    });
    return [filed.status, (await filed.json()).number.length, started.headers.get("Location").slice(0, 15)];
}
"""


@pytest.mark.browser
def test_an_app_in_a_browser_files_from_an_origin_that_its_account_names(
    browser: Browser, sites: tuple[str, str]
) -> None:
    page = browser.new_page()
    page.goto(sites[0])
    hub = page.evaluate("new URL(document.querySelector('script').src).origin")
    assert page.evaluate(FILE_AS_AN_APP, hub) == [201, 10, "/api/v1/uploads"]
    page.goto(sites[1])
    with pytest.raises(Error, match="Failed to fetch"):
        page.evaluate(FILE_AS_AN_APP, hub)
    page.close()

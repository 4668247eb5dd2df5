"""The pages in headless Chromium: a citizen without JavaScript, a phone that knows where it stands, and axe."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.conftest import CHANNELS
from tests.web.serving import serving
from tests.web.test_api import PNG, WORDS

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync"]  # fmt: skip # noqa: E501
MOBILE = {"width": 390, "height": 844}
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("hub"), CHANNELS.replace("rate = 20", "rate = 1000")) as url:
        yield url


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None and not os.environ.get("CI"):
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A phone without JavaScript."""
    context = browser.new_context(viewport=MOBILE, java_script_enabled=False)
    yield context.new_page()
    context.close()


def filed(page: Page, url: str, phone: str = "0812-0000-6677") -> str:
    page.goto(url)
    page.get_by_label("Cerita").fill(WORDS)
    page.get_by_label("Telepon").fill(phone)
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("heading", name="Laporan diterima")).to_be_visible()
    return page.locator("#number").inner_text().replace(" ", "")


def test_a_report_is_filed_and_opened_without_javascript(page: Page, url: str, tmp_path: Path) -> None:
    (tmp_path / "foto.png").write_bytes(PNG)
    page.goto(url)
    page.get_by_label("Cerita").fill(WORDS)
    page.get_by_label("Judul").fill("Kawat jembatan putus")
    page.get_by_label("Tempat").fill("Kampung Cikareo")
    page.get_by_label("Tanggal kejadian").fill("2026-02-27")
    page.get_by_label("Foto, video, atau dokumen").set_input_files(tmp_path / "foto.png")
    page.get_by_label("Anonim").check()
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("heading", name="Laporan diterima")).to_be_visible()
    page.get_by_role("link", name="Buka laporan saya").click()
    expect(page.get_by_role("heading", name="Kawat jembatan putus")).to_be_visible()
    expect(page.get_by_text(WORDS)).to_be_visible()


def test_a_report_is_followed_by_its_number_and_opened_by_the_phone(page: Page, url: str) -> None:
    number = filed(page, url)
    page.get_by_role("link", name="Lacak laporan").click()
    page.get_by_label("Nomor laporan").fill(f"{number[:4]} {number[4:7]} {number[7:]}")
    page.get_by_role("button", name="Lacak").click()
    expect(page.locator("li[aria-current=step]")).to_contain_text("Diterima")
    expect(page.get_by_text(WORDS)).to_have_count(0)
    page.get_by_label("Empat angka terakhir telepon").fill("6677")
    page.get_by_role("button", name="Buka isi laporan").click()
    expect(page.get_by_text(WORDS)).to_be_visible()
    assert page.url == f"{url}/lacak/{number}"


def test_errors_lead_to_their_fields_and_keep_what_was_typed(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Judul").fill("Lampu")
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("alert").first).to_contain_text("Ceritakan dulu")
    expect(page.get_by_label("Judul")).to_have_value("Lampu")
    page.get_by_role("link", name="Ceritakan dulu").click()
    assert page.url.endswith("#text")


def test_a_phone_may_say_where_it_stands(browser: Browser, url: str) -> None:
    context = browser.new_context(
        viewport=MOBILE, geolocation={"latitude": -6.914744, "longitude": 107.60981}, permissions=["geolocation"]
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Pakai lokasi saya").click()
    expect(page.get_by_role("status")).to_have_text("Lokasi Anda ikut dikirim.")
    assert page.locator("#latitude").input_value() == "-6.914744"
    context.close()


def test_files_too_large_are_told_before_they_are_sent(browser: Browser, url: str, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(bytes(6 * 1024 * 1024))
    context = browser.new_context(viewport=MOBILE)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Cerita").fill(WORDS)
    page.get_by_label("Foto, video, atau dokumen").set_input_files(tmp_path / "film.mp4")
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.locator("#files-wrong")).to_be_visible()
    expect(page.get_by_label("Cerita")).to_have_value(WORDS)
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_serious_and_nothing_overflows(browser: Browser, url: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, axe = context.new_page(), Axe()
    number = filed(page, url)
    accepted = page.url
    token = re.sub(r".*token=", "", accepted)
    lacak = f"{url}/lacak/{number}"
    wrong = f"{url}/lacak?number=12"
    for at in (
        url,
        f"{url}?lang=en",
        accepted,
        f"{url}/lacak",
        wrong,
        lacak,
        f"{lacak}?token={token}",
        f"{url}/tidak-ada",
    ):
        page.goto(at)
        found = [v for v in axe.run(page).response["violations"] if v["impact"] in SERIOUS]
        assert found == [], at
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), at
    page.goto(url)
    page.get_by_role("button", name="Kirim laporan").click()
    assert [v for v in axe.run(page).response["violations"] if v["impact"] in SERIOUS] == []
    context.close()

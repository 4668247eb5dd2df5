"""The pages in headless Chromium: with and without JavaScript, light and dark, and axe."""

from __future__ import annotations

import os
import random
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.sink.made_pictures import picture
from tests.web.conftest import CHANNELS
from tests.web.serving import serving
from tests.web.test_api import PNG, WORDS
from tests.web.test_counter import COUNTER, COUNTER_KEY

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-component-update", "--disable-sync", "--accept-lang=id"]  # fmt: skip # noqa: E501
MOBILE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("hub"), CHANNELS.replace("rate = 20", "rate = 1000") + COUNTER) as url:
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
    page.get_by_label("Isi laporan").fill(WORDS)
    page.get_by_label("Nomor telepon", exact=False).first.fill(phone)
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("heading", name="Laporan diterima")).to_be_visible()
    return page.locator(".digits#number").inner_text().replace(" ", "")


def test_a_report_is_filed_and_opened_without_javascript(page: Page, url: str, tmp_path: Path) -> None:
    (tmp_path / "foto.png").write_bytes(PNG)
    page.goto(url)
    page.get_by_label("Isi laporan").fill(WORDS)
    page.get_by_text("Tambahkan keterangan").click()
    page.get_by_label("Judul").fill("Kawat jembatan putus")
    page.get_by_label("Tempat kejadian").fill("Kampung Cikareo")
    page.get_by_label("Tanggal kejadian").fill("2026-02-27")
    page.get_by_label("Foto, video, atau dokumen").set_input_files(tmp_path / "foto.png")
    page.get_by_label("Anonim").check()
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("heading", name="Laporan diterima")).to_be_visible()
    page.get_by_role("link", name="Buka laporan saya").click()
    expect(page.get_by_role("heading", name="Kawat jembatan putus")).to_be_visible()
    expect(page.get_by_text(WORDS)).to_be_visible()


def test_whoever_goes_back_and_sends_again_files_and_adds_once(page: Page, url: str) -> None:
    number = filed(page, url)
    page.go_back()
    expect(page.get_by_label("Isi laporan")).to_have_value(WORDS)
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.locator("#number")).to_have_text(number)
    page.get_by_role("link", name="Buka laporan saya").click()
    typed = "Kawat ketiga juga putus."
    page.get_by_label("Keterangan tambahan").fill(typed)
    page.get_by_role("button", name="Kirim keterangan").click()
    expect(page.locator("#terkirim")).to_be_visible()
    page.go_back()
    expect(page.get_by_label("Keterangan tambahan")).to_have_value(typed)
    page.get_by_role("button", name="Kirim keterangan").click()
    expect(page.locator("#terkirim")).to_be_visible()
    expect(page.locator(".words li", has_text=typed)).to_have_count(1)


def test_a_report_is_followed_by_its_number_and_opened_by_the_phone(page: Page, url: str) -> None:
    number = filed(page, url)
    page.get_by_role("link", name="Lacak laporan").click()
    page.get_by_label("Nomor laporan").fill(f"{number[:4]} {number[4:7]} {number[7:]}")
    page.get_by_role("button", name="Lacak").click()
    expect(page.locator("li[aria-current=step]")).to_contain_text("Diterima")
    expect(page.get_by_text(WORDS)).to_have_count(0)
    page.get_by_label("Empat angka terakhir nomor telepon").fill("6677")
    page.get_by_role("button", name="Buka isi laporan").click()
    expect(page.get_by_text(WORDS)).to_be_visible()
    assert page.url == f"{url}/lacak/{number}"


def test_errors_lead_to_their_fields_and_keep_what_was_typed(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_text("Tambahkan keterangan").click()
    page.get_by_label("Judul").fill("Lampu")
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("alert").first).to_contain_text("Isi laporan belum diisi")
    expect(page.get_by_label("Judul")).to_have_value("Lampu")
    page.get_by_role("link", name="Isi laporan belum diisi").click()
    assert page.url.endswith("#text")


def test_a_phone_may_send_its_location(browser: Browser, url: str) -> None:
    context = browser.new_context(
        viewport=MOBILE, geolocation={"latitude": -6.914744, "longitude": 107.60981}, permissions=["geolocation"]
    )
    page = context.new_page()
    page.goto(url)
    page.get_by_role("button", name="Pakai lokasi saya").click()
    expect(page.locator("#locate-status")).to_have_text("Lokasi Anda ikut dikirim.")
    assert page.locator("#latitude").input_value() == "-6.914744"
    context.close()


def test_files_too_large_are_named_before_they_are_sent(browser: Browser, url: str, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(bytes(6 * 1024 * 1024))
    context = browser.new_context(viewport=MOBILE)
    page = context.new_page()
    page.goto(url)
    page.get_by_label("Isi laporan").fill(WORDS)
    page.get_by_label("Foto, video, atau dokumen").set_input_files(tmp_path / "film.mp4")
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.locator("#files-wrong")).to_be_visible()
    expect(page.get_by_label("Isi laporan")).to_have_value(WORDS)
    context.close()


@pytest.fixture
def modern(browser: Browser) -> Iterator[Page]:
    """A phone with JavaScript."""
    context = browser.new_context(viewport=MOBILE)
    yield context.new_page()
    context.close()


def test_photos_are_shown_made_smaller_and_may_be_taken_away(modern: Page, url: str, tmp_path: Path) -> None:
    photo = tmp_path / "foto.png"
    photo.write_bytes(large_png())
    modern.goto(url)
    modern.locator("#files").set_input_files(photo)
    expect(modern.locator("#chosen img")).to_be_visible()
    size = modern.evaluate("document.getElementById('files').files[0].size")
    assert 0 < size < photo.stat().st_size / 2
    modern.get_by_role("button", name="Hapus").click()
    assert modern.evaluate("document.getElementById('files').files.length") == 0


def test_nothing_is_lost_when_the_language_changes_or_something_is_wrong(
    modern: Page, url: str, tmp_path: Path
) -> None:
    (tmp_path / "foto.png").write_bytes(picture("PNG"))
    modern.goto(url)
    modern.locator("#files").set_input_files(tmp_path / "foto.png")
    modern.get_by_label("Tempat kejadian").fill("Kampung Cikareo")
    modern.get_by_role("button", name="Kirim laporan").click()
    expect(modern.get_by_role("alert").first).to_contain_text("Isi laporan belum diisi")
    expect(modern.locator("#text")).to_be_focused()
    modern.locator("#text").fill(WORDS)
    modern.get_by_role("button", name="Continue in English").click()
    expect(modern.get_by_role("heading", name="Tell us what is wrong")).to_be_visible()
    expect(modern.locator("#text")).to_have_value(WORDS)
    assert modern.evaluate("document.getElementById('files').files.length") == 1
    modern.get_by_role("button", name="Send report").click()
    expect(modern.get_by_role("heading", name="Report received")).to_be_visible()
    modern.get_by_role("link", name="Open my report").click()
    for _ in range(100):  # until it is checked
        if modern.locator(".chosen img").count():
            break
        modern.wait_for_timeout(100)
        modern.reload()
    expect(modern.locator(".chosen img")).to_be_visible()
    expect(modern.get_by_text("Kampung Cikareo", exact=True)).to_be_visible()


@pytest.mark.parametrize(
    ("status", "words"), [(0, "jaringan terputus"), (413, "terlalu besar"), (408, "belum terkirim")]
)
def test_nothing_is_lost_when_sending_fails(modern: Page, url: str, status: int, words: str) -> None:
    modern.goto(url)
    modern.locator("#text").fill(WORDS)
    modern.route("**/*kirim", lambda route: route.fulfill(status=status, body="") if status else route.abort())
    modern.get_by_role("button", name="Kirim laporan").click()
    expect(modern.locator("#send-status")).to_contain_text(words)
    expect(modern.locator("#text")).to_have_value(WORDS)
    modern.unroute_all()
    modern.get_by_role("button", name="Kirim laporan").click()
    expect(modern.get_by_role("heading", name="Laporan diterima")).to_be_visible()


def test_the_reporter_adds_details(page: Page, url: str) -> None:
    filed(page, url)
    page.get_by_role("link", name="Buka laporan saya").click()
    page.get_by_role("button", name="Kirim keterangan").click()
    expect(page.get_by_label("Keterangan tambahan")).to_be_focused()
    page.get_by_label("Keterangan tambahan").fill("Kawat ketiga juga putus")
    page.get_by_role("button", name="Kirim keterangan").click()
    expect(page.get_by_text("Keterangan Anda sudah kami terima.")).to_be_in_viewport()
    expect(page.get_by_text("Kawat ketiga juga putus")).to_be_visible()


def test_photos_that_are_added_are_made_smaller(modern: Page, url: str, tmp_path: Path) -> None:
    filed(modern, url)
    modern.get_by_role("link", name="Buka laporan saya").click()
    photo = tmp_path / "foto.png"
    photo.write_bytes(large_png())
    modern.get_by_role("button", name="Kirim keterangan").click()
    expect(modern.get_by_label("Keterangan tambahan")).to_be_focused()
    assert Axe().run(modern).response["violations"] == []
    modern.locator("#files").set_input_files(photo)
    modern.get_by_role("button", name="Kirim keterangan").click()
    expect(modern.get_by_text(re.compile("foto.jpg · "))).to_be_visible()
    assert Axe().run(modern).response["violations"] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_axe_finds_nothing_and_nothing_overflows(
    browser: Browser, url: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page, axe = context.new_page(), Axe()
    number = filed(page, url)
    accepted = page.url
    token = re.sub(r".*token=", "", accepted)
    report = f"{url}/lacak/{number}"
    mistyped = f"{url}/lacak?number=12"
    own = f"{report}?token={token}"
    for at in (url, f"{url}?lang=en", accepted, f"{url}/lacak", mistyped, report, own, f"{url}/tidak-ada"):
        page.goto(at)
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        assert axe.run(page).response["violations"] == [], at
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), at
        assert page.evaluate("[...document.querySelectorAll('.digits')].every((e) => e.scrollWidth <= e.clientWidth)")
    page.goto(url)
    page.get_by_role("button", name="Kirim laporan").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    assert axe.run(page).response["violations"] == []
    context.close()


def test_words_without_a_blank_do_not_widen_the_page(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("Isi laporan").fill("w" * 400)
    page.get_by_text("Tambahkan keterangan").click()
    page.get_by_label("Judul").fill("J" * 190)
    page.get_by_label("Tempat kejadian").fill("W" * 190)
    page.get_by_role("button", name="Kirim laporan").click()
    page.get_by_role("link", name="Buka laporan saya").click()
    expect(page.get_by_text("Tempat kejadian")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_staff_enter_a_visit_without_our_scripts_and_axe_finds_nothing(browser: Browser, url: str) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 844}, color_scheme="dark", locale="id-ID")
    page, axe = context.new_page(), Axe()
    page.route("**/*.js*", lambda route: route.abort())

    def clean() -> None:
        assert axe.run(page).response["violations"] == [], page.url
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

    page.goto(f"{url}/loket")
    clean()
    page.get_by_label("Nama petugas").fill("IbuLestari" * 9)
    page.get_by_label("Kunci loket").fill(COUNTER_KEY)
    page.keyboard.press("Enter")
    page.get_by_label("Kunjungan").check()
    page.get_by_role("button", name="Simpan laporan").click()
    expect(page.get_by_label("Isi laporan")).to_be_focused()
    clean()
    expect(page.get_by_label("Kunjungan")).to_be_checked()
    page.get_by_label("Isi laporan").fill(WORDS)
    page.get_by_role("button", name="Simpan laporan").click()
    number = "".join(page.locator("#number").inner_text().split())
    clean()
    page.get_by_role("link", name="Laporan berikutnya").click()
    expect(page.locator(f"a[href='/lacak/{number}']")).to_be_visible()
    page.get_by_label("Isi laporan").fill("Pohon tumbang di Jalan Riau.")
    page.get_by_role("button", name="Simpan laporan").click()
    page.go_back()
    expect(page.get_by_label("Isi laporan")).to_have_value("")  # half of it, sent again, would be another report
    page.get_by_role("button", name="Keluar").click()
    expect(page.get_by_label("Kunci loket")).to_be_visible()
    context.close()


def large_png() -> bytes:
    """Noise of 1,800 x 600 points, which compresses badly."""
    width, height, noise = 1800, 600, random.Random(1)
    rows = b"".join(b"\0" + noise.randbytes(width * 3) for _ in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")

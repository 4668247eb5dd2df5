"""Findings of a walk through the pages, as far as the pages alone show them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from hub.web.api.problems import Problem
from hub.web.citizen.dates import format_size
from hub.web.submissions import PATIENCE, Submission, read_submission
from tests.bus import virtual
from tests.sink.made import message, raw, routed
from tests.sink.made import persist as store
from tests.sink.made_pictures import picture
from tests.web.conftest import Site
from tests.web.test_api import PNG, WORDS, multipart
from tests.web.test_pages import SAME_SITE

PHOTO = PNG + bytes(1_000_000)


def slow_request(parts: Iterator[bytes], seconds: float) -> Request:
    """A form of which a part arrives each `seconds`; after the last one nothing comes any more."""
    _, headers = multipart()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(seconds)
        part = next(parts, None)
        if part is None:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": part, "more_body": not (part or b"").endswith(b"--batas--\r\n")}

    scope = {"type": "http", "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}
    return Request(scope, receive)


def cut(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size))


def read(request: Request) -> tuple[Submission, float]:
    async def main() -> tuple[Submission, float]:
        return await read_submission(request), virtual.now()

    return virtual.run(main())


def test_b3_a_megabyte_at_20_kb_a_second_is_taken() -> None:
    body, _ = multipart(("text", WORDS), ("files", ("foto.png", PHOTO)))
    submission, seconds = read(slow_request(cut(body, 20_000), 1.0))
    assert (submission.values["text"], submission.files[0].body) == (WORDS, PHOTO)
    assert seconds > PATIENCE


@pytest.mark.parametrize("bytes_a_second", [0, 2_000])
def test_b3_a_sender_who_stands_still_or_nearly_so_is_told_that_it_took_too_long(bytes_a_second: int) -> None:
    body, _ = multipart(("text", WORDS), ("files", ("foto.png", PHOTO)))
    with pytest.raises(Problem) as slow:
        read(slow_request(cut(body, bytes_a_second) if bytes_a_second else iter([body[:10]]), 1.0))
    assert (slow.value.status, slow.value.key) == (408, "too_slow")


async def test_b4_photo_place_and_date_are_shown_back(site: Site) -> None:
    body, kind = multipart(
        ("text", WORDS), ("place", "Kampung Cikareo, Kota Bandung"), ("incident_date", "2026-02-27"),
        ("files", ("foto.jpg", picture())),
    )  # fmt: skip
    sent = await site.call("POST", "/", body, {**kind, **SAME_SITE})
    accepted = (await site.call("GET", sent.headers["location"])).text
    at = re.search(r'href="(/lacak/\d+\?token=\w+)"', accepted)
    assert at
    page = (await site.call("GET", at[1])).text
    shown = dict(re.findall(r"<dt>(.+?)</dt><dd>(.+?)</dd>", page))
    assert shown["Tempat kejadian"] == "Kampung Cikareo, Kota Bandung"
    assert shown["Tanggal kejadian"] == "27 Februari 2026"
    assert re.search(r"foto\.jpg · \d+ kB", page)
    assert "Kampung Cikareo" not in (await site.call("GET", at[1].partition("?")[0])).text


async def test_h10_the_page_after_the_form_says_that_a_report_was_joined(quiet: Site) -> None:
    record = quiet.opened.storage.record
    store(record, routed(message(1)))
    store(record, routed(message(2, conversation="web-2"), "added", message(1)))
    page = await quiet.call("GET", f"/diterima/{raw(2)}?token={record.vault.token(raw(2))}")
    assert "<h1>Laporan digabungkan</h1>" in page.text
    assert "sama dengan laporan yang sudah tercatat" in page.text
    assert "Laporan diterima" not in page.text


@pytest.mark.parametrize(
    ("size", "written"),
    [(1, "1 kB"), (48 * 1024, "48 kB"), (2**20, "1,0 MB"), (1_600_000, "1,5 MB")],
)
def test_a_size_is_written_as_people_read_it(size: int, written: str) -> None:
    assert format_size(size, "id") == written
    assert format_size(size, "en") == written.replace(",", ".")

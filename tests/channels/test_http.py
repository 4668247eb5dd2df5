"""Requests to providers: what their answers and faults become."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import aclosing
from datetime import UTC, datetime

import pytest

from connectors import ErrorMeaning, Http, HttpRequest, HttpResponse, channel_type, kinds
from connectors._http import parse_retry_after, scheme_and_host
from schemas import AccountFault, Held, Reject, Retry, Unanswered
from tests.fakes.server import Fault, Server, answer

NOON = datetime(2025, 8, 17, 12, 0, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _: answer(200, "x" * 1000)) as server:
        yield server


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        ("Sun, 17 Aug 2025 12:01:30 GMT", 90),
        ("Sun, 17 Aug 2025 11:00:00 GMT", 0),
        ("999999999", 24 * 3600),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after_is_honoured_in_both_its_forms(value: str, seconds: float | None):
    assert parse_retry_after(HttpResponse(429, {"retry-after": value}, b""), NOON) == seconds


async def test_a_body_over_the_limit_is_refused(server: Server):
    async with Http() as http:
        assert len((await http.send(HttpRequest(server.url, limit=1000))).body) == 1000
        with pytest.raises(Reject, match="larger than 999 bytes"):
            await http.send(HttpRequest(server.url, limit=999))


@pytest.mark.parametrize("fault", [Fault.TRICKLE, Fault.HANG])
async def test_the_total_time_is_enforced_however_slowly_the_answer_comes(server: Server, fault: Fault):
    server.then(fault)
    began = time.monotonic()
    async with Http(total=0.3) as http:
        with pytest.raises(Unanswered):
            await http.send(HttpRequest(server.url, limit=100_000_000))
    assert 0.25 < time.monotonic() - began < 30  # neither ends by itself


async def test_a_request_may_take_a_time_of_its_own(server: Server):
    server.then(Fault.HANG)
    async with Http(total=60) as http:
        with pytest.raises(Unanswered):
            await asyncio.wait_for(http.send(HttpRequest(server.url, timeout=0.1)), 10)


async def test_many_that_hang_do_not_keep_others_waiting(server: Server):
    server.then(*[Fault.HANG] * 150)
    async with Http(total=60) as http:
        hanging = [asyncio.create_task(http.send(HttpRequest(server.url))) for _ in range(150)]
        while len(server.received) < 150:
            await asyncio.sleep(0.01)
        assert (await asyncio.wait_for(http.send(HttpRequest(server.url)), 10)).status == 200
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)


async def test_a_request_for_lines_without_an_answer_ends(server: Server):
    server.then(Fault.HANG)
    async with Http() as http, aclosing(http.lines(HttpRequest(server.url), 0.1)) as lines:
        with pytest.raises(Retry):
            await asyncio.wait_for(anext(lines), 10)


@pytest.mark.parametrize("times", [{"connect": 0.2}, {"total": 0.2}], ids=["connect", "total"])
async def test_a_connection_that_nobody_accepts_did_not_arrive(times: dict[str, float]):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        queue = [socket.socket() for _ in range(4)]
        for one in queue:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        async with Http(**times) as http:
            with pytest.raises(Retry) as caught:
                await http.send(HttpRequest(f"http://127.0.0.1:{full.getsockname()[1]}"))
        for one in queue:
            one.close()
    assert type(caught.value) is Retry


@pytest.mark.parametrize("url", ["http://no-such-host.invalid/", "https://127.0.0.1:{port}/"], ids=["name", "tls"])
async def test_without_a_name_or_tls_it_did_not_arrive(server: Server, url: str):
    async with Http() as http:
        with pytest.raises(Retry) as caught:
            await http.send(HttpRequest(url.format(port=server.url.rpartition(":")[2])))
    assert type(caught.value) is Retry


async def test_a_short_message_is_never_sent_twice_over_a_kept_connection(server: Server):
    """aiohttp repeats a GET by itself where a kept connection breaks; Kannel's sendsms is one."""
    async with Http() as http:
        await http.send(HttpRequest(server.url))
        server.then(Fault.DROP)
        with pytest.raises(Unanswered):
            await http.send(HttpRequest(server.url))
    assert len(server.received) == 2


async def test_the_channels_own_table_comes_first(server: Server):
    server.then(answer(500, "odd"))
    async with Http() as http:
        with pytest.raises(Retry, match="odd is fine") as caught:
            await http.send(
                HttpRequest(server.url, judge=lambda r: ErrorMeaning("retry", f"{r.body.decode()} is fine"))
            )
    assert (type(caught.value), caught.value.limit) == (Retry, None)


@pytest.mark.parametrize("url", ["", "nowhere", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:99999999/"])
async def test_an_address_that_is_none_is_a_fault_of_the_account(url: str):
    async with Http() as http:
        with pytest.raises(AccountFault, match="unusable_settings"):
            await http.send(HttpRequest(url))


async def test_a_secret_with_a_line_break_is_a_fault_of_the_account(server: Server):
    async with Http() as http:
        with pytest.raises(AccountFault, match="unusable_settings") as caught:
            await http.send(HttpRequest(server.url, headers={"Authorization": "Bearer rahasia\n"}))
    assert "rahasia" not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"
    assert server.received == []


async def test_no_cookie_is_carried_from_one_account_to_the_next(server: Server):
    server.then(answer(200, "", set_cookie="sesi=1; Path=/"))
    async with Http() as http:
        await http.send(HttpRequest(server.url))
        await http.send(HttpRequest(server.url))
    assert [received.headers.get("cookie") for received in server.received] == [None, None]


async def test_neither_netrc_nor_proxies_of_the_environment_are_used(server: Server, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login orang password lain")
    netrc.chmod(0o600)
    for name, value in (("NETRC", str(netrc)), ("http_proxy", "http://127.0.0.1:1"), ("no_proxy", "")):
        monkeypatch.setitem(os.environ, name, value)
    async with Http() as http:
        await http.send(HttpRequest(server.url))
    assert "authorization" not in server.received[0].headers


async def test_an_answer_is_not_decompressed(server: Server):
    server.then(answer(200, b"\x1f\x8bbomb", content_encoding="gzip"))
    async with Http() as http:
        assert (await http.send(HttpRequest(server.url))).body == b"\x1f\x8bbomb"
    assert server.received[0].headers["accept-encoding"] == "identity"


def test_a_request_shows_nothing_of_itself():
    assert "sandi" not in repr(HttpRequest("http://h/?password=sandi", headers={"a": "sandi"}, json="sandi"))


@pytest.mark.parametrize("url", ["http://a@b/", "https://", "", "http://b:x/", r"http://evil.example\@b/"])
def test_an_address_without_a_plain_host_has_none(url: str):
    with pytest.raises(ValueError, match=r"."):
        scheme_and_host(url)


@pytest.mark.parametrize("url", ["http://b#@evil.example/", "http://b/@evil.example", "http://b?@evil.example"])
def test_the_host_ends_where_the_path_begins(url: str):
    assert scheme_and_host(url) == ("http", "b")


def test_a_kind_is_the_name_of_its_file():
    assert {kind: channel_type(kind).kind for kind in kinds()} == {kind: kind for kind in kinds()}


def test_an_unknown_kind_hears_which_there_are():
    with pytest.raises(ValueError, match=r"there are .*file, "):
        channel_type("faks")


def test_a_registered_channel_is_found_and_not_listed():
    from tests.channels.made_up import Kiosk

    assert channel_type("kiosk") is Kiosk
    assert "kiosk" not in kinds()


@pytest.mark.parametrize(("after", "tries"), [(None, 96), (900.0, 96), (10.0, 8640), (86400.0, 1)])
def test_a_reply_that_is_held_waits_a_day_at_most(after: float | None, tries: int):
    held = ErrorMeaning("hold", "template_paused", "Meta has paused it", after).error()
    assert (type(held), held.limit, str(held)) == (Held, tries, "template_paused: Meta has paused it")

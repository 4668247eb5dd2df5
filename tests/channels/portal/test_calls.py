"""Each way to log in, each way to page, and where files may lie."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors import HttpResponse, ProviderConnections, Secret
from connectors._http import require_host
from connectors.portal import Portal
from schemas import AccountFault, Attachment, Reject
from tests.channels.portal.accounts import account, items, sweep
from tests.channels.recording import channel
from tests.fakes.server import Received, Server, answer

STREAM = """
[streams.a]
path = "/a"
items = "data"
{more}
[streams.a.message]
id = "id"
text = "isi"
"""
ROWS = [{"id": f"{n:02}", "isi": f"Lampu mati {n}", "at": f"2026-11-10 08:00:{n // 3:02}"} for n in range(25)]
PAIR = b64encode(b"u:p").decode()


def portal_of(folder: Path, url: str, auth: str = "", more: str = "") -> Portal:
    manifest = folder / "m.toml"
    manifest.write_text(f'name = "p"\nurl = "https://p.example.go.id"\n{auth}\n{STREAM.replace("{more}", more)}')
    return account(url, str(manifest), secrets={"u": Secret("u"), "p": Secret("p")})


def guarded(allowed: Callable[[Received], bool], login: HttpResponse) -> Callable[[Received], HttpResponse]:
    def respond(received: Received) -> HttpResponse:
        if received.path == "/masuk":
            return login
        return answer(200, {"data": ROWS}) if allowed(received) else answer(401, "")

    return respond


def has(name: str, value: str) -> Callable[[Received], bool]:
    return lambda received: received.headers.get(name) == value


OAUTH = '[auth]\ntype = "oauth2"\npath = "/masuk"\nusername = "{u}"\npassword = "{p}"\nvalue = "Bearer {token}"'
FORM = '[auth]\ntype = "login"\npath = "/masuk"\nform = { user = "{u}", kata = "{p}" }\ntoken = ""'


@pytest.mark.parametrize(
    ("auth", "allowed", "login"),
    [
        ('[auth]\ntype = "key"\nheader = "X-Api-Key"\nvalue = "{p}"', has("x-api-key", "p"), answer(404)),
        (
            '[auth]\ntype = "key"\nparameter = "kunci"\nvalue = "{p}"',
            lambda r: r.params.get("kunci") == "p",
            answer(404),
        ),
        (
            '[auth]\ntype = "basic"\nusername = "{u}"\npassword = "{p}"',
            has("authorization", f"Basic {PAIR}"),
            answer(404),
        ),
        (OAUTH, has("authorization", "Bearer t1"), answer(200, {"access_token": "t1"})),
        (FORM, has("cookie", "sesi=abc"), answer(302, "", location="/", set_cookie="sesi=abc; HttpOnly; Path=/")),
    ],
    ids=["key", "parameter", "basic", "oauth2", "form"],
)
async def test_each_way_to_log_in(
    auth: str, allowed: Any, login: HttpResponse, tmp_path: Path, outbound: ProviderConnections
) -> None:
    with Server(guarded(allowed, login)) as server:
        door = portal_of(tmp_path, server.url, auth)
        assert len((await door.poll(None, outbound)).requests) == len(ROWS)
        for sent in (r for r in server.received if r.path == "/masuk" and auth == OAUTH):
            assert (sent.headers["authorization"], sent.body) == (f"Basic {PAIR}", b"grant_type=client_credentials")


def test_a_secret_that_is_missing_is_named(tmp_path: Path) -> None:
    door = portal_of(tmp_path, "", '[auth]\ntype = "key"\nvalue = "{api_key}"')
    assert door.missing_setting == "secrets.api_key"


def paged(received: Received) -> HttpResponse:
    """By page of 10, by cursor, by link, or by (time, id)."""
    params = received.params
    if "sejak" in params:
        key = (params["sejak"], params.get("id", ""))
        rows = [row for row in ROWS if (row["at"], row["id"]) > key]
        return answer(200, {"data": rows[:10]})
    first = (int(params["halaman"]) - 1) * 10 if "halaman" in params else int(params.get("kursor", 0))
    following = first + 10 if first + 10 < len(ROWS) else None
    link = f"/a?kursor={following}" if following else None
    return answer(200, {"data": ROWS[first : first + 10], "next": following, "link": link})


KEYSET = """
[streams.a.paging]
type = "keyset"
size = 10
[streams.a.watermark]
field = "at"
parameter = "sejak"
id_parameter = "id"
format = "%Y-%m-%d %H:%M:%S"
"""


@pytest.mark.parametrize(
    "more",
    ['[streams.a.paging]\ntype = "page"\nparameter = "halaman"',
     '[streams.a.paging]\ntype = "cursor"\nparameter = "kursor"\nnext = "next"',
     '[streams.a.paging]\ntype = "link"\nnext = "link"', KEYSET],
    ids=["page", "cursor", "link", "keyset"],
)  # fmt: skip
async def test_each_way_to_page(more: str, tmp_path: Path, outbound: ProviderConnections) -> None:
    with Server(paged) as server:
        door = portal_of(tmp_path, server.url, more=more)
        found, cursor = await sweep(door, None, outbound)
        assert sorted(item.text for item in items(door, found)) == sorted(row["isi"] for row in ROWS)
        again, _ = await sweep(door, cursor, outbound)
        assert again == []


async def test_a_last_page_that_is_repeated_for_ever_ends_the_sweep(
    tmp_path: Path, outbound: ProviderConnections
) -> None:
    def respond(received: Received) -> HttpResponse:
        page = min(int(received.params["page"]), 3) - 1
        return answer(200, {"data": ROWS[page * 10 : page * 10 + 10]})

    with Server(respond) as server:
        door = portal_of(tmp_path, server.url, more='[streams.a.paging]\ntype = "page"')
        found, _ = await sweep(door, None, outbound)
        assert len(found) == len(ROWS)


async def test_a_page_of_new_rows_at_the_front_does_not_end_the_sweep(
    tmp_path: Path, outbound: ProviderConnections
) -> None:
    """The second page is then the first one again."""
    old = [{"id": f"o{n}", "isi": f"Lampu mati {n}", "at": "2026-11-19 08:00:00"} for n in range(25)]
    new = [{"id": f"n{n}", "isi": f"Jalan rusak {n}", "at": "2026-11-19 09:00:00"} for n in range(10)]
    calls: list[int] = []

    def respond(received: Received) -> HttpResponse:
        calls.append(int(received.params["page"]))
        rows = old if len(calls) == 1 else new + old
        return answer(200, {"data": rows[calls[-1] * 10 - 10 : calls[-1] * 10]})

    with Server(respond) as server:
        door = portal_of(tmp_path, server.url, more='[streams.a.paging]\ntype = "page"')
        found, _ = await sweep(door, None, outbound)
    assert calls[:6] == [1, 2, 3, 4, 5, 1]
    assert {item.text for item in items(door, found)} == {row["isi"] for row in old + new}


async def test_a_link_to_another_host_gets_no_secret(tmp_path: Path, outbound: ProviderConnections) -> None:
    body = {"data": ROWS[:2], "link": "https://elsewhere.example/a"}
    with Server(lambda _: answer(200, body)) as server:
        door = portal_of(tmp_path, server.url, more='[streams.a.paging]\ntype = "link"\nnext = "link"')
        first = await door.poll(None, outbound)
        with pytest.raises((Reject, AccountFault)) as fault:
            await door.poll(first.cursor, outbound)
        assert fault.value.code == "elsewhere"


async def test_files_lie_with_the_portal_or_at_a_named_host(tmp_path: Path, outbound: ProviderConnections) -> None:
    with Server(lambda r: answer(200, r.headers.get("x-api-key", "none"))) as server:
        auth = '[auth]\ntype = "key"\nheader = "X-Api-Key"\nvalue = "{p}"'
        door = portal_of(tmp_path, server.url, auth)
        assert (await door.fetch(Attachment(url="/f/1.jpg"), outbound)).body == b"p"
        for elsewhere in (
            "http://169.254.169.254/latest",
            "http://localhost:1/x",
            "file:///etc/passwd",
            "http://10.0.0.1/",
        ):
            with pytest.raises(Reject):
                await door.fetch(Attachment(url=elsewhere), outbound)


@pytest.mark.parametrize("kind", ["database", "portal"])
async def test_a_file_that_its_own_server_refuses_is_refused_alone(kind: str, outbound: ProviderConnections) -> None:
    with Server(lambda _: answer(403)) as server:
        hosts = (server.url.removeprefix("http://"),)
        where = {"files_url": f"{server.url}/"} if kind == "database" else {"url": "http://portal.example.go.id"}
        door = channel(kind, file_hosts=hosts, **where)
        with pytest.raises(Reject, match="file_refused"):
            await door.fetch(Attachment(url=f"{server.url}/1.jpg"), outbound)


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://10.0.0.5/a.jpg", True), ("https://10.0.0.5:443/a.jpg", True), ("https://10.0.0.5:9200/", False),
        ("http://10.0.0.5/a.jpg", False), ("https://berkas.example.go.id/a.jpg", True),
        ("https://berkas.example.go.id:8443/a.jpg", True), ("https://foto.example.go.id:8443/a.jpg", True),
        ("https://foto.example.go.id/a.jpg", False), ("https://169.254.169.254/", False),
        ("https://10.0.0.5@evil.example/", False),
    ],
)  # fmt: skip
def test_a_file_comes_from_hosts_and_ports_that_the_settings_name(url: str, taken: bool) -> None:
    """Also in a private network, where a region's portal often stands; its machine's other ports may be anything."""
    hosts = ("berkas.example.go.id", "foto.example.go.id:8443")
    with nullcontext() if taken else pytest.raises(Reject):
        require_host(url, "https://10.0.0.5/api", hosts)


@pytest.mark.parametrize(("url", "path"), [("/f/1.jpg", "/f/1.jpg"), ("f/1.jpg", "/api/v1/f/1.jpg")])
async def test_a_files_address_is_read_as_a_browser_reads_it(
    url: str, path: str, tmp_path: Path, outbound: ProviderConnections
) -> None:
    with Server(lambda _: answer(200, "foto")) as server:
        await portal_of(tmp_path, f"{server.url}/api/v1").fetch(Attachment(url=url), outbound)
        assert server.received[0].path == path


async def test_a_row_from_the_future_does_not_move_the_watermark(tmp_path: Path, outbound: ProviderConnections) -> None:
    rows = [ROWS[0], {"id": "x", "isi": "Salah jam", "at": "2099-01-01 00:00:00"}]
    with Server(lambda _: answer(200, {"data": rows})) as server:
        mark = '[streams.a.watermark]\nfield = "at"\nparameter = "sejak"\noverlap = "0s"'
        door = portal_of(tmp_path, server.url, more=mark)
        _, cursor = await sweep(door, None, outbound)
        await sweep(door, cursor, outbound)
        assert datetime.fromisoformat(server.received[-1].params["sejak"]).year == 2026

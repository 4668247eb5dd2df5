"""Addresses that came from outside lead into no private network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors import Http, HttpRequest
from connectors._http_addresses import PublicResolver, is_public, require_public
from schemas import Reject, Retry
from tests.fakes.server import Server, answer


class Names(AbstractResolver):
    """A DNS that answers differently each time it is asked."""

    def __init__(self, *answers: tuple[str, ...]) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked += 1
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.answers.pop(0)
        ]

    async def close(self) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda _: answer(200, "rahasia")) as server:
        yield server


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("103.28.0.1", True), ("2404:6800:4003::1", True), ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True), ("2002:808:808::1", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False), ("255.255.255.255", False),
        ("240.0.0.1", False), ("::1", False), ("::", False), ("fe80::1", False), ("fd00::1", False), ("ff02::1", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::10.0.0.1", False), ("64:ff9b:1::a00:1", False),
        ("2002:a00:1::1", False), ("::127.0.0.1", False),
    ],
)  # fmt: skip
def test_only_addresses_of_the_internet_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize("host", ["[::1]", "fe80::1%eth0", "127.0.0.1"])
def test_an_address_in_place_of_a_name_is_checked(host: str) -> None:
    with pytest.raises(Reject, match="private network"):
        require_public(host)


async def test_every_address_of_a_name_is_checked() -> None:
    resolver = PublicResolver(Names(("8.8.8.8", "10.0.0.1"), ("8.8.8.8", "9.9.9.9")))
    with pytest.raises(Reject, match="private network"):
        await resolver.resolve("berkas.example")
    assert [one["host"] for one in await resolver.resolve("berkas.example")] == ["8.8.8.8", "9.9.9.9"]


async def test_a_file_in_a_private_network_is_refused_before_anything_is_sent(server: Server) -> None:
    port = server.url.rpartition(":")[2]
    async with Http() as http:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            with pytest.raises(Reject, match="private network"):
                await http.send(HttpRequest(f"http://{host}:{port}/", public=True))
        assert server.received == []
        assert (await http.send(HttpRequest(server.url))).body == b"rahasia"


async def test_the_connection_goes_to_the_address_that_was_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is checked, and private a moment later."""
    names = Names(("203.0.113.9",), ("127.0.0.1",))
    monkeypatch.setattr("connectors._http_addresses.is_public", lambda address: str(address) == "203.0.113.9")
    monkeypatch.setattr("connectors._http_addresses.ThreadedResolver", lambda: names)
    port = server.url.rpartition(":")[2]
    async with Http(connect=0.3, total=0.5) as http:
        with pytest.raises(Retry):
            await http.send(HttpRequest(f"http://berkas.example:{port}/", public=True))
    assert (names.asked, server.received) == (1, [])


async def test_a_redirect_into_a_private_network_is_not_followed(server: Server) -> None:
    with Server(lambda _: answer(302, Location=server.url)) as elsewhere:
        async with Http() as http:
            with pytest.raises(Reject, match="redirect"):
                await http.send(HttpRequest(elsewhere.url))
    assert server.received == []

"""Whose request it is: headers count only where a named proxy wrote them."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from hub.web.client_address import client_address, wider_networks

PROXIES = (ip_network("10.0.0.5/32"), ip_network("172.16.0.0/12"))


def scope(connection: str, *forwarded: str) -> dict[str, Any]:
    return {"client": (connection, 1), "headers": [(b"x-forwarded-for", words.encode()) for words in forwarded]}


@pytest.mark.parametrize(
    ("connection", "forwarded", "address"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),
        ("10.0.0.5", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6, 198.51.100.1, 172.16.3.4",), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.5", ("6.6.6.6, 198.51.100.1", "172.16.3.4"), "198.51.100.1"),
        ("10.0.0.5", ("198.51.100.1", "172.16.3.4", "172.16.3.5"), "198.51.100.1"),
        ("10.0.0.5", ("198.51.100.1", ""), "10.0.0.5"),
        ("10.0.0.5", ("64:ff9b::198.51.100.1",), "198.51.100.1"),
        ("10.0.0.5", ("fe80::1%eth0",), "fe80::/64"),
        ("10.0.0.5", ("198.51.100.1:40000",), "198.51.100.1"),
        ("10.0.0.5", ("[2001:db8::1]:40000",), "2001:db8::/64"),
        ("10.0.0.5", ("unknown",), "10.0.0.5"),
        ("10.0.0.5", (), "10.0.0.5"),
        ("::ffff:10.0.0.5", ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8:1:2:3::4", (), "2001:db8:1:2::/64"),
        ("unix socket", ("198.51.100.1",), "unix socket"),
    ],
)
def test_the_address_is_the_last_one_that_no_named_proxy_has(
    connection: str, forwarded: tuple[str, ...], address: str
) -> None:
    assert client_address(scope(connection, *forwarded), PROXIES) == address


def test_without_named_proxies_no_header_counts() -> None:
    assert client_address(scope("10.0.0.5", "198.51.100.1"), ()) == "10.0.0.5"


def test_an_ipv6_network_stands_in_wider_ones() -> None:
    assert wider_networks("2001:db8:1:203::/64") == ["2001:db8:1:200::/56", "2001:db8:1::/48"]
    assert wider_networks("203.0.113.7") == []

"""The address that a request comes from: the connection's own, unless a named proxy forwards another."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 citizens as a data centre of IPv6 alone sees them (RFC 6052)."""


def client_address(scope: Mapping[str, Any], proxies: Sequence[Network]) -> str:
    """The last address on the request's way that is no named proxy: an IPv4 address, or an IPv6 network of 64 bits.

    `X-Forwarded-For` is read from its end, and only as far as named proxies wrote it; each proxy may have added a line.
    """
    connection = str((scope.get("client") or ("", 0))[0])
    address = _parse(connection)
    if address is None:
        return connection
    if proxies and _is_proxy(address, proxies):
        lines = (value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for")
        address = _forwarded(address, ",".join(lines), proxies)
    return _written(address)


def connection_address(host: str, proxies: Sequence[Network]) -> str | None:
    """The address that a connection counts for, before it has sent anything; None: a named proxy's."""
    address = _parse(host)
    if address is None:
        return host
    return None if _is_proxy(address, proxies) else _written(address)


def wider_networks(address: str) -> list[str]:
    """The /56 and the /48 around an IPv6 network, which one customer may have whole; none around an IPv4 address."""
    if ":" not in address:
        return []
    network = ipaddress.ip_network(address)
    return [str(network.supernet(new_prefix=bits)) for bits in (56, 48)]


def _forwarded(address: _Address, forwarded: str, proxies: Sequence[Network]) -> _Address:
    for word in reversed(forwarded.split(",")):
        hop = _parse(word.strip())
        if hop is None:
            return address
        address = hop
        if not _is_proxy(address, proxies):
            return address
    return address


def _written(address: _Address) -> str:
    return str(address) if address.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


@lru_cache(4096)
def _parse(word: str) -> _Address | None:
    """IPv4 also where it is written inside IPv6, with a port, or in brackets."""
    if word.startswith("["):
        word = word[1:].partition("]")[0]
    elif word.count(":") == 1:
        word = word.partition(":")[0]
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return None
    return _inner_ipv4(address) if isinstance(address, ipaddress.IPv6Address) else address


def _inner_ipv4(address: ipaddress.IPv6Address) -> _Address:
    """The IPv4 address that a translator wrote as an IPv6 one, else the address itself: citizens of all networks would
    share one /64."""
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address


def _is_proxy(address: _Address, proxies: Sequence[Network]) -> bool:
    return any(address in network for network in proxies if network.version == address.version)

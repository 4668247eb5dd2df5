"""Addresses that came from outside lead into no private network.

Every address that the host resolves to is checked, and the connection goes to an address that was checked: a name
that resolves to another one a moment later changes nothing. Redirects are not followed by anything here.
"""

from __future__ import annotations

import ipaddress
import socket

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from schemas import Reject

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PublicResolver(AbstractResolver):
    """As the system resolves, but a host with an address that is not public is refused whole."""

    def __init__(self, system: AbstractResolver | None = None) -> None:
        self._system = system or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises Reject, and OSError where there is no such name."""
        found = await self._system.resolve(host, port, family)
        for one in found:
            require_public(one["host"])
        return found

    async def close(self) -> None:
        """Nothing is open."""
        await self._system.close()


def require_public(host: str) -> None:
    """Raises Reject where this is an address, and no public one. A name is no address: it is checked as resolved."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return
    if not is_public(address):
        raise Reject("file_elsewhere", "the file lies in a private network: see file_hosts")


def is_public(address: Address) -> bool:
    """`is_global` alone says so of multicast and NAT64 too."""
    if isinstance(address, ipaddress.IPv6Address) and (inner := _inner(address)) is not None:
        return is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address to which a packet for this one goes in the end."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour

"""How often somebody may ask: one bucket a caller, refilled with time. Kept in memory, the longest unused forgotten."""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

KNOWN_CALLERS = 20_000


class Bucket:
    """Gives each caller `most` turns, and one more every `every` seconds."""

    def __init__(self, most: int, every: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._every = every
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, caller: str) -> float:
        """Seconds until the caller has a turn; 0 now. Takes none."""
        return max(0.0, (1.0 - self._now(caller)) * self._every)

    def take(self, caller: str) -> float:
        """Take a turn and return 0, or the seconds to wait."""
        waiting = self.wait(caller)
        if not waiting:
            self._left[caller] = (self._now(caller) - 1.0, self._clock())
            self._left.move_to_end(caller)
            if len(self._left) > KNOWN_CALLERS:
                self._left.popitem(last=False)
        return waiting

    def give_back(self, caller: str) -> None:
        """The turn taken last was no misuse."""
        left, at = self._left.get(caller, (float(self._most), self._clock()))
        self._left[caller] = (left + 1.0, at)

    def _now(self, caller: str) -> float:
        left, at = self._left.get(caller, (float(self._most), 0.0))
        return min(float(self._most), left + (self._clock() - at) / self._every)


def caller_of(scope: Mapping[str, Any]) -> str:
    """The address that the connection comes from, never one that a header tells; of IPv6 the network of 64 bits."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped:
        return str(getattr(address, "ipv4_mapped", None) or address)
    return str(ipaddress.ip_network((address, 64), strict=False))

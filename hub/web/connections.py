"""How many connections may be open at the same moment: in all, and from one address."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Protocol

from hub.web.client_address import Network, connection_address

FOUND = 64
"""Idle connections that one look at all of them finds."""
REST = 0.05
"""Seconds without another look after one that found none."""


class Connection(Protocol):
    """A connection, as far as it is counted."""

    client: tuple[str, int] | None
    began: float
    """When its newest request began."""

    @property
    def is_idle(self) -> bool:
        """No request is at work."""

    def abort(self) -> None:
        """Close it at once."""


class OpenConnections:
    """The open connections of one address, or of all. The idle ones are looked for by many at a time: over its limit a
    flood of connections would else be a look at all of them for each."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self._found: list[tuple[float, Connection]] = []
        self._look_at = float("-inf")

    def take_oldest_idle(self, now: float) -> Connection | None:
        """The idle connection whose newest request is the oldest; where others have become idle since the last look,
        one of the oldest. None: there is none, or there was none a moment ago."""
        oldest = self._next_found()
        if oldest is None and now >= self._look_at:
            idle = [(c.began, c) for c in self.connections if c.is_idle]
            self._found = heapq.nsmallest(FOUND, idle, key=lambda found: found[0])[::-1]
            oldest = self._next_found()
            if oldest is None:
                self._look_at = now + REST
        return oldest

    def _next_found(self) -> Connection | None:
        while self._found:
            began, connection = self._found.pop()
            if connection in self.connections and connection.is_idle and connection.began == began:
                return connection
        return None


class ConnectionLimit:
    """One for each listening socket. A named proxy may open all of them, because it stands for many citizens."""

    def __init__(self, most: int, most_an_address: int, proxies: Sequence[Network] = ()) -> None:
        self.most = most
        self._most_an_address = most_an_address
        self._proxies = proxies
        self._all = OpenConnections()
        self._of_address: dict[str, OpenConnections] = {}
        self._addresses: dict[Connection, str | None] = {}

    def admit(self, connection: Connection) -> bool:
        """Count it. False: there are too many, and none is idle that could be closed for it; then it is not counted."""
        address = self._address(connection)
        own = None if address is None else self._of_address.get(address)
        if own is not None and len(own.connections) >= self._most_an_address:
            self._close_oldest(own, connection.began)
        if len(self._addresses) >= self.most:
            self._close_oldest(self._all, connection.began)
        if len(self._addresses) >= self.most or (own and len(own.connections) >= self._most_an_address):
            return False
        self._addresses[connection] = address
        self._all.connections.add(connection)
        if address is not None:
            self._of_address.setdefault(address, own or OpenConnections()).connections.add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        address = self._addresses.pop(connection, None)
        self._all.connections.discard(connection)
        own = None if address is None else self._of_address.get(address)
        if address is not None and own is not None:
            own.connections.discard(connection)
            if not own.connections:
                del self._of_address[address]

    def _close_oldest(self, among: OpenConnections, now: float) -> None:
        idle = among.take_oldest_idle(now)
        if idle is not None:
            self.forget(idle)
            idle.abort()

    def _address(self, connection: Connection) -> str | None:
        return connection_address(connection.client[0], self._proxies) if connection.client else None

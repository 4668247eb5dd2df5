"""How many connections may be open at the same moment: in all, and from one address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol

from hub.web.client_address import Network, connection_address


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


class ConnectionLimit:
    """One for each listening socket. A named proxy may open all of them, because it stands for many citizens."""

    def __init__(self, most: int, most_an_address: int, proxies: Sequence[Network] = ()) -> None:
        self.most = most
        self._most_an_address = most_an_address
        self._proxies = proxies
        self._open: set[Connection] = set()
        self._of_address: defaultdict[str, set[Connection]] = defaultdict(set)

    def admit(self, connection: Connection) -> bool:
        """Count it. False: there are too many, and none is idle that could be closed for it; then it is not counted."""
        address = self._address(connection)
        if address is not None and len(self._of_address[address]) >= self._most_an_address:
            self._close_oldest(self._of_address[address])
        if len(self._open) >= self.most:
            self._close_oldest(self._open)
        own = () if address is None else self._of_address[address]
        if len(self._open) >= self.most or len(own) >= self._most_an_address:
            return False
        self._open.add(connection)
        if address is not None:
            self._of_address[address].add(connection)
        return True

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self._open.discard(connection)
        address = self._address(connection)
        if address is not None:
            own = self._of_address[address]
            own.discard(connection)
            if not own:
                del self._of_address[address]

    def _close_oldest(self, connections: Collection[Connection]) -> None:
        """Close the idle connection whose newest request is the oldest, if there is one."""
        idle = min((c for c in connections if c.is_idle), key=lambda c: c.began, default=None)
        if idle is not None:
            self.forget(idle)
            idle.abort()

    def _address(self, connection: Connection) -> str | None:
        return connection_address(connection.client[0], self._proxies) if connection.client else None

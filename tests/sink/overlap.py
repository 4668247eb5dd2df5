"""Two transactions at once on PostgreSQL: the first is held in its middle until the second is done or waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from threading import Event
from typing import Any

import pytest

from sink.migrate import Transactions

Work = Callable[[], Any]
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
    "AND state = 'active'"
)


class Overlap:
    """`held` is the function, named as `module.function`, in which the first to come is held."""

    def __init__(self, record: Transactions, patch: pytest.MonkeyPatch, held: str, *, after: bool = False) -> None:
        self._record, self._reached, self._released = record, Event(), Event()
        self.waited = False
        """The second had to wait for the first."""
        module, _, name = held.rpartition(".")
        inside = import_module(module)
        real = getattr(inside, name)

        def holding(*args: Any, **kwargs: Any) -> Any:
            first = not self._reached.is_set()
            made = real(*args, **kwargs) if after else None
            if first:
                self._reached.set()
                assert self._released.wait(30)
            return made if after else real(*args, **kwargs)

        patch.setattr(inside, name, holding)

    def run(self, first: Work, second: Work) -> tuple[Future[Any], Future[Any]]:
        """Both, each on a connection of its own."""
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(first)
            assert self._reached.wait(30), one
            other = pool.submit(second)
            self.waited = self._waits(other)
            self._released.set()
        return one, other

    def _waits(self, other: Future[Any]) -> bool:
        until = time.monotonic() + 30
        while not other.done():
            with self._record.read() as connection:
                if connection.exec_driver_sql(_WAITING).scalar():
                    return True
            assert time.monotonic() < until
            time.sleep(0.005)
        return False

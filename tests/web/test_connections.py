"""How many connections and slow bodies one address may have, and that others are served beside them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_network

import pytest

from hub.web.bodies import AN_ADDRESS, BodyBudget, NoRoom
from hub.web.connections import ConnectionLimit
from tests.web.asgi import Response, call
from tests.web.test_ingress import Listed, Site


@dataclass(eq=False)
class Opened:
    """A connection that remembers whether it was closed."""

    host: str
    began: float = 0.0
    is_idle: bool = False
    closed: bool = False

    @property
    def client(self) -> tuple[str, int]:
        return (self.host, 40000)

    def abort(self) -> None:
        self.closed = True


def open_all(limit: ConnectionLimit, *connections: Opened) -> list[bool]:
    return [limit.admit(connection) for connection in connections]


def test_connections_at_work_of_one_address_leave_room_for_others() -> None:
    limit = ConnectionLimit(10, 4)
    assert open_all(limit, *(Opened("203.0.113.7") for _ in range(10))).count(True) == 4
    assert open_all(limit, Opened("203.0.113.8")) == [True]


def test_an_address_over_its_limit_loses_its_own_idle_connection_that_is_the_oldest() -> None:
    limit = ConnectionLimit(10, 2)
    others, old, new = Opened("203.0.113.8", 0.0, True), Opened("203.0.113.7", 1.0, True), Opened("203.0.113.7", 2.0)
    assert open_all(limit, others, old, new, Opened("203.0.113.7")) == [True] * 4
    assert (others.closed, old.closed, new.closed) == (False, True, False)


def test_all_together_lose_the_idle_connection_that_is_the_oldest() -> None:
    limit = ConnectionLimit(2, 2)
    old, new = Opened("203.0.113.7", 1.0, True), Opened("203.0.113.8", 2.0, True)
    assert open_all(limit, new, old, Opened("203.0.113.9")) == [True] * 3
    assert (old.closed, new.closed) == (True, False)


class Queried(Opened):
    """Counts how often all of them were asked whether they are idle."""

    asked = 0
    idle = True

    @property  # type: ignore[override]
    def is_idle(self) -> bool:
        Queried.asked += 1
        return self.idle

    @is_idle.setter
    def is_idle(self, idle: bool) -> None:
        self.idle = idle


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "at-work"])
def test_a_flood_costs_no_look_at_all_connections_for_each(idle: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queried, "asked", 0)
    limit, flood = ConnectionLimit(1000, 100), [Queried("203.0.113.7", n / 10_000, idle) for n in range(1000)]
    admitted = open_all(limit, *flood)
    assert admitted.count(True) == (1000 if idle else 100)
    assert [one.closed for one in flood] == ([True] * 900 if idle else []) + [False] * (100 if idle else 1000)
    assert Queried.asked < 5000


def test_a_connection_that_came_to_rest_after_a_look_is_found_by_the_next() -> None:
    limit, working = ConnectionLimit(10, 1), Opened("203.0.113.7", 1.0)
    assert open_all(limit, working, Opened("203.0.113.7", 2.0)) == [True, False]
    working.is_idle = True
    assert open_all(limit, Opened("203.0.113.7", 3.0)) == [True]
    assert working.closed


def test_a_connection_that_went_to_work_after_a_look_is_not_closed() -> None:
    limit = ConnectionLimit(10, 2)
    first, second = Opened("203.0.113.7", 1.0, True), Opened("203.0.113.7", 2.0, True)
    assert open_all(limit, first, second, Opened("203.0.113.7", 3.0)) == [True] * 3
    second.is_idle = False
    assert open_all(limit, Opened("203.0.113.7", 4.0)) == [False]
    assert (first.closed, second.closed) == (True, False)


def test_a_closed_connection_makes_room() -> None:
    limit, first = ConnectionLimit(10, 1), Opened("203.0.113.7")
    assert open_all(limit, first, Opened("203.0.113.7")) == [True, False]
    limit.forget(first)
    assert limit.admit(Opened("203.0.113.7"))


@pytest.mark.parametrize("host", ["10.0.0.5", "::ffff:10.0.0.5"])
def test_a_named_proxy_stands_for_many(host: str) -> None:
    limit = ConnectionLimit(10, 2, [ip_network("10.0.0.0/8")])
    assert open_all(limit, *(Opened(host) for _ in range(10))) == [True] * 10


def test_an_ipv6_network_of_64_bits_is_one_address() -> None:
    limit = ConnectionLimit(10, 2)
    assert open_all(limit, *(Opened(f"2001:db8::{n}") for n in range(5))).count(True) == 2


async def test_slow_bodies_of_one_address_leave_room_for_others() -> None:
    site = Site(Listed())
    slow = [asyncio.create_task(_slow(site, "203.0.113.7")) for _ in range(AN_ADDRESS + 10)]
    async with asyncio.timeout(5):
        while sum(task.done() for task in slow) < 10:
            await asyncio.sleep(0)
    assert [task.result().status for task in slow if task.done()] == [503] * 10
    other = await call(site.ingress, "POST", "/in/listed", [b"a", b"b"], client="203.0.113.8")
    assert other.status == 200
    for task in slow:
        task.cancel()


async def _slow(site: Site, address: str) -> Response:
    return await call(site.ingress, "POST", "/in/listed", [b"x"], client=address, hangs=True)


def test_one_address_has_half_of_the_budget() -> None:
    budget = BodyBudget(1000)
    with budget.share(_scope("203.0.113.7")) as first, budget.share(_scope("203.0.113.7")) as second:
        first.take(400)
        with pytest.raises(NoRoom):
            second.take(200)
        with budget.share(_scope("203.0.113.8")) as other:
            other.take(500)
    with budget.share(_scope("203.0.113.9")) as later:
        later.take(500)


def _scope(address: str) -> dict[str, object]:
    return {"client": (address, 40000), "headers": []}

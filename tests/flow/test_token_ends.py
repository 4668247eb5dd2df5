"""Tokens that lapse are known two weeks before: each account's provider is asked once a day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from connectors import Channel, Http, ProviderConnections
from hub.running.token_ends import TokenEnds, is_ending, token_metric
from sink.account_states import set_token_end, token_ends
from sink.record import Record
from sink.vault import Vault
from tests.channels.recording import channel
from tests.fakes.pages import PageGraph
from tests.fakes.server import answer

NOW = datetime(2026, 11, 29, 3, tzinfo=UTC)
SOON = datetime(2026, 12, 9, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    with Record.open(f"sqlite:///{tmp_path / 'record.db'}", Vault.create(tmp_path / "keys.toml")) as opened:
        yield opened


@pytest.fixture
def graph() -> Iterator[PageGraph]:
    with PageGraph() as server:
        yield server


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    async with Http() as opened:
        yield opened


class World:
    """The hub around it: a time that is moved, the accounts, which of them are held."""

    def __init__(self, record: Record, http: Http, accounts: dict[str, Channel]) -> None:
        self.record, self.accounts, self.at = record, accounts, NOW
        self.held = set(accounts)
        world: Any = self
        self.asking = TokenEnds(world, cast(Any, accounts), world, lambda _: ProviderConnections(http))

    @property
    def timing(self) -> World:
        return self

    def now(self) -> datetime:
        return self.at

    def usable(self) -> set[str]:
        return self.held

    async def __call__(self, call: Callable[..., Any], *given: Any) -> Any:
        return call(self.record, *given)


def facts(ends: datetime | None) -> dict[str, Any]:
    return {"debug_token": {"data": {"is_valid": True, "expires_at": int(ends.timestamp()) if ends else 0}}}


async def test_each_token_is_asked_about_once_a_day_and_its_end_is_stored(
    record: Record, graph: PageGraph, http: Http
) -> None:
    world = World(record, http, {"page": channel("messenger", graph_url=graph.graph_url)})
    graph.nodes = facts(SOON)
    for hours, asked in ((0, 1), (23, 1), (24, 2)):
        world.at = NOW + timedelta(hours=hours)
        await world.asking.step()
        assert len(graph.received) == asked
    assert token_ends(record) == {"page": SOON}
    world.at, graph.nodes = NOW + timedelta(hours=48), facts(None)
    await world.asking.step()
    assert token_ends(record) == {}


async def test_a_changed_account_is_asked_about_at_once_and_one_of_another_process_not(
    record: Record, graph: PageGraph, http: Http
) -> None:
    world = World(record, http, {name: channel("messenger", graph_url=graph.graph_url) for name in ("a", "b")})
    world.held, graph.nodes = {"a"}, facts(SOON)
    await world.asking.step()
    world.accounts["a"] = channel("messenger", graph_url=graph.graph_url)
    await world.asking.step()
    assert (len(graph.received), token_ends(record).keys()) == (2, {"a"})


async def test_what_has_no_token_or_gets_no_answer_leaves_what_is_known(
    record: Record, graph: PageGraph, http: Http
) -> None:
    set_token_end(record, "page", SOON)
    accounts = {
        "page": channel("messenger", graph_url=graph.graph_url), "sms": channel("sms"),
        "without": channel("messenger", graph_url=graph.graph_url, access_token=""),
        "own login": channel("instagram", graph_url=graph.graph_url),
    }  # fmt: skip
    graph.then(answer(500))
    await World(record, http, accounts).asking.step()
    assert (len(graph.received), token_ends(record)) == (1, {"page": SOON})


@pytest.mark.parametrize(("days", "ending"), [(13, True), (15, False)])
def test_two_weeks_before_it_is_time_for_a_new_one(days: int, ending: bool) -> None:
    assert is_ending(NOW + timedelta(days=days), NOW) is ending
    assert not is_ending(None, NOW)


def test_the_metric_shows_those_of_accounts_that_are_there() -> None:
    [metric] = token_metric({"page": SOON, "gone": SOON}, ["page", "sms"])
    assert [(one.labels, one.value) for one in metric.samples] == [({"account": "page"}, SOON.timestamp())]

"""Polling the made-up portal through its faults: each row once, none lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors import ProviderConnections
from schemas import AccountFault, Action, Message
from tests.channels.portal.accounts import account, items, sweep
from tests.fakes.portal import PortalServer
from tests.fakes.server import answer


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer() as server:
        yield server


def add(portal: PortalServer, *numbers: int, **fields: Any) -> None:
    for number in numbers:
        portal.add("aduan", nomor=f"A{number}", uraian=f"Jalan rusak nomor {number}", **fields)


def texts(door: Any, requests: Any) -> list[str]:
    return [item.text for item in items(door, requests) if isinstance(item, Message)]


async def test_every_page_is_read_and_nothing_twice(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    add(portal, *range(65))
    first, cursor = await sweep(door, None, outbound)
    assert texts(door, first) == [f"Jalan rusak nomor {n}" for n in range(65)]
    again, cursor = await sweep(door, cursor, outbound)
    assert again == []
    add(portal, 65)
    later, cursor = await sweep(door, cursor, outbound)
    assert texts(door, later) == ["Jalan rusak nomor 65"]
    await sweep(door, cursor, outbound)
    asked = [r.params["sejak"] for r in portal.received if r.path == "/aduan"]
    assert (asked[0], asked[-1]) == ("21/10/2026 08:00:00", "01/11/2026 07:51:06")


FEED = (
    "<rss><channel><item><guid>7</guid><description>Jalan rusak</description></item>"
    "<item><guid>8</guid><description>Lampu mati</description></item></channel></rss>"
)
FORMS = {"xml": FEED, "csv": "guid;description\n7;Jalan rusak\n8;Lampu mati\n"}


@pytest.mark.parametrize("form", FORMS)
async def test_rows_of_a_feed_and_of_an_export_are_read_as_they_were_stored(
    form: str, portal: PortalServer, outbound: ProviderConnections, tmp_path: Path
) -> None:
    where = 'items = "channel.item"\n' if form == "xml" else ""
    manifest = tmp_path / "feed.toml"
    manifest.write_text(
        f'name = "Feed"\nurl = "{portal.url}"\n[streams.item]\npath = "/feed"\nformat = "{form}"\n{where}'
        '[streams.item.message]\nid = "guid"\ntext = "description"\n'
    )
    door = account(portal.url, manifest.as_posix(), secrets={})
    portal.then(answer(200, FORMS[form]))
    polled = await door.poll(None, outbound)
    assert texts(door, polled.requests) == ["Jalan rusak", "Lampu mati"]


async def test_a_row_that_commits_late_is_read(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    add(portal, 1, 2)
    _, cursor = await sweep(door, None, outbound)
    add(portal, 3, late=timedelta(minutes=9))
    found, _ = await sweep(door, cursor, outbound)
    assert texts(door, found) == ["Jalan rusak nomor 3"]


async def test_rows_that_move_to_other_pages_while_they_are_read_are_not_lost(
    portal: PortalServer, outbound: ProviderConnections
) -> None:
    door = account(portal.url)
    add(portal, *range(45))
    first = await door.poll(None, outbound)
    portal.change("aduan", 0, status="Diproses")  # the row after the first page is now on it
    rest, _ = await sweep(door, first.cursor, outbound)
    found = texts(door, [*first.requests, *rest])
    assert set(found) == {f"Jalan rusak nomor {n}" for n in range(45)}
    assert Counter(found)["Jalan rusak nomor 0"] == 2
    assert max(n for text, n in Counter(found).items() if text != "Jalan rusak nomor 0") == 1


async def test_a_row_is_handed_on_when_its_content_changes(portal: PortalServer, outbound: ProviderConnections) -> None:
    door = account(portal.url)
    add(portal, 1, status="Diproses", dilihat=1)
    first, cursor = await sweep(door, None, outbound)
    portal.rows["aduan"][0]["dilihat"] = 99
    unchanged, cursor = await sweep(door, cursor, outbound)
    assert unchanged == []
    portal.change("aduan", 0, status="Selesai")
    changed, _ = await sweep(door, cursor, outbound)
    before, after = items(door, first), items(door, changed)
    assert before[0].id == after[0].id
    assert [one.status for one in (before[1], after[1]) if isinstance(one, Action)] == ["in_progress", "done"]
    assert before[1].id != after[1].id


async def test_a_login_that_lapsed_is_made_again(outbound: ProviderConnections) -> None:
    with PortalServer(token_calls=2) as portal:
        door = account(portal.url)
        add(portal, *range(50))
        found, _ = await sweep(door, None, outbound)
        assert len(found) == 50
        assert [r.path for r in portal.received].count("/login") > 2


async def test_calls_that_find_their_login_lapsed_log_in_once(
    portal: PortalServer, outbound: ProviderConnections
) -> None:
    """The portal knows one login of a user: another would end the first."""
    door, logins = account(portal.url), lambda: [r.path for r in portal.received].count("/login")
    await door.poll(None, outbound)
    portal._token = "of another process"
    await asyncio.gather(*(door.poll(None, outbound) for _ in range(8)))
    assert logins() == 2


async def test_a_login_that_is_refused_is_the_accounts_fault(
    portal: PortalServer, outbound: ProviderConnections
) -> None:
    door = account(portal.url)
    portal.then(answer(422, {"pesan": "salah"}))
    with pytest.raises(AccountFault) as fault:
        await door.poll(None, outbound)
    assert fault.value.code == "login_refused"


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_each_row_comes_once_through_every_fault(seed: int, outbound: ProviderConnections) -> None:
    """The portal fails in a quarter of all calls, while rows are added, changed and committed late."""
    random = Random(seed)
    with PortalServer(faults=Random(seed), token_calls=7) as portal:
        door, cursor, found = account(portal.url), None, []
        for batch in range(6):
            add(portal, *range(batch * 10, batch * 10 + 10), late=timedelta(seconds=random.randrange(500)))
            portal.change("aduan", random.randrange(5), status=f"Diproses {batch}")
            requests, cursor = await sweep(door, cursor, outbound)
            found += requests
        seen = items(door, found)
        assert {item.text for item in seen if isinstance(item, Message)} == {
            f"Jalan rusak nomor {n}" for n in range(60)
        }
        assert len({item.id for item in seen if isinstance(item, Action)}) == 6
        again, _ = await sweep(door, cursor, outbound)
        assert again == []

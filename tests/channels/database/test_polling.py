"""Views of real databases: each row once, late and unseen changes found, and nothing ever written."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from connectors import Http, ProviderConnections
from connectors._database_cursor import DatabaseCursor, decode_cursor
from connectors._database_session import DatabaseSessions, read_address
from connectors.database import Database
from schemas import AccountFault, Action
from tests.channels.database.sources import MANIFEST, NOW, Source, items, local, numbers, sweep

MINUTE = timedelta(minutes=1)
BEFORE = NOW - timedelta(days=2)


def later(door: Database, by: timedelta) -> None:
    door.now = lambda: NOW + by


async def test_every_row_comes_once_and_what_is_new_after_it(source: Source) -> None:
    door = source.account(size=20)
    source.add_many(range(65), BEFORE)  # all at one time: more than a page
    source.add(900, NOW - timedelta(days=60))
    source.add(901, None)
    first, cursor = await sweep(door, None)
    assert numbers(door, first) == [*range(65), 901]
    again, cursor = await sweep(door, cursor)
    assert again == []
    source.add_many(range(100, 145), BEFORE + MINUTE)
    source.do("UPDATE aduan SET dibaca = 7")
    news, cursor = await sweep(door, cursor)
    assert numbers(door, news) == list(range(100, 145))
    later(door, timedelta(days=1))
    assert (await sweep(door, cursor))[0] == [], "the next sweep knows them all"


async def test_a_row_is_read_in_the_zone_and_words_of_the_account(source: Source) -> None:
    door = source.account()
    source.add(1, BEFORE, isi="Lampu mati 😡 100% di Jl. \\Melati: 'gelap'", status="Diproses")
    report, status = items(door, (await sweep(door, None))[0])
    assert (report.id, report.text) == ("database/rekam/A0001", "Lampu mati 😡 100% di Jl. \\Melati: 'gelap'")
    assert report.ids_proven, "the numbers of other systems that the hotline has written down join its reports"
    assert isinstance(status, Action)
    assert (status.status, status.status_said, status.observed_at) == ("in_progress", "Diproses", BEFORE)
    assert status.of == {"rekam": "A0001"}


async def test_a_row_that_commits_late_is_found_within_the_overlap_and_a_later_one_by_the_sweep(source: Source) -> None:
    door = source.account()
    source.add_many(range(3), BEFORE)
    _, cursor = await sweep(door, None)
    source.add(10, BEFORE - 10 * MINUTE)
    source.add(11, BEFORE - 60 * MINUTE)
    late, cursor = await sweep(door, cursor)
    assert numbers(door, late) == [10]
    later(door, timedelta(days=1))
    swept, cursor = await sweep(door, cursor)
    assert numbers(door, swept) == [11]
    source.add(12, BEFORE - 60 * MINUTE)
    later(door, -timedelta(days=2))  # the clock was ahead
    swept, _ = await sweep(door, cursor)
    assert numbers(door, swept) == [12]


async def test_a_change_without_a_new_time_is_found_by_the_sweep(source: Source) -> None:
    door = source.account(size=7)
    source.add_many(range(40), BEFORE)
    _, cursor = await sweep(door, None)
    source.do("UPDATE aduan SET status = 'Selesai', diubah = :at WHERE nomor = 'A0001'", at=local(BEFORE + 2 * MINUTE))
    seen, cursor = await sweep(door, cursor)
    assert [one.status for one in items(door, seen) if isinstance(one, Action)] == ["done"]
    source.do("UPDATE aduan SET status = 'Selesai' WHERE nomor = 'A0033'")
    unseen, cursor = await sweep(door, cursor)
    assert numbers(door, unseen) == [33], "its time lies within the overlap"
    source.add(50, BEFORE + timedelta(hours=3))
    _, cursor = await sweep(door, cursor)
    source.do("UPDATE aduan SET status = 'Diproses' WHERE nomor IN ('A0007', 'A0021')")
    unseen, cursor = await sweep(door, cursor)
    assert unseen == []
    later(door, timedelta(days=1))
    swept, cursor = await sweep(door, cursor)
    assert numbers(door, swept) == [7, 21]
    assert (await sweep(door, cursor))[0] == []


async def test_a_row_that_is_gone_is_noted_on_its_report(source: Source) -> None:
    door = source.account(more="deleted = true")
    source.add_many(range(30), BEFORE)
    _, cursor = await sweep(door, None)
    source.do("DELETE FROM aduan WHERE nomor IN ('A0003', 'A0020')")
    later(door, timedelta(days=1))
    gone, cursor = await sweep(door, cursor)
    found = items(door, gone)
    assert [(one.what, one.of, one.text) for one in found if isinstance(one, Action)] == [
        ("note", {"rekam": "A0003"}, "Laporan ini tidak ada lagi di Hotline karangan."),
        ("note", {"rekam": "A0020"}, "Laporan ini tidak ada lagi di Hotline karangan."),
    ]
    source.do("DELETE FROM aduan")
    later(door, timedelta(days=2))
    assert (await sweep(door, cursor))[0] == [], "a view that is empty all at once is at fault itself"


async def test_a_row_of_a_wrong_clock_does_not_hide_those_after_it(source: Source) -> None:
    door = source.account()
    source.add(1, BEFORE)
    source.add(2, NOW + timedelta(days=400))
    first, cursor = await sweep(door, None)
    source.add(3, BEFORE + MINUTE)
    second, cursor = await sweep(door, cursor)
    source.add(4, NOW + timedelta(days=401))
    source.add(5, BEFORE + 2 * MINUTE)
    third, _ = await sweep(door, cursor)
    assert [numbers(door, one) for one in (first, second, third)] == [[1, 2], [3], [5, 4]]


async def test_a_cursor_goes_on_after_a_kill_at_any_page(source: Source) -> None:
    """The page whose cursor was not saved comes again, and nothing else does."""
    door = source.account(size=10)
    source.add_many(range(35), BEFORE)
    cursor, found = None, []
    async with Http() as http:
        for _ in range(8):
            polled = await door.poll(cursor, ProviderConnections(http))
            lost = await source.account(size=10).poll(cursor, ProviderConnections(http))
            assert [one.body for one in lost.requests] == [one.body for one in polled.requests]
            found += polled.requests
            cursor = polled.cursor
    assert numbers(door, found) == list(range(35))


@pytest.mark.parametrize(
    "query",
    ["WITH x AS (DELETE FROM aduan RETURNING nomor, diubah) SELECT * FROM x", "SELECT nomor, diubah FROM tulis()"],
)
async def test_a_query_that_writes_is_refused(source: Source, query: str) -> None:
    if source.url.startswith("postgresql"):
        source.do(
            "CREATE FUNCTION tulis() RETURNS SETOF aduan LANGUAGE plpgsql AS "
            "$$ BEGIN DELETE FROM aduan; RETURN QUERY SELECT * FROM aduan; END $$"
        )
    source.add(1, BEFORE)
    own = MANIFEST[: MANIFEST.index("query =")] + f'query = "{query}"' + MANIFEST[MANIFEST.index("\nkey =") :]
    with pytest.raises(AccountFault) as fault:
        await sweep(source.account(manifest=own), None)
    assert fault.value.code in {"query_writes", "query_wrong"}
    assert source.url.startswith("postgresql") <= (fault.value.code == "query_writes" or "WITH" in query)
    assert numbers(source.account(), (await sweep(source.account(), None))[0]) == [1]


async def test_the_session_itself_refuses_to_write(source: Source) -> None:
    sessions = DatabaseSessions(read_address(source.url, ""), "Asia/Makassar", 5)
    with sessions.open() as connection, pytest.raises(DBAPIError):
        connection.execute(text("INSERT INTO aduan (nomor) VALUES ('A1')"))
    sessions.close()


@pytest.mark.service
def test_a_postgresql_behind_a_dead_network_is_given_up(databases) -> None:  # type: ignore[no-untyped-def]
    sessions = DatabaseSessions(read_address(next(databases), ""), "Asia/Makassar", 5)
    with sessions.open() as connection:
        own: Any = connection.connection.driver_connection
        with socket.socket(fileno=os.dup(own.fileno())) as opened:
            assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert opened.getsockopt(socket.SOL_TCP, socket.TCP_KEEPIDLE) == 20
            assert opened.getsockopt(socket.SOL_TCP, socket.TCP_USER_TIMEOUT) == 40_000
    sessions.close()


async def test_others_that_hang_in_threads_do_not_keep_a_database_waiting(tmp_path: Path) -> None:
    source, released = Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path), threading.Event()
    source.add(1, BEFORE)
    with ThreadPoolExecutor(1) as shared:
        asyncio.get_running_loop().set_default_executor(shared)
        hanging = asyncio.create_task(asyncio.to_thread(released.wait))
        try:
            found, _ = await asyncio.wait_for(sweep(source.account(), None), 20)
        finally:
            released.set()
            await hanging
    assert len(found) == 1


async def test_a_query_that_takes_too_long_is_ended(source: Source) -> None:
    slow = {
        "postgresql": "SELECT nomor, isi, diubah, pg_sleep(60) FROM aduan",
        "mariadb": "SELECT nomor, isi, diubah, SLEEP(60) FROM aduan",
        "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "
        "SELECT nomor, isi, diubah, (SELECT count(*) FROM n) FROM aduan",
    }[source.url.partition(":")[0].partition("+")[0]]
    source.add(1, BEFORE)
    own = MANIFEST[: MANIFEST.index("query =")] + f'query = "{slow}"' + MANIFEST[MANIFEST.index("\nkey =") :]
    with pytest.raises(AccountFault) as fault:
        await sweep(source.account(manifest=own, timeout="0.2s"), None)
    assert fault.value.code == "query_too_slow"


async def test_a_mistake_of_the_manifest_is_named(source: Source) -> None:
    source.add(1, BEFORE)
    for key, wrong, sign in (
        ("nomor", "nomer", "nomer"),
        ("nomor", "status", "key_not_unique"),
        ("diubah", "diganti", "diganti"),
        ("FROM aduan", "FROM adwan", "adwan"),
    ):
        with pytest.raises(AccountFault) as fault:
            await sweep(source.account(manifest=_with(key, wrong)), None)
        assert sign in f"{fault.value.code} {fault.value.detail}", (key, wrong)


def _with(key: str, wrong: str) -> str:
    if key == "FROM aduan":
        return MANIFEST.replace(key, wrong)
    setting = "key" if key == "nomor" else "time"
    return MANIFEST.replace(f'{setting} = "{key}"', f'{setting} = "{wrong}"')


async def test_channels_test_says_what_rows_would_become(source: Source) -> None:
    source.add(1, BEFORE, status="Diproses")
    source.add(2, BEFORE, status="Menunggu")
    async with Http() as http:
        found = [one.text for one in await source.account().check(ProviderConnections(http))]
    assert found == [
        "the session is read-only, by the server's own word",
        "view aduan: of 2 rows: 2 reports, 2 status changes",
        "view aduan: [tables.status] has no Menunggu: kept as they are, and they move nothing",
    ]


async def test_a_server_that_cannot_be_asked_is_not_called_read_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors._database_session._ASKED", {})
    source = Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path)
    async with Http() as http:
        first, *_ = await source.account().check(ProviderConnections(http))
    assert first.text.endswith("cannot be asked: grant the login SELECT only")


async def test_a_large_view_is_swept_by_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change hands on the rows of its block, and no others."""
    monkeypatch.setattr("connectors._database_polling.BLOCKS", 20)
    source = Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path)
    source.add_many(range(600), BEFORE)
    door = source.account(size=100)
    first, cursor = await sweep(door, None)
    assert numbers(door, first) == list(range(600))
    source.add(900, BEFORE + timedelta(hours=1))
    _, cursor = await sweep(door, cursor)
    source.do("UPDATE aduan SET status = 'Selesai' WHERE nomor = 'A0300'")
    source.do("DELETE FROM aduan WHERE nomor = 'A0500'")
    later(door, timedelta(days=1))
    swept, cursor = await sweep(door, cursor)
    found = numbers(door, swept)
    assert 300 in found
    assert len(found) == len(set(found)) < 350
    assert (await sweep(door, cursor))[0] == []
    assert len(cursor or "") < 2000


async def test_a_cursor_stays_small_while_many_rows_of_one_time_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors._database_polling.REMEMBERED", 10)
    source = Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path)
    source.add_many(range(50), BEFORE)
    door, cursor = source.account(), None
    async with Http() as http:
        for first in (50, 100, 150):  # a sweep, then what is new since
            for _ in range(3):
                cursor = (await door.poll(cursor, ProviderConnections(http))).cursor
                assert len(decode_cursor(cursor).places["aduan"].seen) <= 10
            source.add_many(range(first, first + 50), BEFORE + MINUTE)


@pytest.mark.parametrize("position", [["timestamp", "1"], ["int", "satu"], ["decimal", "satu"], ["date", "2026-13-01"]])
@pytest.mark.parametrize("where", ["since", "floor", "top", "after", "sweep"])
def test_a_cursor_of_unreadable_positions_is_none(where: str, position: list[str]) -> None:
    written = {"after": [["int", "1"], position], "sweep": {"began": 1.0, "at": position}}.get(where, position)
    assert decode_cursor(json.dumps({"places": {"aduan": {where: written}}})) == DatabaseCursor()


async def test_a_quiet_view_is_not_read_again_for_its_overlap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows of one time, more than are remembered: they come again until the overlap is over, then no more."""
    monkeypatch.setattr("connectors._database_polling.REMEMBERED", 10)
    source = Source(f"sqlite:///{tmp_path}/hotline.db", tmp_path)
    source.add_many(range(50), BEFORE)
    door = source.account()
    _, cursor = await sweep(door, None)
    for minutes, count in ((5, 40), (10, 40), (16, 40), (20, 0), (25, 0)):
        later(door, minutes * MINUTE)
        found, cursor = await sweep(door, cursor)
        assert len(numbers(door, found)) == count, minutes
    source.add(60, BEFORE + MINUTE)
    later(door, 30 * MINUTE)
    found, cursor = await sweep(door, cursor)
    assert numbers(door, found) == [60]
    source.add(61, BEFORE + MINUTE)
    later(door, 31 * MINUTE)
    found, cursor = await sweep(door, cursor)
    assert 61 in numbers(door, found), "it committed late beside the newest one"

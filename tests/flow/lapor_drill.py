"""Complaints into LAPOR! and answers back, while LAPOR! fails and forwarders die.

    python -m tests.flow.lapor_drill [COUNT [SEED]]      # 1000; in the gate a tenth of it: test_lapor_drill.py

LAPOR!'s times run thirty times as fast: one create in ten takes up to 3 s, and one that is not found is done again
after 6 s.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import sqlalchemy as sa

from connectors import ProviderConnections
from hub.clock import TimeSource
from hub.running.backend import Backend
from hub.running.forwarding_figures import scan_national
from hub.running.forwarding_reconcile import Reconciler
from hub.stages import WORK
from tests.fakes.lapor import AUTH, TOKEN, LaporServer
from tests.flow.forwarder_processes import ForwarderProcess
from tests.flow.running_hub import RunningHub, running_hub

PROCESSES = 2
KILL_EVERY = 1.5
AT_ONCE = 8
DEFAULTS = (1000, 1)


class Books(NamedTuple):
    """What stands where at the end."""

    complaints: int
    there: Counter[int]
    """How many complaints stand in LAPOR! so many times."""
    numbered: int
    """Complaints of ours that have LAPOR!'s number of them."""
    answered: Counter[int]
    """How many citizens got their answer so many times."""
    ledger: dict[str, int]
    balance: Any
    differences: list[Any]
    kills: int
    faults: dict[str, int]
    slow_creates: int
    shifted: int
    """Complaints whose follow-ups moved from page to page while they were read."""


def account(lapor: LaporServer, **more: object) -> str:
    """A table for `channels.toml`."""
    fields = {
        "url": lapor.url, "token": TOKEN, "auth_value": AUTH, "user_id": 501, "institution_id": "77",
        "channel_code": 3, "poll_every": "1s", "create_settles": "1s", "find_path": "/complaints?search={number}",
        **more,
    }  # fmt: skip
    lines = [f"{name} = {value!r}".replace("'", '"') for name, value in fields.items()]
    return "\n".join(["", "[lapor]", 'kind = "lapor"', 'owner = "34.04"', *lines, ""])


async def with_accounts(hub: RunningHub, tables: str) -> None:
    """Add these accounts to the running hub."""
    channels = hub.settings.channels
    channels.write_text(channels.read_text() + tables)
    await hub.until(lambda: hub.opened.current.accounts.snapshot.forwarding, "the new edition")


async def drill(folder: Path, count: int, *, share: float, slow: float, seed: int, within: float) -> Books:
    """So many complaints, of which each is answered in LAPOR!; `share` of the requests that change something fail, and
    some creates take up to `slow` seconds."""
    names = [name for name in WORK if name != "forwarder"]
    with LaporServer(share=share, slow=slow, seed=seed) as lapor:
        async with running_hub(folder, "memory://", names=names) as hub:
            await with_accounts(hub, account(lapor, create_settles=f"{max(1, int(2 * slow))}s"))
            lapor.shifts, lapor.page = 1, 1
            monkey = asyncio.create_task(_kill_forever(hub, Random(seed)))
            try:
                await _file(hub, count)
                await _answer_all(hub, lapor, count, within)
                await hub.until(lambda: _all_answered(hub, count), "an answer on every phone", within)
            finally:
                monkey.cancel()
                kills = (await asyncio.gather(monkey, return_exceptions=True))[0]
            last = ForwarderProcess(hub)
            await hub.until(lambda: _no_job_is_open(hub), "the last jobs", within)
            await hub.until(lambda: _all_done(hub, count), "the last statuses", within)
            await last.end()
            return await _books(hub, lapor, count, kills if isinstance(kills, int) else 0)


async def _file(hub: RunningHub, count: int) -> None:
    limit = asyncio.Semaphore(AT_ONCE)

    async def one(n: int) -> None:
        async with limit:
            assert (await hub.sms(f"0812{n:08d}", f"LAPOR {story(n)}", id=f"k{n}")).status_code == 200

    await asyncio.gather(*(one(n) for n in range(1, count + 1)))
    await hub.settled(60)


def story(n: int) -> str:
    """A report like no other: what looks like one incident is answered to all who reported it."""
    random = Random(n)
    letters = [random.choice("bcdfghjklmnprstw") + random.choice("aeiou") for _ in range(60)]
    words = ["".join(letters[at : at + 3]) for at in range(0, 60, 3)]
    return f"Laporan {' '.join(words)} di Jalan {words[0].title()} nomor {n}"


async def _answer_all(hub: RunningHub, lapor: LaporServer, count: int, within: float) -> None:
    """As soon as a complaint stands there and we know it, its office answers it; statuses come out of order."""
    answered: set[str] = set()
    deadline = time.monotonic() + within
    while len(answered) < count:
        assert time.monotonic() < deadline, f"{len(answered)} of {count} stand in LAPOR! after {within} s"
        for native in _known_natives(hub) - answered:
            answered.add(native)
            lapor.set_status(native, "Dalam Proses")
            lapor.say(native, f"Jawaban {native}: sudah kami perbaiki.")
            lapor.say(native, "Laporan kami teruskan ke bidang terkait.", by="Dinas Lain")
            lapor.set_status(native, "Selesai")
            lapor.set_status(native, "Terverifikasi", late=3600)
            lapor.set_status(native, "Selesai")
        await asyncio.sleep(0.05)


async def _kill_forever(hub: RunningHub, random: Random) -> int:
    """Two forwarders; every now and then one dies, and another begins. Returns how many died."""
    kills, running = 0, [ForwarderProcess(hub) for _ in range(PROCESSES)]
    dead: list[ForwarderProcess] = []
    try:
        while True:
            await asyncio.sleep(KILL_EVERY * (0.5 + random.random()))
            victim = running.pop(0)
            victim.kill()
            dead.append(victim)
            kills += 1
            running.append(ForwarderProcess(hub))
    except asyncio.CancelledError:
        return kills
    finally:
        for process in running:
            process.kill()
        await asyncio.gather(*(process.end() for process in (*dead, *running)))


def _rows(hub: RunningHub, sql: str) -> list[Any]:
    with hub.record.read() as connection:
        return list(connection.execute(sa.text(sql)))


def _known_natives(hub: RunningHub) -> set[str]:
    return {row.native for row in _rows(hub, "SELECT native FROM forwarded")}


def _phones(hub: RunningHub) -> Counter[str]:
    return Counter(sent["to"] for sent in list(hub.kannel.sent) if "Jawaban 7" in sent["text"])


def _all_answered(hub: RunningHub, count: int) -> bool:
    return len(_phones(hub)) == count


def _all_done(hub: RunningHub, count: int) -> bool:
    return len(_rows(hub, "SELECT id FROM complaints WHERE status = 'done'")) == count


def _no_job_is_open(hub: RunningHub) -> bool:
    open_ = "SELECT id FROM jobs WHERE kind IN ('forward', 'followup') AND state <> 'done' LIMIT 1"
    return not _rows(hub, open_)


async def _books(hub: RunningHub, lapor: LaporServer, count: int, kills: int) -> Books:
    ledger = await hub.settled(60)
    complaints = await hub.complaints()
    times = Counter(len(lapor.holding(complaint["number"])) for complaint in complaints)
    backend = Backend(hub.record, hub.opened.outside.pools.io, TimeSource())
    accounts, http = hub.opened.current.accounts, hub.opened.outside.http
    reconciler = Reconciler(backend, accounts, lambda name: ProviderConnections(http))
    found = await reconciler.run(accounts.snapshot.forwarding[0], apply=False)
    [balance] = await hub.io(scan_national, hub.record, accounts, lambda: datetime(2999, 1, 1, tzinfo=UTC))
    return Books(
        len(complaints), times, sum("sp4n" in complaint["external_ids"] for complaint in complaints),
        Counter(_phones(hub).values()), ledger, balance, found.differences, kills, dict(lapor.faults),
        lapor.slow_creates, sum(complaint.shifted for complaint in lapor.complaints.values()),
    )  # fmt: skip


def main() -> None:
    """The command."""
    count, seed, *_ = (*map(int, sys.argv[1:]), *DEFAULTS[len(sys.argv) - 1 :])
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        books = asyncio.run(drill(Path(folder), count, share=0.1, slow=3.0, seed=seed, within=3600))
    for name, value in books._asdict().items():
        print(f"{name}: {value}")
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()

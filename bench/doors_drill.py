"""SMPP, mail and a poller while sessions, processes and peers fail at random: nothing lost, nothing twice.

    python -m bench.doors_drill [--minutes 3] [--rate 6] [--seed 1708] [--kafka]

A hub on SQLite, or on Kafka and PostgreSQL, with two processes `accounts`; an account by SMPP with two centres, a
mailbox of Dovecot with a sending server, both by XOAUTH2, and Telegram by long polling, each peer behind a road of its
own. Citizens write numbered complaints by all three. Processes are killed (SIGKILL) or stand still until their leases
are another's; peers are dead, silent, slow, mute or deaf for a while; tokens are revoked; centres repeat themselves,
mails stand twice; Kafka and PostgreSQL are killed and started again. Then all is drained and compared
(`bench/doors/books.py`). Exit 1 if anything is wrong; the folder with all logs is kept then. Needs dovecot-imapd, and
what `tests/services` needs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from email import message_from_bytes, policy
from pathlib import Path
from random import Random

from bench._programs import machine
from bench._servers import Servers, servers
from bench.doors.books import CHECKS, Books
from bench.doors.citizens import DOORS, Citizens, Peers, writer_of
from bench.doors.faults import Faults
from bench.doors.hub import Hub
from bench.doors.peers import Bot, Centres, Mailbox
from bench.doors.road import Road
from bench.doors.table import table
from bench.doors.tokens import TokenServer
from bench.drill.stack import SESSION
from tests.channels.mail.dovecot import running_dovecot
from tests.channels.mail.servers import MailServer

DRAINED_WITHIN, QUIET = 900.0, 12.0
"""Seconds for all that is owed after the last fault; without a change, after which nothing more is expected."""


class Drill:
    """The hub, its peers, and what happens to them."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.folder, self._given, self._random = folder, given, Random(given.seed)
        self._servers: Servers | None = None

    async def run(self, seconds: float) -> tuple[Books, Faults, Hub]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.sleep, 0.5)  # connections that were reset come to their end
            roads = await self._open_peers(stack)
            urls: dict[str, str] = {}
            if self._given.kafka:
                self._servers = stack.enter_context(servers(self.folder))
                urls["SATUPINTU_BUS"] = self._servers.kafka.url(session=SESSION)
                urls["SATUPINTU_RECORD"] = self._servers.postgres.new_database()
            self.hub = stack.enter_context(Hub(self.folder, {road.name: road.port for road in roads}, urls))
            self.citizens = Citizens(self.peers, self._given.rate, self._random)
            faults, centres = Faults(self.hub, roads, self._random), self.peers.centres
            kept = [asyncio.create_task(work) for work in (centres.repeat_for_ever(), self._look_after())]
            stack.callback(lambda: [task.cancel() for task in kept])
            await self._suffer(faults, seconds)
            await self._drain()
            faults.times["centres repeat themselves"] = centres.repeated
            faults.times["tokens given"] = self.tokens.given
            faults.times["account taken over"] = await asyncio.to_thread(self.hub.takeovers)
            return await self._books(), faults, self.hub

    async def _open_peers(self, stack: AsyncExitStack) -> list[Road]:
        """The roads that lead to them."""
        self.sending = await stack.enter_async_context(MailServer())
        self.tokens = stack.enter_context(TokenServer(self.sending))
        centres = await stack.enter_async_context(Centres(self._random, self._given.repeat_after))
        bot = stack.enter_context(Bot(self._given.seed))
        info = f"{self.tokens.url}/info?access_token="
        dovecot = stack.enter_context(running_dovecot(self.folder / "dovecot", info))
        self.peers = Peers(centres, Mailbox(dovecot), bot)
        ports = {"imap": dovecot.port, "smtp": self.sending.smtp_port, "tokens": self.tokens.port,
                 "bot": int(bot.url.rpartition(":")[2])}  # fmt: skip
        ports |= dict(zip(("centre", "second"), centres.ports, strict=True))
        return [await stack.enter_async_context(Road(name, to, self._random)) for name, to in ports.items()]

    async def _suffer(self, faults: Faults, seconds: float) -> None:
        on_mail = faults.on_mail(self.folder / "dovecot", self.peers.mailbox, self.sending, self.tokens)
        works = [faults.on_processes(), faults.on_peers(), on_mail]
        if self._servers:
            works.append(faults.on_servers(self._servers))
        monkeys = [asyncio.create_task(work) for work in works]
        writing = asyncio.create_task(self.citizens.write(seconds))
        try:
            await asyncio.wait([writing, *monkeys], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for monkey in monkeys:
                monkey.cancel()
            ended = await asyncio.gather(writing, *monkeys, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault

    async def _drain(self) -> None:
        """Until nothing waits anywhere and nothing changes any more."""
        seen: tuple[int, ...] = ()
        until, since = time.monotonic() + DRAINED_WITHIN, time.monotonic()
        while time.monotonic() < until:
            await asyncio.sleep(1.0)
            waiting = await self._waiting()
            now = (*waiting.values(), await asyncio.to_thread(self.hub.unfinished),
                   await asyncio.to_thread(self.hub.complaints))  # fmt: skip
            if now != seen:
                seen, since = now, time.monotonic()
            elif not any(now[:-1]) and time.monotonic() > since + QUIET:
                return

    async def _waiting(self) -> dict[str, int]:
        """By door: what the peer was not told to be durable."""
        unseen = await asyncio.to_thread(self.peers.mailbox.unseen)
        return dict(zip(DOORS, (self.peers.centres.waiting, unseen, len(self.peers.bot.updates)), strict=True))

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            await asyncio.to_thread(self.hub.look_after)

    async def _books(self) -> Books:
        heard: dict[int, list[str]] = {}
        for door, recipient, text in self._heard():
            heard.setdefault(writer_of(door, recipient), []).append(text)
        stored = await asyncio.to_thread(lambda: list(self.hub.stored()))
        ledger = await asyncio.to_thread(self.hub.ledger)
        return Books(self.citizens.written, await self._waiting(), stored, heard, ledger)

    def _heard(self) -> Iterator[tuple[str, str, str]]:
        for phone, texts in self.peers.centres.heard():
            yield from (("seluler", phone, text) for text in texts)
        for envelope in self.sending.sent:
            mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
            yield "surel", envelope.rcpt_tos[0], str(mail.get_content())
        yield from (("telegram", str(message["chat_id"]), message["text"]) for message in self.peers.bot.sent)


def main() -> None:
    """Run it, and print the books."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=6.0, help="complaints a second")
    parser.add_argument("--seed", type=int, default=1708)
    parser.add_argument("--kafka", action="store_true", help="on Kafka and PostgreSQL, which are killed too")
    parser.add_argument("--repeat-after", type=float, default=2.0, help="seconds, of a centre without our response")
    given = parser.parse_args()
    logging.basicConfig(level=logging.ERROR)
    folder, began = Path(tempfile.mkdtemp(prefix="doors-")), time.monotonic()
    folder.chmod(0o755)
    (folder / "dovecot").mkdir()
    print(machine(), folder, flush=True)
    books, faults, hub = asyncio.run(Drill(folder, given).run(given.minutes * 60))
    print("\n".join(table(books)))
    print(f"{time.monotonic() - began:.0f} s; faults: {dict(sorted(faults.times.items()))}")
    wrong = [f"{name}: {what}" for name, check in CHECKS.items() for what in check(books)]
    wrong += [f"ended by itself: {what}" for what in hub.surprises]
    if wrong:
        print("\n".join(wrong[:40]), file=sys.stderr)
        sys.exit(f"{len(wrong)} things are wrong; all logs are in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()

"""The faults: processes of the hub die or stand still; peers are dead, silent, slow, mute or deaf. At random."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from bench._servers import Servers
from bench.doors.hub import ACCOUNTS, Hub
from bench.doors.peers import Mailbox
from bench.doors.road import Road, State
from bench.doors.tokens import TokenServer
from bench.drill.member import Member
from tests.channels.mail.servers import MailServer
from tests.services.kafka import Kafka
from tests.services.postgres import Postgres

BETWEEN = (1.0, 5.0)
"""Seconds without a fault."""
DOWN = (0.2, 6.0)
"""Seconds of a death, of a process or of a peer."""
AWAY = (15.0, 22.0)
"""Seconds after which another process has the accounts, if it lives."""
REVOKED = 0.3
"""Share of the faults of mail at which no access token is good any more."""
GREYLISTED = ("RCPT", "451 4.7.1 greylisted, try later")


class Faults:
    """`times` counts them by name."""

    def __init__(self, hub: Hub, roads: Sequence[Road], random: Random) -> None:
        self._hub, self._roads, self._random = hub, roads, random
        self.times: Counter[str] = Counter()

    async def on_processes(self) -> None:
        """Until cancelled; what is stopped then goes on."""
        kinds = [self._killed] * 5 + [self._taken_over, self._all_killed, self._stages_killed, self._stands_still]
        while True:
            await self._a_while(BETWEEN)
            await self._random.choice(kinds)()

    async def on_peers(self) -> None:
        """The same, beside it."""
        states = [state for state in State if state is not State.OPEN]
        while True:
            await self._a_while(BETWEEN)
            road, state = self._random.choice(self._roads), self._random.choice(states)
            self.times[f"{road.name} {state.name.lower()}"] += 1
            async with road.being(state):
                await self._a_while(AWAY if self._random.random() < 0.2 else DOWN)

    async def on_mail(self, folder: Path, mailbox: Mailbox, server: MailServer, tokens: TokenServer) -> None:
        """Dovecot's sessions are killed; the sending server puts mails off; access tokens are revoked."""
        while True:
            await self._a_while((5.0, 15.0))
            if self._random.random() < REVOKED:
                tokens.revoke()
                self.times["tokens revoked"] += 1
            self.times["imap session killed"] += await asyncio.to_thread(mailbox.kill_sessions, folder)
            server.refusals.append(GREYLISTED)

    async def on_servers(self, servers: Servers) -> None:
        """The broker or the database is killed, as by a power cut, and started again."""
        while True:
            await self._a_while(AWAY)
            name, server = self._random.choice([("kafka", servers.kafka), ("postgres", servers.postgres)])
            self.times[f"{name} killed"] += 1
            await asyncio.shield(asyncio.to_thread(_restart, server, self._random.uniform(*DOWN)))

    async def _killed(self) -> None:
        await self._down("accounts killed", DOWN, self._random.choice(ACCOUNTS))

    async def _taken_over(self) -> None:
        await self._down("accounts killed, long away", AWAY, self._random.choice(ACCOUNTS))

    async def _all_killed(self) -> None:
        await self._down("both accounts killed", DOWN, *ACCOUNTS)

    async def _stages_killed(self) -> None:
        await self._down("stages killed", DOWN, "stages")

    async def _down(self, name: str, seconds: tuple[float, float], *members: str) -> None:
        self.times[name] += len(members)
        down = [self._hub.members[member] for member in members]
        for member in down:
            member.kill()
        try:
            await self._a_while(seconds)
        finally:
            for member in down:
                member.start()

    async def _stands_still(self) -> None:
        """Until its leases are another's; it comes back with sends begun."""
        member: Member = self._hub.members[self._random.choice(ACCOUNTS)]
        self.times["accounts stands still"] += 1
        member.pause()
        try:
            await self._a_while(AWAY)
        finally:
            member.resume()

    async def _a_while(self, seconds: tuple[float, float]) -> None:
        await asyncio.sleep(self._random.uniform(*seconds))


def _restart(server: Kafka | Postgres, seconds: float) -> None:
    server.kill()
    time.sleep(seconds)
    server.start()

"""The peers: an operator's centre that repeats itself, Telegram's API, a mailbox. Each fails a little by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import chain
from pathlib import Path
from random import Random
from typing import Self

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError

from bench.drill.providers import Troubles
from connectors._smpp_pdu import Pdu, ShortMessage
from tests.channels.mail.dovecot import Dovecot
from tests.fakes.server import Behaviour, Received
from tests.fakes.smsc import Smsc
from tests.fakes.telegram import TelegramServer

THROTTLED, UNANSWERED = 0.02, 0.005
"""Shares of our messages: refused for now; taken without a response."""
_THROTTLED = 0x58


class Centre(Smsc):
    """It sends what has no response after so many seconds again, over the same connection too."""

    def __init__(self, random: Random, repeat_after: float) -> None:
        super().__init__("sandi", window=60)
        self._repeat_after = repeat_after
        self._random, self._brought = random, list[float]()
        self.repeated = 0

    def bring(self, *messages: ShortMessage) -> None:
        self._brought += [asyncio.get_running_loop().time()] * len(messages)
        self.deliver(*messages)

    async def repeat_for_ever(self) -> None:
        """The number of a repetition is that of the first."""
        while True:
            await asyncio.sleep(self._repeat_after)
            before = asyncio.get_running_loop().time() - self._repeat_after
            late = [n for n, at in enumerate(self._brought, 1) if at < before and n not in self.taken]
            if self.links and late:
                self.repeated += len(late[:50])
                self.write(*(self.messages[n - 1]._replace(sequence=n) for n in late[:50]))

    @property
    def waiting(self) -> int:
        """Messages without our response."""
        return len(self.messages) - len(self.taken)

    def heard(self) -> Iterator[tuple[str, list[str]]]:
        """What a phone was sent: its number, and each text."""
        by_phone: dict[str, list[ShortMessage]] = {}
        for message in self.sent:
            by_phone.setdefault(message.destination, []).append(message)
        for phone, messages in by_phone.items():
            yield phone, list(_texts(messages))

    def _submitted(self, pdu: Pdu) -> Iterator[Pdu]:
        dice = self._random.random()
        if dice < THROTTLED:
            self.refusals.append(_THROTTLED)
        responses = list(super()._submitted(pdu))
        yield from () if THROTTLED < dice < THROTTLED + UNANSWERED else responses


class Centres:
    """Two centres of one operator, to both of which the account is bound: the parts of a text come by either."""

    def __init__(self, random: Random, repeat_after: float) -> None:
        self._random = random
        self._all = [Centre(random, repeat_after) for _ in range(2)]

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for centre in self._all:
                await stack.enter_async_context(centre)
            self._opened = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._opened.aclose()

    @property
    def ports(self) -> list[int]:
        return [centre.port for centre in self._all]

    def bring(self, *messages: ShortMessage) -> None:
        for message in messages:
            self._random.choice(self._all).bring(message)

    async def repeat_for_ever(self) -> None:
        """Both."""
        await asyncio.gather(*(centre.repeat_for_ever() for centre in self._all))

    @property
    def repeated(self) -> int:
        return sum(centre.repeated for centre in self._all)

    @property
    def waiting(self) -> int:
        return sum(centre.waiting for centre in self._all)

    def heard(self) -> Iterator[tuple[str, list[str]]]:
        """As of one: all parts of an answer go out by the same centre."""
        return chain.from_iterable(centre.heard() for centre in self._all)


def _texts(messages: Sequence[ShortMessage]) -> Iterator[str]:
    """Each first part with what follows it."""
    text = ""
    for message in messages:
        is_part = bool(message.esm_class & 0x40)
        if text and (not is_part or message.text[5] == 1):
            yield text
            text = ""
        text += message.text[6 if is_part else 0 :].decode("latin-1")
    yield text


class Bot(TelegramServer):
    """Telegram, with the troubles of the other drill's providers."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.received = deque(maxlen=100)  # type: ignore[assignment]
        self._troubles = Troubles(seed)

    def _respond(self, received: Received) -> Behaviour:
        if not received.path.endswith("/sendMessage"):
            return super()._respond(received)
        trouble = self._troubles.next(str(received.json["chat_id"]))
        if trouble is None or trouble.taken:
            taken = super()._respond(received)
        return taken if trouble is None else trouble.behaviour


class Mailbox:
    """Dovecot's, filled by a program of its own; `kill_sessions` ends its IMAP processes."""

    def __init__(self, server: Dovecot) -> None:
        self._server, self._client = server, server.open()

    def bring(self, mail: bytes) -> None:
        """Until it stands there. A break may leave it there twice, as mail servers do."""
        while True:
            try:
                self._client.append("INBOX", mail)
                return
            except (OSError, IMAPClientError):
                self._client = self._reopened()

    def unseen(self) -> int:
        """Mails that we have not marked."""
        return int(self._server.status()[b"UNSEEN"])

    def kill_sessions(self, folder: Path) -> int:
        """SIGKILL; how many there were."""
        master = int((folder / "run" / "master.pid").read_text())
        children = map(int, Path(f"/proc/{master}/task/{master}/children").read_text().split())
        sessions = [pid for pid in children if Path(f"/proc/{pid}/comm").read_text().strip() == "imap"]
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(sessions)

    def _reopened(self) -> IMAPClient:
        while True:
            with contextlib.suppress(OSError, IMAPClientError):
                return self._server.open()

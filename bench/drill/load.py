"""The load: citizens who write by WhatsApp and SMS at a steady rate, and providers that send each request again until
it is answered 200.

A citizen's next message is sent only when the one before was answered 200, so the order at the ingress is defined; its
number stands in the message id. A request whose answer did not come, or was a 503, may have been stored or not: it
counts as unsure, and comes again with the same id.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from bench.drill.checks import Sent, Times
from bench.drill.connections import Broken, Connections
from tests.programs import APP_SECRET, SMS_TOKEN, whatsapp_body

AGAIN, MALFORMED = 0.05, 0.01
"""Shares of the load: sent once more although it was taken, and authentic but unreadable."""
WRITING = 100
"""Citizens who write at the same time."""
AT_ONCE = 1500
"""Requests in flight; more are not begun."""
GARBLED = b'{"object": "whatsapp_business_account", "entry": [{"changes", '


@dataclass(slots=True)
class Talk:
    """One citizen's messages: how often each was answered 200, how often it may have been taken, when it first was."""

    channel: str
    n: int
    length: int
    accepted: list[int] = field(default_factory=list)
    unsure: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)

    def native(self, seq: int) -> str:
        return f"drill.{self.n}.{seq}"

    def id(self, seq: int) -> str:
        return f"{self.channel}/{self.channel}/{self.native(seq)}"

    def request(self, seq: int) -> bytes:
        words = f"LAPOR lampu jalan nomor {self.n} padam" if seq == 0 else f"keterangan {seq} tentang lampu {self.n}"
        if self.channel == "whatsapp":
            return post(whatsapp_body(self.native(seq), f"62812{self.n:08d}", words))
        params = {
            "token": SMS_TOKEN,
            "from": f"+62813{self.n:08d}",
            "to": "1708",
            "text": words,
            "id": self.native(seq),
        }
        return get("/in/sms?" + urlencode(params))


class Load(threading.Thread):
    """Runs beside the drill on a loop of its own; its counts are read from outside, and changed only here."""

    def __init__(self, port: int, rate: float, seed: int) -> None:
        super().__init__(name="load", daemon=True)
        self.rate, self._connections, self._random = rate, Connections(port), random.Random(seed)
        self.talks: list[Talk] = []
        self.malformed = [0, 0]
        """How many were answered 200, how often one may have been taken besides."""
        self.statuses: dict[str, list[int]] = {}
        """By the reference of a reply that a provider reported on: the same two."""
        self.answers: Counter[int] = Counter()
        """By status; 0: no answer."""
        self.gap = 0.0
        """Seconds, the longest without an accepted request since `resume`."""
        self.gap_ended = ""
        """Time of the day."""
        self.skipped = 0
        self._in_flight, self._lock = 0, threading.Lock()
        self._writing: list[Talk] = []
        self._taken: deque[tuple[Talk, int]] = deque(maxlen=60_000)
        self._going, self._over, self._began = threading.Event(), False, threading.Event()
        self._last_accepted = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self) -> None:
        asyncio.run(self._run())

    def begin(self) -> None:
        self.start()
        self._began.wait()
        self.resume()

    def resume(self) -> None:
        self._last_accepted, self.gap = time.monotonic(), 0.0
        self._writing = []  # what is checked together was also begun together
        self._going.set()

    def wait_for_accepted(self, within: float) -> None:
        """Until one is accepted from now on."""
        before, until = self.accepted, time.monotonic() + within
        while self.accepted == before and time.monotonic() < until:
            time.sleep(0.05)

    def pause(self, within: float) -> bool:
        """No new requests; whether all that were in flight were accepted in that time."""
        self._going.clear()
        until = time.monotonic() + within
        while self._in_flight and time.monotonic() < until:
            time.sleep(0.02)
        return not self._in_flight

    def end(self) -> None:
        self._over = True
        self._going.set()
        self.join(30)

    def report(self, reply: str, body: bytes) -> None:
        """A provider's report about that reply, posted until it is accepted; from any thread."""
        self._count(1)  # before it is on the loop: `pause` must not miss it
        self._loop.call_soon_threadsafe(self._begin, self._status(reply, body))

    def since(self, at: float) -> list[str]:
        """Ids of what was accepted from that (monotonic) time on."""
        return [talk.id(seq) for talk, seq in list(self._taken) if talk.at[seq] >= at]

    def sent(self) -> Sent:
        """Its list, for the checks, while it is paused; without the replies, which the providers count."""
        messages = {talk.id(seq): Times(accepted, unsure) for talk in self.talks
                    for seq, (accepted, unsure) in enumerate(zip(talk.accepted, talk.unsure, strict=True))}  # fmt: skip
        statuses = {reply: Times(*count) for reply, count in self.statuses.copy().items()}
        return Sent(messages, Times(*self.malformed), statuses, {})

    @property
    def accepted(self) -> int:
        return self.answers[200]

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began.set()
        due = time.monotonic()
        while not self._over:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if not self._going.is_set():
                due = time.monotonic() + 0.02
                continue
            due = max(due + 1 / self.rate, time.monotonic() - 1.0)
            if self._in_flight < AT_ONCE:
                self._count(1)
                self._begin(self._next())
            else:
                self.skipped += 1
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._connections.close()

    def _count(self, change: int) -> None:
        with self._lock:
            self._in_flight += change

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._count(-1)
        if not task.cancelled() and task.exception():
            self.answers[-1] += 1  # a fault of the drill's own shows in its checks
            raise task.exception()  # type: ignore[misc]

    def _next(self) -> Coroutine[Any, Any, None]:
        dice = self._random.random()
        if dice < MALFORMED:
            return self._garbled()
        if dice < MALFORMED + AGAIN and self._taken:
            return self._again(*self._taken[-self._random.randint(1, min(len(self._taken), 2000))])
        while len(self._writing) < WRITING:
            self._writing.append(self._new())
        at = self._random.randrange(len(self._writing))
        self._writing[at], self._writing[-1] = self._writing[-1], self._writing[at]
        return self._write(self._writing.pop())

    def _new(self) -> Talk:
        channel = self._random.choice(("whatsapp", "sms"))
        self.talks.append(Talk(channel, len(self.talks), self._random.randint(2, 8)))
        return self.talks[-1]

    async def _write(self, talk: Talk) -> None:
        seq, count = len(talk.accepted), [0, 0]
        writing = self._writing
        talk.accepted.append(0)
        talk.unsure.append(0)
        talk.at.append(0.0)
        await self._until_accepted(talk.request(seq), count)
        talk.accepted[seq], talk.unsure[seq], talk.at[seq] = talk.accepted[seq] + count[0], count[1], time.monotonic()
        self._taken.append((talk, seq))
        if len(talk.accepted) < talk.length:
            writing.append(talk)

    async def _again(self, talk: Talk, seq: int) -> None:
        count = [0, 0]
        await self._until_accepted(talk.request(seq), count)
        talk.accepted[seq] += count[0]
        talk.unsure[seq] += count[1]

    async def _garbled(self) -> None:
        await self._until_accepted(post(GARBLED + str(self._random.random()).encode()), self.malformed)

    async def _status(self, reply: str, body: bytes) -> None:
        await asyncio.sleep(self._random.uniform(0.02, 1.0))
        await self._until_accepted(post(body), self.statuses.setdefault(reply, [0, 0]))

    async def _until_accepted(self, request: bytes, count: list[int]) -> None:
        while True:
            try:
                status = await self._connections.send(request)
            except Broken as broken:
                status = 0
                count[1] += broken.sent
            self.answers[status] += 1
            if status == 200:
                count[0] += 1
                self._was_accepted()
                return
            if status:
                count[1] += 1  # it had the bytes
            await asyncio.sleep(self._random.uniform(0.1, 0.6))

    def _was_accepted(self) -> None:
        now = time.monotonic()
        if self._going.is_set() and now - self._last_accepted > self.gap:
            self.gap, self.gap_ended = now - self._last_accepted, time.strftime("%X")
        self._last_accepted = now


def post(body: bytes) -> bytes:
    """A signed webhook of Meta's."""
    sign = hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = "POST /in/whatsapp HTTP/1.1\r\nhost: drill\r\ncontent-type: application/json\r\n"
    return f"{head}x-hub-signature-256: sha256={sign}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: drill\r\n\r\n".encode()


def status_body(reply: str, native: str, to: str, states: tuple[str, ...]) -> bytes:
    """The webhook of Meta's about a reply that it took."""
    statuses = [{"id": native, "status": state, "timestamp": "1767600000", "recipient_id": to,
             "biz_opaque_callback_data": reply} for state in states]  # fmt: skip
    value = {"messaging_product": "whatsapp", "statuses": statuses,
             "metadata": {"display_phone_number": "15550783881", "phone_number_id": "106540352242922"}}  # fmt: skip
    change = {"field": "messages", "value": value}
    return json.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}).encode()

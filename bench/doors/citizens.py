"""The citizens: each writes one numbered complaint, by one of the three doors, at a steady rate."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from bench.doors.peers import Bot, Centres, Mailbox
from connectors._smpp_alphabets import encode_gsm7
from connectors._smpp_pdu import ShortMessage
from tests.channels.mail.dovecot import USER

DOORS = ("seluler", "surel", "telegram")
"""The accounts, by which a citizen writes."""
WHAT = ("Lampu jalan padam", "Jalan berlubang", "Sampah menumpuk", "Saluran air tersumbat", "Pohon hampir tumbang")
REST = " Sudah lapor ke pengurus lingkungan, belum ada yang datang. Malam hari berbahaya bagi yang lewat."
LONG, TWICE = 0.4, 0.05
"""Shares: short messages of several parts, mails that stand in the mailbox twice."""
_PART = 100
_FIRST_CHAT = 811_000_000


class Complaint(NamedTuple):
    n: int
    door: str
    text: str


class Peers(NamedTuple):
    """Where citizens write."""

    centres: Centres
    mailbox: Mailbox
    bot: Bot


class Citizens:
    """`written` are their complaints by number."""

    def __init__(self, peers: Peers, rate: float, random: Random) -> None:
        self._peers, self._rate, self._random = peers, rate, random
        self._posting = set[asyncio.Task[None]]()
        self._mailbox = asyncio.Lock()
        self.written: dict[int, Complaint] = {}

    async def write(self, seconds: float) -> None:
        """For so long; then until the last mail stands in the mailbox."""
        loop = asyncio.get_running_loop()
        began = due = loop.time()
        while due < began + seconds:
            await asyncio.sleep(due - loop.time())
            due += 1 / self._rate
            await self._write_one()
        await asyncio.gather(*self._posting)

    async def _write_one(self) -> None:
        n, door = len(self.written) + 1, self._random.choice(DOORS)
        is_long = door != "seluler" or self._random.random() < LONG
        text = f"LAPOR {self._random.choice(WHAT)} dekat tiang nomor {n}.{REST if is_long else ''}"
        self.written[n] = Complaint(n, door, text)
        match door:
            case "seluler":
                self._peers.centres.bring(*self._messages(n, text))
            case "surel":
                copies = 2 if self._random.random() < TWICE else 1
                task = asyncio.create_task(self._post([mail(n, text)] * copies))
                self._posting.add(task)
                task.add_done_callback(self._posting.discard)
            case _:
                await asyncio.to_thread(self._peers.bot.write, n, text, _FIRST_CHAT + n)

    async def _post(self, mails: Sequence[bytes]) -> None:
        async with self._mailbox:
            for one in mails:
                await asyncio.to_thread(self._peers.mailbox.bring, one)

    def _messages(self, n: int, text: str) -> list[ShortMessage]:
        """The parts, in any order."""
        cut = [text[at : at + _PART] for at in range(0, len(text), _PART)]
        if len(cut) == 1:
            return [ShortMessage(phone(n), "1708", 1, 1, text=encode_gsm7(text))]
        headers = [bytes((5, 0, 3, n & 0xFF, len(cut), at)) for at in range(1, len(cut) + 1)]
        parts = [
            ShortMessage(phone(n), "1708", 1, 1, esm_class=0x40, text=header + encode_gsm7(piece))
            for header, piece in zip(headers, cut, strict=True)
        ]
        self._random.shuffle(parts)
        return parts


def phone(n: int) -> str:
    return f"62812{n:08d}"


def address(n: int) -> str:
    return f"warga{n}@warga.example"


def mail(n: int, text: str) -> bytes:
    fields = (
        f"From: Warga {n} <{address(n)}>", f"To: {USER}", "Subject: Laporan", f"Message-ID: <{n}@warga.example>",
        "Date: Mon, 18 Aug 2025 09:00:00 +0700", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
    )  # fmt: skip
    return "\r\n".join([*fields, "", text, ""]).encode()


def writer_of(door: str, recipient: str) -> int:
    """The number of the complaint of the citizen whom an answer reached."""
    match door:
        case "seluler":
            return int(recipient.removeprefix("62812"))
        case "surel":
            return int(recipient.removeprefix("warga").partition("@")[0])
    return int(recipient) - _FIRST_CHAT

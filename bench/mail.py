"""Mails a second from a full mailbox of Dovecot, taken in durably; and what reading one costs.

    python -m bench.mail [--runs 5] [--mails 3000]

Every mail is fetched, stored and synced before it is marked as read. `accounts`: `run accounts` alone on SQLite; `up`:
the whole program, which reads, matches and records them too. Each mail is some 3 kB; every tenth carries a photo of
60 kB. Both rates count from the first batch that is marked to the last. Needs dovecot-imapd.
"""

from __future__ import annotations

import base64
import os
import pwd
import random
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench._cpu import cpu_of
from bench._programs import prepared, running
from bench._table import options, tabulate
from connectors import Request, channel_type, group_parts
from connectors._email_settings import EmailSettings
from schemas import Body, Raw
from tests.channels.mail.dovecot import PASSWORD, USER, Dovecot, running_dovecot
from tests.services.ports import free_port

COLUMNS = {
    "read ms a mail": ".2f", "its group ms": ".2f", "accounts mails/s": ",.0f", "processor ms a mail": ".2f",
    "up mails/s": ",.0f",
}  # fmt: skip
ACCOUNT = """
[surel]
kind = "email"
owner = "32.73"
state = "silent"
imap = "imap://127.0.0.1:{port}"
smtp = "smtp://127.0.0.1:9"
address = "{user}"
password = "{password}"
"""
WORDS = "Jalan di depan Pasar Kosambi berlubang besar, sudah dua orang jatuh minggu ini, tolong diperbaiki. "
PHOTO = 60_000


def letter(number: int) -> bytes:
    """One citizen's mail, as a mail program writes it: text, HTML and a quote."""
    quote = "Pada Sen, 3 Feb 2025 pukul 10.05 P <p@x.id> menulis:\r\n> Baik.\r\n"
    text = f"{WORDS * 5}\r\n\r\nLaporan {number}\r\n\r\n{quote}"
    inner = [
        "Content-Type: multipart/alternative; boundary=a", "", "--a", "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit", "", text, "--a", "Content-Type: text/html; charset=utf-8", "",
        f"<html><body><p>{WORDS * 5}</p></body></html>", "--a--",
    ]  # fmt: skip
    if number % 10 == 0:
        photo = base64.encodebytes(random.Random(number).randbytes(PHOTO)).decode().replace("\n", "\r\n")
        head = ["Content-Type: image/jpeg; name=foto.jpg", "Content-Transfer-Encoding: base64", "", photo]
        inner = ["Content-Type: multipart/mixed; boundary=m", "", "--m", *inner, "--m", *head, "--m--"]
    fields = [
        f"Received: from mx{n}.warga.example by mx.example.go.id; Mon, 18 Aug 2025 08:5{n}:00 +0700" for n in range(4)
    ]
    fields += [
        f"From: Warga {number} <warga{number}@warga.example>", f"To: {USER}", "Subject: Jalan rusak",
        "Date: Mon, 18 Aug 2025 09:00:00 +0700", f"Message-ID: <{number}@warga.example>", "MIME-Version: 1.0",
    ]  # fmt: skip
    return "\r\n".join([*fields, *inner]).encode()


def reading(mails: Sequence[bytes]) -> tuple[float, float]:
    """Milliseconds of processor for the items of a mail, and for its conversation and files at the door."""
    door = channel_type("email")("surel", "32.73", EmailSettings(address=USER))
    at = datetime.now(UTC)
    raws = [
        Raw(id=str(n), account="surel", channel="email", owner="32.73", received_at=at, body=Body(mail))
        for n, mail in enumerate(mails)
    ]
    began = time.process_time()
    for raw in raws:
        list(door.parse(raw))
    parsed = time.process_time()
    for mail in mails:
        request = Request(body=mail)
        group_parts(door, request)
        list(door.enclosed_files(request))
    grouped = time.process_time()
    return (parsed - began) * 1000 / len(mails), (grouped - parsed) * 1000 / len(mails)


def fill(server: Dovecot, mails: Sequence[bytes]) -> None:
    """Lay the mails into the mailbox, as a mail server delivers them."""
    owner = pwd.getpwnam("mail")
    folder = server.inbox / "new"
    for made in (folder, server.inbox / "cur", server.inbox / "tmp"):
        made.mkdir(exist_ok=True)
        os.chown(made, owner.pw_uid, owner.pw_gid)
    for number, mail in enumerate(mails):
        path = folder / f"{1_755_400_000 + number}.M{number}P1.bench"
        path.write_bytes(mail)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def taken_in(mails: Sequence[bytes], *words: str) -> tuple[float, float]:
    """Mails a second, and milliseconds of processor for each, the program's start counted."""
    with tempfile.TemporaryDirectory() as where, running_dovecot(Path(where)) as server:
        fill(server, mails)
        with tempfile.TemporaryDirectory() as data:
            account = ACCOUNT.format(port=server.port, user=USER, password=PASSWORD)
            folder = prepared(Path(data), account)
            with running("hub", *words, "--data", str(folder)) as program:
                return rate(server, len(mails)), cpu_of(program.pid) * 1000 / len(mails)


def rate(server: Dovecot, count: int) -> float:
    """Mails a second from the first that are marked to the last."""
    began, first = 0.0, count
    with server.open() as client:
        while True:
            unseen = client.folder_status("INBOX", ["UNSEEN"])[b"UNSEEN"]
            if unseen < count and not began:
                began, first = time.monotonic(), unseen
            if not unseen:
                return first / (time.monotonic() - began)
            time.sleep(0.02)


def main() -> None:
    """Print a row a run, and the medians."""
    chosen = options(mails=3000)
    mails = [letter(number) for number in range(chosen.mails)]

    def run(_: int) -> tuple[float, ...]:
        cost, group = reading(mails[:500])
        accounts, cpu = taken_in(mails, "run", "accounts")
        up, _cpu = taken_in(mails, "up", "--listen", f"127.0.0.1:{free_port()}")
        return cost, group, accounts, cpu, up

    tabulate(COLUMNS, run, chosen.runs)


if __name__ == "__main__":
    main()

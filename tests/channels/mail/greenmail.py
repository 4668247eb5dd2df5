"""The e-mail channel against GreenMail, another program's server than Dovecot: a whole hub, both directions.

    python -m tests.channels.mail.greenmail

It needs Java and Maven, which brings the jar. A citizen's mail goes in by SMTP and wakes the session that waits in
IDLE; the answer goes out by SMTP into the citizen's mailbox; the citizen answers to it, and that joins the report.
"""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from imapclient import IMAPClient

from tests.flow.running_hub import RunningHub, running_hub
from tests.services.ports import free_ports, wait_until_open

JAR = "com.icegreen:greenmail-standalone:2.1.13"
OURS, SARI, PASSWORD = "pengaduan@example.go.id", "sari@warga.example", "sandi-surel"
TABLE = """
[surel]
kind = "email"
owner = "32.73"
imap = "imap://127.0.0.1:{imap}"
smtp = "smtp://127.0.0.1:{smtp}"
address = "pengaduan@example.go.id"
password = "sandi-surel"
"""


class GreenMail:
    """The running server."""

    def __init__(self, imap: int, smtp: int) -> None:
        self.imap, self.smtp = imap, smtp

    def send(self, mail: EmailMessage) -> None:
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=20) as client:
            client.send_message(mail)

    def inbox(self, user: str) -> list[EmailMessage]:
        """What lies in a mailbox."""
        with IMAPClient("127.0.0.1", self.imap, ssl=False) as client:
            client.login(user, PASSWORD)
            client.select_folder("INBOX", readonly=True)
            found = client.fetch(client.search(), ["BODY.PEEK[]"])
        bodies = (fields[b"BODY[]"] for _, fields in sorted(found.items()))
        return [message_from_bytes(body, policy=default) for body in bodies]  # type: ignore[misc] # typeshed: Message


@contextmanager
def a_greenmail(folder: Path) -> Iterator[GreenMail]:
    """Up until the block ends, its mail in memory."""
    words = ["mvn", "-q", "-B", "dependency:copy", f"-Dartifact={JAR}", f"-DoutputDirectory={folder}"]
    subprocess.run(words, check=True)
    imap, smtp, api = free_ports(3)
    options = {
        "hostname": "127.0.0.1", "imap.port": imap, "smtp.port": smtp, "api.port": api,
        "users": ",".join(f"{user.replace('@', f':{PASSWORD}@')}" for user in (OURS, SARI)), "users.login": "email",
    }  # fmt: skip
    given = [f"-Dgreenmail.{name}={value}" for name, value in options.items()]
    (jar,) = folder.glob("*.jar")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["java", *given, "-jar", str(jar)], stdout=log, stderr=log)
    try:
        for port in (imap, smtp):
            wait_until_open(port, process, (folder / "log").read_text())
        yield GreenMail(imap, smtp)
    finally:
        process.kill()
        process.wait()


def letter(subject: str, words: str, to: EmailMessage | None = None) -> EmailMessage:
    """A citizen's mail, or an answer to one of ours."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Sari Contoh <{SARI}>", OURS, subject
    mail["Message-ID"] = f"<{time.time_ns()}@warga.example>"
    if to is not None:
        mail["In-Reply-To"] = mail["References"] = to["Message-ID"]
    mail.set_content(words)
    return mail


async def flow(hub: RunningHub, server: GreenMail) -> None:
    """Raises AssertionError or TimeoutError where something is missing."""
    first = letter("Lampu jalan mati", "Lampu jalan di depan Pasar Kosambi mati sejak Senin, jalannya gelap sekali.")
    await asyncio.to_thread(server.send, first)
    answer = await _answer(hub, server, 1, "the number, in the citizen's mailbox")
    (complaint,) = await hub.complaints()
    assert complaint["number"] in answer.get_content()
    assert answer["In-Reply-To"] == first["Message-ID"]
    began = time.monotonic()
    more = letter(f"Re: {answer['Subject']}", "Tambahan: yang mati dua tiang, dekat halte.", answer)
    await asyncio.to_thread(server.send, more)
    await hub.until(lambda: _added(hub), "the citizen's answer", within=60)
    print(f"woken by IDLE: from the citizen's SMTP to the record {time.monotonic() - began:.2f} s")
    (complaint,) = await hub.complaints()
    words = [message["text"] for message in complaint["messages"] if message["direction"] == "in"]
    assert len(words) == 2, words
    assert {reply.state for reply in await hub.replies(state="sent")} == {"sent"}


async def _added(hub: RunningHub) -> bool:
    return (await hub.ledger())["added"] == 1


async def _answer(hub: RunningHub, server: GreenMail, count: int, what: str) -> Any:
    await hub.until(lambda: _mails(server, count), what, within=60)
    return (await _mails(server, count))[-1]


async def _mails(server: GreenMail, count: int) -> list[EmailMessage]:
    mails = await asyncio.to_thread(server.inbox, SARI)
    return mails if len(mails) >= count else []


async def main() -> None:
    """Print how long it took."""
    with tempfile.TemporaryDirectory() as where, a_greenmail(Path(where)) as server:
        async with running_hub(Path(where) / "hub", "memory://") as hub:
            with hub.settings.channels.open("a") as file:
                file.write(TABLE.format(imap=server.imap, smtp=server.smtp))
            began = time.monotonic()
            await flow(hub, server)
            print(f"{JAR}: in both directions, {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    asyncio.run(main())

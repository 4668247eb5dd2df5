"""The session with a real Dovecot: waiting, new numbers, and a kill between fetching and storing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from bench.doors.tokens import CLIENT, SECRET, TokenServer
from schemas import AccountFault, Message, Retry
from tests.channels.mail.dovecot import Dovecot, a_dovecot
from tests.channels.mail.reading import mail
from tests.channels.mail.running import Intake, session
from tests.channels.mail.servers import MailServer

pytestmark = pytest.mark.service


def letter(number: int) -> bytes:
    fields = {"message_id": f"<m{number}@warga.example>", "content_type": "text/plain; charset=utf-8"}
    return mail(f"Laporan {number} 🚧", **fields)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with a_dovecot() as server:
        yield server


@pytest.fixture
def folder(server: Dovecot, request: pytest.FixtureRequest) -> str:
    """An empty folder for each test."""
    name = f"{request.node.name[:40]}"
    with server.open() as client:
        client.create_folder(name)
    return name


@pytest.fixture
def intake() -> Intake:
    return Intake()


async def test_news_wake_a_session_that_waits(server: Dovecot, folder: str, intake: Intake):
    server.bring(letter(1), folder=folder)
    async with asyncio.timeout(20), session(server, intake, folder=folder):
        await intake.until(lambda: len(intake.requests) == 1)
        await asyncio.to_thread(server.bring, letter(2), folder=folder)
        await intake.until(lambda: len(intake.requests) == 2)
        while server.status(folder)[b"UNSEEN"]:
            await asyncio.sleep(0.02)
    assert intake.texts == ["Laporan 1 🚧", "Laporan 2 🚧"]
    assert [item.received_at for item in intake.items]


async def test_case_20_a_folder_that_was_made_anew_loses_nothing(server: Dovecot, folder: str, intake: Intake):
    server.bring(letter(1), letter(2), folder=folder)
    async with asyncio.timeout(20), session(server, intake, folder=folder):
        await intake.until(lambda: len(intake.requests) == 2)
    before = intake.cursor
    with server.open() as client:
        client.delete_folder(folder)
        await asyncio.sleep(1.1)  # Dovecot takes the second of its making for the number
        client.create_folder(folder)
    server.bring(letter(2), letter(3), folder=folder)
    async with asyncio.timeout(20), session(server, intake, folder=folder):
        await intake.until(lambda: len(intake.requests) == 4)
    assert intake.cursor is not None
    assert before is not None
    assert intake.cursor.partition(":")[0] != before.partition(":")[0]
    assert [item.native_id for item in intake.items] == [f"m{n}@warga.example" for n in (1, 2, 2, 3)]


async def test_a_kill_between_fetching_and_storing_loses_nothing(server: Dovecot, folder: str, intake: Intake):
    server.bring(*(letter(n) for n in range(30)), folder=folder)
    intake.before = Retry("killed")
    async with asyncio.timeout(20), session(server, intake, folder=folder) as (_, work):
        with pytest.raises(Retry, match="killed"):
            await work
    assert server.status(folder)[b"UNSEEN"] == 30
    async with asyncio.timeout(20), session(server, intake, folder=folder):
        await intake.until(lambda: len(intake.requests) == 30)
    assert len(set(intake.ids)) == len(intake.ids) == 30


async def test_mails_are_moved_and_odd_ones_pass(server: Dovecot, folder: str, intake: Intake):
    odd = (b"From: a@b.example\n\nbare \xe9 line ends", b"Subject: =?x?q?=\r\n\r\n" + b"y" * 300_000)
    server.bring(odd[0], letter(1), odd[1], letter(2), folder=folder)
    async with asyncio.timeout(20), session(server, intake, folder=folder, after="move", done_folder="Selesai"):
        await intake.until(lambda: len(intake.requests) == 4)
        while server.status(folder)[b"MESSAGES"]:
            await asyncio.sleep(0.02)
    assert server.status("Selesai")[b"MESSAGES"] == 4
    assert [type(item) for item in intake.items] == [Message] * 4


async def test_of_a_large_mail_the_beginning_is_taken(server: Dovecot, folder: str, intake: Intake):
    server.bring(mail("Video banjir" + ("\r\n" + "y" * 70) * 20_000), folder=folder)
    async with asyncio.timeout(20), session(server, intake, folder=folder, largest=70_000):
        await intake.until(lambda: intake.requests)
    (item,) = intake.items
    assert item.text.startswith("Video banjir")
    assert item.attachments[-1].state == "refused"


async def test_a_wrong_password_and_a_folder_that_is_not_there(server: Dovecot, intake: Intake):
    with pytest.raises(AccountFault, match="wrong_password"):
        async with session(server, intake, password="lain"):
            pass
    with pytest.raises(AccountFault, match="no_folder"):
        async with session(server, intake, folder="tidak-ada"):
            pass


async def test_an_access_token_opens_the_mailbox_and_one_that_the_server_does_not_know_is_named(intake: Intake):
    with (
        TokenServer(MailServer()) as tokens,
        TokenServer(MailServer()) as others,
        a_dovecot(f"{tokens.url}/info?access_token=") as server,
    ):
        await asyncio.to_thread(server.bring, letter(1))
        known = {"client_id": CLIENT, "client_secret": SECRET}
        async with session(server, intake, password="", oauth=known | {"token_url": tokens.url}):
            await asyncio.wait_for(intake.until(lambda: intake.requests), 20)
        with pytest.raises(AccountFault, match="wrong_password"):
            async with session(server, intake, password="", oauth=known | {"token_url": others.url}):
                pass
    assert (intake.texts, tokens.given) == (["Laporan 1 🚧"], 1)

"""The session: nothing is lost, nothing is marked before it is stored, and no single mail stops the others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from connectors import LeaseLost
from connectors._email_cursor import MailCursor, gap_between
from connectors._email_session import BROKEN_OFF, Suspects
from hub.commands._channel_test import try_channel
from schemas import AccountFault, Reject, Retry
from tests.channels.mail.reading import mail
from tests.channels.mail.running import Intake, session
from tests.channels.mail.servers import VALIDITY, MailServer
from tests.channels.recording import channel
from tests.fakes.server import Server, answer


def letter(number: int, text: str = "") -> bytes:
    return mail(text or f"Laporan {number}", message_id=f"<m{number}@warga.example>")


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@pytest.fixture
def intake() -> Intake:
    return Intake()


async def run_until_it_ends(server: MailServer, intake: Intake, suspects: Suspects | None = None) -> Exception:
    async with session(server, intake, suspects) as (_, work):
        (result,) = await asyncio.gather(work, return_exceptions=True)
    assert isinstance(result, Exception)
    return result


async def test_what_is_there_and_what_comes_is_taken_in_order(server: MailServer, intake: Intake):
    server.bring(*(letter(n) for n in range(1, 251)))
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 250)
        server.bring(letter(251))
        await intake.until(lambda: len(intake.requests) == 251)
        await server.until(lambda: len(server.seen) == 251)
    assert intake.texts == [f"Laporan {n}" for n in range(1, 252)]
    assert MailCursor.parse(intake.cursor)[:3] == (VALIDITY, 251, "251")
    assert not [command for command in server.commands if "BODY[" in command]  # only BODY.PEEK


@pytest.mark.parametrize("cursor", [f"{VALIDITY}:1", f"{VALIDITY}:1:1"], ids=["today's", "an earlier release's"])
async def test_a_later_session_goes_on_after_the_cursor(server: MailServer, intake: Intake, cursor: str):
    server.bring(letter(1), letter(2))
    intake.cursor = cursor
    async with session(server, intake):
        await intake.until(lambda: intake.requests)
    assert intake.texts == ["Laporan 2"]


@pytest.mark.parametrize("fault", [Retry("not stored"), LeaseLost("gone")], ids=["not stored", "taken over"])
async def test_what_is_not_stored_is_not_marked_and_comes_again(server: MailServer, intake: Intake, fault: Exception):
    server.bring(letter(1))
    intake.before = fault
    assert await run_until_it_ends(server, intake) is fault
    assert (server.seen, intake.requests) == (set(), [])
    async with session(server, intake):
        await server.until(lambda: server.seen == {1})
    assert intake.texts == ["Laporan 1"]


async def test_a_kill_between_storing_and_the_cursor_brings_the_same_mail_with_the_same_id(
    server: MailServer, intake: Intake
):
    server.bring(letter(1))
    intake.after = Retry("killed")
    await run_until_it_ends(server, intake)
    async with session(server, intake):
        await server.until(lambda: server.seen == {1})
    assert len(intake.ids) == 2
    assert len(set(intake.ids)) == 1


async def test_mails_whose_marks_were_lost_are_marked_by_the_next_session_and_no_others(
    server: MailServer, intake: Intake
):
    server.bring(*(letter(n) for n in range(1, 6)))
    server.spoiled.add(3)
    intake.hang_up = server.hang_up  # the connection ends between storing and marking
    suspects = Suspects()
    assert isinstance(await run_until_it_ends(server, intake, suspects), Retry)
    taken = len(intake.requests)
    assert (server.seen, taken > 0) == (set(), True)
    async with session(server, intake, suspects):
        await server.until(lambda: server.seen == {1, 2, 4, 5})
        await intake.until(lambda: len(intake.requests) == 5)
    server.seen.clear()  # a person wants to come back to them
    async with session(server, intake, suspects):
        await server.until(lambda: server.sessions == 1)
    assert server.seen == set()


async def test_case_20_a_new_uidvalidity_reads_all_again_under_the_same_ids(server: MailServer, intake: Intake):
    server.bring(letter(1), letter(2), mail("Tanpa nomor", message_id=""))
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 3)
    server.renumber()
    server.bring(letter(4))
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 7)
    assert set(intake.ids[:3]) < set(intake.ids[3:])
    assert len(set(intake.ids)) == 4
    assert MailCursor.parse(intake.cursor)[:3] == (VALIDITY + 1, 103, "100:103")


@pytest.mark.parametrize("settings", [{"username": "pengaduan-baru"}, {"folder": "Laporan"}], ids=["login", "folder"])
async def test_another_mailbox_is_read_from_its_beginning_though_it_has_the_same_uidvalidity(
    server: MailServer, intake: Intake, settings: dict[str, str]
):
    """It is unique within one mailbox only: some servers count from 1."""
    server.bring(*(letter(n) for n in range(1, 6)))
    async with session(server, intake):
        await server.until(lambda: len(server.seen) == 5)
    server.mails, server.next_uid, server.seen = {}, 1, set()
    server.bring(letter(10), letter(11), letter(12))
    async with session(server, intake, **settings):
        await intake.until(lambda: len(intake.requests) == 8)
        await server.until(lambda: server.seen == {1, 2, 3})
    assert intake.texts[5:] == ["Laporan 10", "Laporan 11", "Laporan 12"]


async def test_a_mailbox_made_anew_is_read_from_its_beginning(server: MailServer, intake: Intake):
    server.bring(*(letter(n) for n in range(1, 6)))
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 5)
    before = intake.cursor
    server.mails, server.next_uid = {}, 1
    server.bring(letter(10))
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 6)
    assert intake.texts[5:] == ["Laporan 10"]
    assert gap_between(before or "", intake.cursor or "")


async def test_a_server_that_names_no_uidvalidity_is_read(server: MailServer, intake: Intake):
    server.validity = 0
    server.bring(letter(1))
    async with session(server, intake):
        await server.until(lambda: server.seen == {1})
    server.bring(letter(2))
    async with session(server, intake):
        await server.until(lambda: server.seen == {1, 2})
    assert intake.texts == ["Laporan 1", "Laporan 2"]


async def test_a_mail_that_is_listed_and_not_there_is_not_asked_for_without_end(server: MailServer, intake: Intake):
    server.bring(letter(1))
    server.ghosts.add(7)
    async with session(server, intake, idle_for=0.02):
        await server.until(lambda: "IDLE" in server.commands)
    assert intake.texts == ["Laporan 1"]


async def test_case_19_a_mail_that_the_server_cannot_give_is_visible_and_the_others_pass(
    server: MailServer, intake: Intake
):
    server.bring(*(letter(n) for n in range(1, 8)))
    server.spoiled.add(3)
    async with session(server, intake):
        await intake.until(lambda: len(intake.requests) == 7)
        await server.until(lambda: len(server.seen) == 6)
    assert [item.code for item in intake.items if isinstance(item, Reject)] == ["mail_not_given"]
    assert (len(intake.texts), 3 in server.seen) == (6, False)


async def test_a_mail_on_which_the_connection_breaks_again_and_again_is_left_to_people(
    server: MailServer, intake: Intake
):
    server.bring(*(letter(n) for n in range(1, 5)))
    server.breaks_on.add(2)
    suspects = Suspects()
    for _ in range(1 + BROKEN_OFF):
        assert isinstance(await run_until_it_ends(server, intake, suspects), Retry)
    async with session(server, intake, suspects):
        await intake.until(lambda: len(intake.requests) == 4)
    assert intake.texts == ["Laporan 1", "Laporan 3", "Laporan 4"]
    assert [item.code for item in intake.items if isinstance(item, Reject)] == ["mail_not_given"]


async def test_of_a_mail_over_the_limit_the_beginning_is_taken(server: MailServer, intake: Intake):
    large = mail("Video banjir\r\n" + "x" * 70 + ("\r\n" + "y" * 70) * 20_000)
    server.bring(large, letter(2))
    async with session(server, intake, largest=100_000):
        await intake.until(lambda: len(intake.requests) == 2)
    first = intake.items[0]
    assert first.text.startswith("Video banjir")
    assert (first.attachments[-1].size, first.attachments[-1].state) == (len(large), "refused")
    assert first.extra["full_size"] == str(len(large))


async def test_mails_are_moved_once_they_are_stored(server: MailServer, intake: Intake):
    server.bring(letter(1), letter(2))
    async with session(server, intake, after="move", done_folder="Selesai"):
        await server.until(lambda: server.moved == {1: "Selesai", 2: "Selesai"})
    assert MailCursor.parse(intake.cursor)[:3] == (VALIDITY, 2, "1:2")


async def test_mails_are_left_as_they_are(server: MailServer, intake: Intake):
    server.bring(letter(1))
    async with session(server, intake, after="leave"):
        await intake.until(lambda: intake.requests)
    assert (server.seen, server.moved) == (set(), {})
    assert any(command.startswith("EXAMINE") for command in server.commands)


async def test_older_mail_is_left_alone(server: MailServer, intake: Intake):
    server.bring(letter(1))
    async with session(server, intake, since="2026-01-31"):
        await intake.until(lambda: intake.requests)
    assert any("SINCE 31-Jan-2026" in command for command in server.commands)


async def test_a_server_without_idle_is_asked_now_and_then(server: MailServer, intake: Intake):
    server.capabilities = "IMAP4rev1"
    async with session(server, intake, poll_every=0.01):
        server.bring(letter(1))
        await intake.until(lambda: intake.requests)
    assert "IDLE" not in server.commands


async def test_idle_is_left_before_a_server_would_cut_it(server: MailServer, intake: Intake):
    async with session(server, intake, idle_for=0.02):
        await server.until(lambda: server.commands.count("IDLE") >= 3)
    with pytest.raises(Exception, match=r"540"):
        async with session(server, intake, idle_for=541):
            pass


async def test_case_20_a_server_that_falls_silent_is_noticed(server: MailServer, intake: Intake, monkeypatch):
    monkeypatch.setattr("connectors._email_session.READ_WITHIN", 0.2)
    server.bring(letter(1))
    silent = asyncio.Event()

    async def never(*_: object) -> bool:
        silent.set()
        await asyncio.Event().wait()
        return False

    monkeypatch.setattr("tests.channels.mail.servers._ImapSession._idle", never)
    async with session(server, intake, idle_for=0.1) as (_, work):
        with pytest.raises(Retry, match=r"does not answer|broke"):
            await work
    assert silent.is_set()
    assert intake.texts == ["Laporan 1"]


async def test_a_folder_that_is_not_there_is_a_fault_of_the_account(server: MailServer, intake: Intake):
    with pytest.raises(AccountFault, match="no_folder"):
        async with session(server, intake, folder="nihil"):
            pass


async def test_a_done_folder_that_the_server_does_not_make_is_named(server: MailServer, intake: Intake):
    server.refused["CREATE"] = "NO [CANNOT] Mailbox name should probably be prefixed with: INBOX."
    with pytest.raises(AccountFault, match=r"done_folder .*INBOX\.Selesai"):
        async with session(server, intake, after="move", done_folder="Selesai"):
            pass


@pytest.mark.parametrize(("command", "words"), [
    ("LOGIN", "NO [ALERT] Too many simultaneous connections. (Failure)"), ("LOGIN", "NO [INUSE] try again"),
    ("LOGIN", "NO [ALERT] Account exceeded command or bandwidth limits. (Failure)"),
    ("SELECT", "BAD User is authenticated but not connected."), ("SELECT", "NO Server Unavailable. 15"),
])  # fmt: skip
async def test_what_passes_by_itself_is_no_fault_of_the_account(
    command: str, words: str, server: MailServer, intake: Intake
):
    server.refused[command] = words
    with pytest.raises(Retry):
        async with session(server, intake):
            pass


async def test_a_check_says_what_it_found(server: MailServer, intake: Intake):
    server.bring(letter(1), letter(2))
    own = {"smtp": f"smtp://127.0.0.1:{server.smtp_port}", "since": "2026-01-31"}
    async with session(server, intake, **own) as (opened, _):
        found = await opened.check()
    assert "holds 2 mails" in found[0]
    assert "2 of them" in found[1]
    assert "takes our login" in found[2]


async def test_a_mailbox_that_is_only_read_is_tried(server: MailServer):
    door = channel("email", imap=f"imap://127.0.0.1:{server.port}", smtp="")
    found = [(f.words, f.wrong) async for f in try_channel(door, None)]
    assert ("takes in, cannot answer: set smtp", True) in found
    assert ("a session opens", False) in found


@pytest.mark.parametrize("grant", ["refresh_token", "client_credentials"])
async def test_a_token_in_the_place_of_a_password(server: MailServer, intake: Intake, grant: str):
    oauth = {"client_id": "k", "client_secret": "rahasia-klien", "scope": "s"}
    oauth |= {"refresh_token": "rahasia-segar"} if grant == "refresh_token" else {}
    with Server(lambda _: answer(200, {"access_token": "tokenku", "expires_in": 3600})) as tokens:
        server.password = "Bearer tokenku"
        server.bring(letter(1))
        async with session(server, intake, oauth=oauth | {"token_url": tokens.url}, password=""):
            await intake.until(lambda: intake.requests)
        (asked,) = tokens.received
    assert f"grant_type={grant}" in asked.body.decode()
    assert json.dumps(server.commands).count("AUTHENTICATE XOAUTH2") == 1


async def test_a_token_that_is_refused_is_a_fault_of_the_account(server: MailServer, intake: Intake):
    oauth = {"client_id": "k", "client_secret": "rahasia-klien", "refresh_token": "rahasia-segar"}
    with Server(lambda _: answer(400, {"error": "invalid_grant"})) as tokens, pytest.raises(AccountFault) as caught:
        async with session(server, intake, oauth=oauth | {"token_url": tokens.url}):
            pass
    assert caught.value.code == "oauth_grant_ended"
    assert "rahasia" not in f"{caught.value!r}"

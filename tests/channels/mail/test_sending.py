"""Answers by SMTP, against aiosmtpd: the mail itself, the envelope, and what each refusal means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from connectors._email_compose import MailAddress, compose
from connectors._email_oauth import TokenSource
from connectors._email_sending import MailSender
from connectors._email_smtp import meaning_of
from connectors._http import Http
from connectors._session import BeforeArrival, unmarked
from schemas import AccountFault, Message, Reject, Retry, Unanswered
from tests.channels.mail.reading import mail as mail_of_sari
from tests.channels.mail.reading import read_message
from tests.channels.mail.running import Intake, session
from tests.channels.mail.servers import MailServer
from tests.channels.recording import channel, recording
from tests.channels.recording import reply as recorded_reply
from tests.fakes.server import Server
from tests.fakes.server import answer as http_answer

WANTED = recording("email")["sends_mail"]


def reply(text: str = "Laporan Anda kami terima, nomor 4719360285.", **fields: Any) -> Any:
    return recorded_reply("email", text, **WANTED["reply"] | fields)


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as server:
        yield server


@asynccontextmanager
async def sender(server: MailServer, **settings: Any) -> AsyncIterator[Any]:
    """Sends a reply over the account's connections."""
    own = channel("email", smtp=f"smtp://127.0.0.1:{server.smtp_port}", **settings).settings
    async with Http() as http:
        opened = MailSender(own, TokenSource(own, http))

        async def send(answer: Any, before_arrival: BeforeArrival = unmarked) -> None:
            await opened.send(compose(answer, own), before_arrival)

        try:
            yield send
        finally:
            await opened.close()


def sent_mail(server: MailServer) -> Any:
    """The last mail that the server took."""
    return message_from_bytes(server.sent[-1].original_content, policy=default)


async def test_an_answer_is_sent_as_recorded(server: MailServer):
    async with sender(server) as send:
        await send(reply())
    (envelope,) = server.sent
    assert {"mail_from": envelope.mail_from, "rcpt_tos": envelope.rcpt_tos} == WANTED["envelope"]
    message = sent_mail(server)
    assert {name: message[name] for name in WANTED["headers"]} == WANTED["headers"]
    assert message.get_content() == WANTED["text"]


async def test_a_mail_is_announced_then_marked_and_written_last(server: MailServer):
    seen = []

    async def mark() -> None:
        seen.append(len(server.sent))

    async def refuse() -> None:
        raise Retry("the record is away")

    async with sender(server) as send:
        await send(reply(), mark)
        assert (seen, len(server.sent)) == ([0], 1)
        with pytest.raises(Retry, match="record"):
            await send(reply(), refuse)
        await send(reply(), mark)
    assert (seen, len(server.sent)) == ([0, 1], 2)


async def test_a_mail_that_nobody_waits_for_any_more_is_not_written_without_its_mark(server: MailServer):
    asked, let_go = asyncio.Event(), asyncio.Event()

    async def mark() -> None:
        asked.set()
        await let_go.wait()
        raise Retry("the sending was cut off before")

    async with sender(server) as send:
        sending = asyncio.create_task(send(reply(), mark))
        await asked.wait()
        sending.cancel()
        await asyncio.wait([sending])
        let_go.set()
    assert server.sent == []


async def test_the_same_reply_is_the_same_bytes(server: MailServer):
    async with sender(server) as send:
        await send(reply())
        await send(reply())
    first, again = server.sent
    assert first.original_content == again.original_content
    assert server.connections == 1


TEXTS = ["Terima kasih 👍", ".titik di depan\n..dua\n.", "x" * 3000, "baris\r\nlagi", "From baris\n\n\n", "é" * 2000]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:8])
async def test_any_text_arrives_whole(server: MailServer, text: str):
    async with sender(server) as send:
        await send(reply(text))
    assert sent_mail(server).get_content().split() == text.split()
    assert b"\n" not in server.sent[0].original_content.replace(b"\r\n", b"")
    assert max(map(len, server.sent[0].original_content.split(b"\r\n"))) < 999


async def test_an_officers_answer_has_an_envelope_sender_to_which_a_bounce_comes(server: MailServer):
    async with sender(server) as send:
        for template in ("officer_answer", "status_changed", "finished"):
            await send(reply(template=template))
    assert [mail.mail_from for mail in server.sent] == ["pengaduan@example.go.id"] * 3
    assert "BODY=8BITMIME" in server.sent[0].mail_options
    assert "NDR" not in (left_out := sent_mail(server)["X-Auto-Response-Suppress"])  # Exchange's word for a bounce
    assert {"OOF", "AutoReply"} < set(left_out.split(", "))


async def test_a_server_that_refuses_an_empty_envelope_sender_gets_the_address(server: MailServer):
    for refusal in (("NULL", "550 5.7.1 no null sender"), ("RCPT", "503 MAIL must come before RCPT")):
        server.refusals.append(refusal)
        async with sender(server) as send:
            await send(reply())
    assert [envelope.mail_from for envelope in server.sent] == ["pengaduan@example.go.id"] * 2


async def test_an_address_in_other_letters(server: MailServer):
    async with sender(server) as send:
        await send(reply(to="sari@wárga.example"))
        await send(reply(to="säri@warga.example"))
    assert [envelope.rcpt_tos for envelope in server.sent] == [["sari@xn--wrga-5na.example"], ["säri@warga.example"]]
    assert "SMTPUTF8" in server.sent[1].mail_options


@pytest.mark.parametrize("to", ["", "bukan alamat", "a@", "@b", "a@b\r\nBcc: c@d.example", "a b@c.id", "<a@b.id>"])
def test_no_mail_goes_to_what_is_no_address(to: str):
    with pytest.raises(Reject, match="unusable_address"):
        compose(reply(to=to), channel("email").settings)


def test_a_subject_cannot_add_a_field():
    to = str(MailAddress("sari@warga.example", "Jalan\r\nBcc: lain@warga.example"))
    mail = message_from_bytes(compose(reply(to=to), channel("email").settings).as_bytes(eight_bit=False))
    assert mail["bcc"] is None


def test_a_mail_without_id_is_answered_without_naming_it():
    mail = compose(reply(to="sari@warga.example", in_reply_to=f"sha256:{'0' * 64}"), channel("email").settings)
    assert mail.message["In-Reply-To"] is None
    assert mail.message["Subject"] == "Laporan Anda"


def test_an_id_that_was_used_twice_is_answered_as_it_was_written():
    mail = compose(reply(in_reply_to="m2@warga.example~3"), channel("email").settings)
    assert mail.message["In-Reply-To"] == "<m2@warga.example>"


def test_an_answer_leads_back_to_its_thread():
    first = read_message(mail_of_sari(subject="Re: Jalan 100% rusak"))
    to = channel("email").reply_address(first)
    answer_to_it = reply(to=to, conversation=first.conversation, in_reply_to=first.native_id)
    mail = compose(answer_to_it, channel("email").settings)
    assert mail.message["Subject"] == "Re: Jalan 100% rusak"
    answer = f"From: sari@warga.example\r\nIn-Reply-To: <{mail.id}>\r\nMessage-ID: <m9@x>\r\n\r\nBaik".encode()
    again = read_message(answer)
    assert isinstance(again, Message)
    assert (again.conversation, again.refers_to) == (first.conversation, mail.id)


@pytest.mark.parametrize(("stage", "answer", "error", "code"), [
    ("MAIL", "452 4.3.1 full", Retry, None), ("MAIL", "553 5.7.1 not yours", AccountFault, "sender_refused"),
    ("RCPT", "450 4.2.1 busy", Retry, None), ("RCPT", "421 closing", Retry, None),
    ("RCPT", "550 5.1.1 no such user", Reject, "mailbox_unknown"), ("RCPT", "552 5.2.2 full", Reject, "mailbox_full"),
    ("RCPT", "554 5.7.1 Relay access denied", AccountFault, "relay_denied"), ("RCPT", "550 no", Reject, "smtp_550"),
    ("RCPT", "550 5.4.5 Daily limit", AccountFault, "daily_limit"), ("DATA", "451 4.7.0 later", Retry, None),
    ("DATA", "550 5.7.233 Your tenant exceeded its daily limit", AccountFault, "daily_limit"),
    ("DATA", "550 5.7.705 Access denied, tenant has exceeded threshold", AccountFault, "blocked"),
    ("DATA", "554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException; x", AccountFault, "sender_refused"),
    ("DATA", "554 5.7.1 spam", Reject, "smtp_554"), ("DATA", "552 5.3.4 too big", Reject, "smtp_552"),
])  # fmt: skip
async def test_a_refusal_is_named_for_what_it_is(server: MailServer, stage: str, answer: str, error: type, code: Any):
    server.refusals.append((stage, answer))
    async with sender(server, envelope="address") as send:
        with pytest.raises(error) as caught:
            await send(reply())
        assert type(caught.value) is error
        assert getattr(caught.value, "code", None) == code
        assert "sari" not in f"{caught.value!r}"
        await send(reply())
    assert len(server.sent) == 1


async def test_a_wrong_password_is_a_fault_of_the_account(server: MailServer):
    async with sender(server, password="lain") as send:
        with pytest.raises(AccountFault, match="wrong_password") as caught:
            await send(reply())
    assert "lain" not in f"{caught.value!r}"


async def test_a_password_in_other_letters_is_a_fault_of_the_account(server: MailServer):
    async with sender(server, password="sandí") as send:
        with pytest.raises(AccountFault, match="ASCII"):
            await send(reply())
    with pytest.raises(AccountFault, match="ASCII"):
        async with session(server, Intake(), password="sandí"):
            pass


@pytest.mark.parametrize("right", [True, False])
async def test_a_token_in_the_place_of_a_password(server: MailServer, right: bool):
    server.password = "Bearer tokenku" if right else "Bearer lain"
    with Server(lambda _: http_answer(200, {"access_token": "tokenku", "expires_in": 3600})) as tokens:
        oauth = {"token_url": tokens.url, "client_id": "k", "client_secret": "rahasia"}
        async with sender(server, oauth=oauth, password="") as send:
            if right:
                await send(reply())
                await send(reply())
            else:
                with pytest.raises(AccountFault, match="wrong_password"):
                    await send(reply())
    assert (len(server.sent), len(tokens.received)) == (2 * right, 1)


async def test_silence_after_the_mail_leaves_it_open_and_it_is_sent_once(server: MailServer):
    server.silent = True
    async with sender(server, answer_within=0.1) as send:
        with pytest.raises(Unanswered):
            await send(reply())
    assert len(server.sent) == 1


async def test_a_connection_closed_by_half_leaves_it_open(server: MailServer):
    server.silent = True
    async with sender(server) as send:
        sending = asyncio.create_task(send(reply()))
        await server.until(lambda: server.sent)
        for transport in server._transports:
            transport.write_eof()
        with pytest.raises(Unanswered):
            await sending


async def test_a_kept_connection_that_the_server_closed_is_replaced(server: MailServer):
    async with sender(server) as send:
        await send(reply())
        server.hang_up()
        await send(reply(id="balasan-2"))
    assert len(server.sent) == 2


async def test_a_kept_connection_that_another_thread_takes_first_is_replaced(server: MailServer):
    class TakenByOthers(list[Any]):
        def __bool__(self) -> bool:
            return True

    async with Http() as http:
        own = channel("email", smtp=f"smtp://127.0.0.1:{server.smtp_port}").settings
        opened = MailSender(own, TokenSource(own, http))
        opened._idle = TakenByOthers()
        try:
            await opened.send(compose(reply(), own), unmarked)
        finally:
            await opened.close()
    assert len(server.sent) == 1


async def test_nobody_listens():
    async with MailServer() as server:
        pass
    async with sender(server) as send:
        with pytest.raises(Retry, match="no connection") as caught:
            await send(reply())
    assert type(caught.value) is Retry


@pytest.mark.parametrize(("code", "stage", "error"), [
    (454, "login", Retry), (535, "login", AccountFault), (554, "greeting", AccountFault), (421, "greeting", Retry),
    (530, "sender", AccountFault), (550, "data", Reject),
])  # fmt: skip
def test_codes_by_stage(code: int, stage: str, error: type):
    assert type(meaning_of(code, b"x", stage)) is error

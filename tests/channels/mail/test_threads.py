"""Mails through reader and matcher: one complaint a thread and writer, and nothing twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connectors import Request
from hub.intake import split_into_raws
from normalizer import Reader, match
from schemas import Matched, Message
from tests.channels.mail.reading import TEXT, mail
from tests.channels.recording import AT, channel
from tests.normalizer.stage import MemoryDouble

ANSWERED = "m1@warga.example"


class Hub:
    """Two mailboxes of one hub."""

    def __init__(self) -> None:
        self.memory = MemoryDouble()
        self.accounts = {name: channel("email") for name in ("rekam", "lain")}
        self.accounts["lain"].account = "lain"
        self.blobs: list[bytes] = []
        self.taken = 0

    async def take(self, body: bytes, account: str = "rekam", days: float = 0) -> Matched:
        """The decision on the one mail."""
        raws = await split_into_raws(
            self.accounts[account], Request(body=body), store=self._store, new_id=self._new_id,
            clock=lambda: AT + timedelta(days=days),
        )  # fmt: skip
        (item,) = Reader(self.accounts.get).read(raws, now=lambda: AT, new_id=self._new_id)
        assert isinstance(item, Message), item
        (matched,) = match([item], self.memory)
        return matched

    async def _store(self, body: bytes) -> str:
        self.blobs.append(body)
        return "0" * 64

    def _new_id(self) -> str:
        self.taken += 1
        return f"raw-{self.taken}"


def answer(text: str, number: int, **fields: Any) -> bytes:
    """An answer within the thread of the first mail."""
    return mail(
        text, **{"message_id": f"<a{number}@x>", "in_reply_to": f"<{ANSWERED}>", "subject": "Re: Jalan"} | fields
    )


async def test_case_22_a_new_mail_opens_a_report_and_an_answer_joins_its_own():
    hub = Hub()
    first = await hub.take(mail())
    other = await hub.take(mail("Lampu jalan mati di gang mawar.", message_id="<m2@x>", subject="Lampu"), days=1)
    joined = await hub.take(answer("Di depan toko nomor 12.", 1), days=2)
    stranger = await hub.take(answer("Saya juga kena lubang itu kemarin.", 2, from_="budi@lain.example"), days=2)
    assert [one.outcome for one in (first, other, joined, stranger)] == ["recorded", "recorded", "added", "recorded"]
    assert joined.id == first.id
    assert stranger.id not in {first.id, other.id}


async def test_case_06_one_mail_to_two_mailboxes_of_ours_is_one_complaint():
    hub = Hub()
    first, again = await hub.take(mail()), await hub.take(mail(), account="lain")
    assert (first.outcome, again.outcome, again.id) == ("recorded", "redelivered", first.id)


async def test_case_05_an_id_that_comes_again_with_other_words_is_another_mail():
    hub = Hub()
    first = await hub.take(mail())
    same = await hub.take(mail())
    other = await hub.take(mail("Pohon tumbang di Jalan Merdeka."))
    assert (same.outcome, same.id) == ("redelivered", first.id)
    assert other.outcome == "added"
    assert other.message is not None
    assert other.message.native_id == f"{ANSWERED}~2"


async def test_case_20_a_mail_without_an_id_that_is_read_again_is_a_redelivery():
    hub = Hub()
    first, again = await hub.take(mail(message_id="")), await hub.take(mail(message_id=""), days=3)
    assert (first.outcome, again.outcome) == ("recorded", "redelivered")


async def test_case_21_an_automatic_reply_in_the_thread_is_refused():
    hub = Hub()
    await hub.take(mail())
    assert (await hub.take(answer("Saya cuti.", 1, auto_submitted="auto-replied"))).outcome == "refused"


async def test_the_files_of_a_mail_are_stored_before_it():
    hub = Hub()
    part = "Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\nZm90bw=="
    matched = await hub.take(
        mail(f"--b\r\n\r\n{TEXT}\r\n--b\r\n{part}\r\n--b--", content_type="multipart/mixed; boundary=b")
    )
    assert hub.blobs == [b"foto"]
    assert matched.message is not None
    assert [(file.name, file.state) for file in matched.message.attachments] == [("a.png", "fetched")]

"""Mail that no person wrote to us is understood and no report; a citizen's mail always is one (case 21)."""

from __future__ import annotations

import pytest

from schemas import Receipt
from tests.channels.mail.automatic_mails import FAILED, ROWS
from tests.channels.mail.reading import OWN_ID, mail, read_one


def test_a_hundred_mails_are_tried():
    assert len(ROWS) >= 100
    assert len({name for _, name, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("wanted", "fields", "text"), [r[:1] + r[2:] for r in ROWS], ids=[r[1] for r in ROWS])
def test_case_21_a_machines_mail_is_told_from_a_persons(wanted: str | None, fields: dict[str, str], text: str):
    item = read_one(mail(text, **fields))
    if wanted == FAILED:
        assert isinstance(item, Receipt)
        assert (item.state, item.native_id, item.reply) == ("failed", OWN_ID, "balasan-1")
    else:
        assert item.refusal == wanted


@pytest.mark.parametrize(
    "subject", ["Warning: could not send message for past 4 hours", "Delayed Mail (still retried)"]
)
def test_a_server_that_goes_on_trying_is_no_failure(subject: str):
    item = read_one(mail(f"Message-ID: <{OWN_ID}>", from_="MAILER-DAEMON@mx.example", subject=subject))
    assert (item.state, item.reply) == ("sent", "balasan-1")


def test_a_mail_through_too_many_servers_is_a_loop():
    lines = [f"Received: from a{n} by b{n}" for n in range(61)]
    assert read_one(mail("Jalan rusak.", *lines)).refusal == "mail loop"

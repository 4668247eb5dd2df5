from __future__ import annotations

import pytest

from schemas import Party
from sink import Record, claim, note, owed, track
from tests.sink.made import NOW, kept, message, raw, receipt, routed, run


def number_of(record: Record) -> str:
    event = routed(message(1, title="Lampu mati"))
    kept(record, event)
    return str(event.complaint.number)


def test_a_number_alone_shows_the_status_only(record: Record) -> None:
    found = track(record, number=number_of(record))
    assert found is not None
    assert (found.status, found.office, found.proven) == ("unverified", "Meja depan", False)
    assert found.received_at == message(1).received_at
    assert (found.title, found.words, found.answers, found.timeline) == (None, (), (), ())


def test_the_token_of_any_of_its_messages_shows_the_words(record: Record) -> None:
    number = number_of(record)
    kept(record, routed(message(2, text="Masih mati"), "added", message(1)))
    for n in (1, 2):
        found = track(record, number=number, token=record.vault.token(raw(n)))
        assert found is not None
        assert found.proven
        assert [said.text for said in found.words] == [message(1).text, "Masih mati"]
        assert found.title == "Lampu mati"
        assert [step.what for step in found.timeline] == ["routed", "recorded", "added"]


@pytest.mark.parametrize(
    ("last4", "proven"),
    [("0177", True), ("0178", False), ("", False), ("177", False), ("00177", False), ("١٢٣٤", False)],
)
def test_the_last_four_digits_of_the_phone_show_the_words(record: Record, last4: str, proven: bool) -> None:
    found = track(record, number=number_of(record), last4=last4)
    assert found is not None
    assert found.proven is proven


def test_case_09_a_phone_that_showed_up_later_proves_as_well(record: Record) -> None:
    kept(record, routed(message(1, sender=Party(user="whatsapp:US.1"))))
    number = routed(message(1)).complaint.number
    kept(record, routed(message(2, sender=Party(user="whatsapp:US.1", phone="+628120000555")), "added", message(1)))
    kept(record, routed(message(3, sender=Party(user="whatsapp:US.2", phone="+628120000666")), "added", message(1)))
    proofs = [track(record, number=number, last4=last4) for last4 in ("0555", "0666")]
    assert [found.proven for found in proofs if found] == [True, False]


def test_a_strangers_question_proves_nothing(record: Record) -> None:
    number = number_of(record)
    asked = message(2, command="CEK", sender=Party(phone="+628120000999"), conversation="+628120000999")
    kept(record, routed(asked, "added", message(1), stranger=True))
    for proof in ({"token": record.vault.token(raw(2))}, {"last4": "0999"}):
        found = track(record, number=number, **proof)
        assert found is not None
        assert not found.proven
    assert track(record, raw=raw(2), token=record.vault.token(raw(2))) is None


def test_a_report_is_found_by_the_id_given_at_filing(record: Record) -> None:
    number = number_of(record)
    found = track(record, raw=raw(1))
    assert found is not None
    assert (found.number, found.proven) == (number, False)
    found = track(record, raw=raw(1), token=record.vault.token(raw(1)))
    assert found is not None
    assert found.proven


def test_there_is_nothing_to_find(record: Record) -> None:
    assert track(record, number="1234567897") is None
    assert track(record, raw=raw(1)) is None
    kept(record, routed(message(1), "refused"))
    assert track(record, raw=raw(1)) is None


def test_answers_are_those_that_were_sent(record: Record) -> None:
    number = number_of(record)
    token = record.vault.token(raw(1))
    found = track(record, number=number, token=token)
    assert found is not None
    assert found.answers == ()
    (reply,) = owed(record, now=NOW)
    claim(record, [reply.id], by="a", now=NOW)
    note(record, [receipt("sent", reply=reply.id)])
    run(record, "UPDATE complaints SET status = 'verified'")
    found = track(record, number=number, token=token)
    assert found is not None
    assert [(said.at, said.text) for said in found.answers] == [(NOW, reply.text)]
    assert found.status == "verified"

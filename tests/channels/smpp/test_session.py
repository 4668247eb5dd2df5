"""The session of SMPP: connections, long texts across restarts, and the ways in which centres are loose."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connectors._smpp_deliveries import DeliveryQueue
from connectors._smpp_pdu import DATA_SM, RESPONSE, Pdu, decode_pdu, encode_cstring, encode_pdu, encode_tlv
from schemas import AccountFault, Message, Receipt, Reject, Retry, Unanswered
from tests.channels.recording import channel
from tests.channels.smpp.bytes import BUDI, SARI, part, pdu, short
from tests.channels.smpp.running import Clock, Intake, reply, session
from tests.fakes.smsc import Smsc

LONG = "Jalan di depan pasar berlubang, sudah tiga orang jatuh. " * 6


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with Smsc("sandi-8x") as smsc:
        yield smsc


async def test_a_pair_binds_a_receiver_and_a_transmitter(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake, bind="pair") as (door, outbound, _):
        assert sorted(smsc.links.values()) == ["receiver", "transmitter"]
        smsc.deliver(short("Halo"))
        await smsc.until(lambda: smsc.taken == {1})
        assert (await door.send(reply(), outbound)).native_ids == ("smsc-1",)
    assert intake.texts == ["Halo"]
    assert [request.command for request in smsc.requests][-2:] == [0x06, 0x06]


async def test_parts_over_several_centres_are_one_text(smsc: Smsc):
    intake = Intake()
    async with Smsc("sandi-8x") as other, session(smsc, other, intake=intake):
        smsc.deliver(part("satu ", 1, 2))
        await smsc.until(lambda: smsc.taken)
        other.deliver(part("dua", 2, 2))
        await other.until(lambda: other.taken)
    assert intake.texts == ["satu dua"]


async def test_one_centre_that_is_away_stops_nothing_and_is_bound_later(smsc: Smsc, monkeypatch):
    monkeypatch.setattr("connectors._smpp_session.FIRST_PAUSE", 0.01)
    async with Smsc("sandi-8x") as other, session(smsc, other) as (_, _, work):
        other.hang_up()
        await other.until(lambda: not other.links)
        await other.until(lambda: other.links)
        assert smsc.links
        assert not work.done()


async def test_the_last_connection_that_breaks_ends_the_session(smsc: Smsc):
    async with Smsc("sandi-8x") as other, session(smsc, other) as (_, _, work):
        other.hang_up()
        smsc.hang_up()
        with pytest.raises(Retry, match="the connection broke"):
            await work


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (0x0E, AccountFault, "wrong_password"), (0x0D, AccountFault, "bind_refused"), (0x05, Retry, None),
        (0x58, Retry, None), (0x999, AccountFault, "smpp_999"),
    ],
)  # fmt: skip
async def test_a_refused_bind_names_the_fault(smsc: Smsc, status: int, error: type, code: str | None):
    smsc.bind_status = status
    with pytest.raises(error) as caught:
        async with session(smsc):
            pass
    assert type(caught.value) is error
    assert getattr(caught.value, "code", None) == code


async def test_a_centre_that_answers_no_enquire_link_is_dead(smsc: Smsc):
    smsc.deaf = True
    async with session(smsc, enquire_every=0.02, answer_within=0.02) as (_, _, work):
        with pytest.raises(Retry, match="enquire_link"):
            await work


async def test_enquire_link_is_answered_and_unbind_ends_the_session(smsc: Smsc):
    async with session(smsc) as (_, _, work):
        smsc.write(Pdu(0x15, 0, 41), Pdu(0x102, 0, 42), Pdu(0x999, 0, 43), Pdu(0x06, 0, 44))
        with pytest.raises(Retry, match="unbinds"):
            await work


async def test_bytes_that_are_no_pdus_end_the_session(smsc: Smsc):
    async with session(smsc) as (_, _, work):
        for writer in smsc.links:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(Retry, match="no PDUs"):
            await work


async def test_a_pause_inside_a_pdu_loses_nothing(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake):
        (writer,) = smsc.links
        frame = pdu(short("Halo"), 1) + pdu(short("lagi"), 2)
        for at in range(0, len(frame), 7):
            writer.write(frame[at : at + 7])
            await writer.drain()
            await asyncio.sleep(0)
        await smsc.until(lambda: smsc.taken == {1, 2})
    assert intake.texts == ["Halo", "lagi"]


async def test_data_sm_is_stored_and_answered(smsc: Smsc):
    intake = Intake()
    body = b"\0\1\1" + encode_cstring(SARI) + b"\3\0" + encode_cstring("1708") + bytes(3) + encode_tlv(0x0424, b"Halo")
    async with session(smsc, intake=intake):
        smsc.deliver(body, command=DATA_SM)
        await smsc.until(lambda: smsc.taken)
    assert intake.texts == ["Halo"]
    assert smsc.answers == [Pdu(DATA_SM | RESPONSE, 0, 1, b"\0")]


async def test_a_message_that_cannot_be_read_is_stored_and_acknowledged(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake):
        smsc.deliver(b"\0\1", short("Halo"))
        await smsc.until(lambda: smsc.taken == {1, 2})
    bad, good = intake.items
    assert (bad.code, good.text) == ("pdu_cut", "Halo")
    assert isinstance(bad, Reject)


async def test_deliveries_beyond_what_waits_come_again_later(smsc: Smsc, monkeypatch):
    monkeypatch.setattr("connectors._smpp_deliveries.MOST_QUEUED", 2)
    intake = Intake()
    intake.open.clear()
    async with session(smsc, intake=intake):
        smsc.deliver(short("nol"))
        await intake.begun.wait()
        smsc.deliver(*(short(f"pesan {n}") for n in range(4)))
        await smsc.until(lambda: [answer.status for answer in smsc.answers] == [0x64, 0x64])
        intake.open.set()
        await smsc.until(lambda: len(smsc.taken) == 3)


async def test_the_same_words_twice_are_two_messages_and_after_a_break_one(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake):
        smsc.deliver(short("CEK"))
        await smsc.until(lambda: smsc.taken == {1})
        smsc.deliver(short("CEK"), short("CEK", BUDI))
        await smsc.until(lambda: smsc.taken == {1, 2, 3})
    async with session(smsc, intake=intake):
        smsc.deliver(short("CEK"))
        await smsc.until(lambda: len(smsc.taken) == 4)
    first, again, other, brought = (item.fingerprint for item in intake.items)
    assert len({first, again, other}) == 3
    assert brought == first


async def test_a_part_is_acknowledged_alone_once_it_is_durable(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake):
        smsc.deliver(part("dua", 2, 2))
        await smsc.until(lambda: smsc.taken)
        assert [item.state for item in intake.items] == ["empty"]
        assert "dua" not in str(intake.items)
        assert intake.cursor


class Wire:
    """A connection of which only the acknowledgements are looked at."""

    def __init__(self) -> None:
        self.taken: Counter[bytes] = Counter()
        self.acknowledged: list[int] = []

    def acknowledge(self, deliveries: Iterable[Pdu], status: int = 0) -> None:
        self.acknowledged += [pdu.sequence for pdu in deliveries]


async def test_what_comes_again_before_its_acknowledgement_or_under_its_number_is_one_message():
    intake, wire = Intake(), Wire()
    deliveries = DeliveryQueue(channel("smpp").settings, intake, None, Clock())

    def deliver(*sequences: int) -> None:
        for sequence in sequences:
            frame = pdu(short("CEK"), sequence)
            deliveries.put(wire, decode_pdu(frame), frame)

    intake.open.clear()
    deliver(1)
    storing = asyncio.create_task(deliveries.store())
    await intake.begun.wait()
    deliver(1, 70)  # the record is slow, and the centre impatient
    intake.open.set()
    await storing
    await deliveries.store()
    deliver(1, 71)  # one crossed our acknowledgement, the other is new
    await deliveries.store()
    *same, another = (item.fingerprint for item in intake.items)
    assert wire.acknowledged == [1, 1, 70, 1, 71]
    assert (len(same), len(set(same))) == (4, 1)
    assert another not in same


async def test_parts_that_come_together_are_stored_once():
    intake, wire = Intake(), Wire()
    deliveries = DeliveryQueue(channel("smpp").settings, intake, None, Clock())
    for n, message in enumerate((part("dua", 2, 2), part("lain ", 1, 2, 8), part("satu ", 1, 2)), 1):
        frame = pdu(message, n)
        deliveries.put(wire, decode_pdu(frame), frame)
    await deliveries.store()
    assert wire.acknowledged == [1, 2, 3]
    assert intake.texts == ["satu dua"]
    assert [item.state for item in intake.items if isinstance(item, Receipt)] == ["empty"]


async def test_case_15_parts_are_joined_across_a_restart(smsc: Smsc):
    intake = Intake()
    async with session(smsc, intake=intake):
        smsc.deliver(part("tiga", 3, 3), part("satu ", 1, 3))
        await smsc.until(lambda: smsc.taken == {1, 2})
    async with session(smsc, intake=intake):
        smsc.deliver(part("dua ", 2, 3))
        await smsc.until(lambda: smsc.taken == {1, 2, 3})
    assert intake.texts == ["satu dua tiga"]


async def test_case_15_a_gap_is_marked_after_a_while_and_filled_later(smsc: Smsc):
    intake, clock = Intake(), Clock()
    async with session(smsc, intake=intake, clock=clock):
        smsc.deliver(part("satu", 1, 3), part("tiga", 3, 3))
        await smsc.until(lambda: smsc.taken == {1, 2})
    clock.time += 61
    async with session(smsc, intake=intake, clock=clock):
        assert intake.texts == ["satu [bagian 2 dari 3 belum diterima] tiga"]
        clock.time += 240
        smsc.deliver(part("dua", 2, 3))
        await smsc.until(lambda: smsc.taken == {1, 2, 3})
    released, completed = (item for item in intake.items if isinstance(item, Message))
    assert (completed.text, completed.kind, completed.refers_to) == ("satuduatiga", "edit", released.native_id)
    assert released.native_id != completed.native_id


async def test_texts_that_waited_are_released_while_no_centre_answers(smsc: Smsc):
    intake, clock = Intake(), Clock()
    async with session(smsc, intake=intake, clock=clock):
        smsc.deliver(part("satu", 1, 2))
        await smsc.until(lambda: smsc.taken)
    clock.time += 61
    smsc.bind_status = 0x08
    with pytest.raises(Retry):
        async with session(smsc, intake=intake, clock=clock):
            pass
    assert intake.texts == ["satu [bagian 2 dari 2 belum diterima]"]


async def test_a_cursor_that_cannot_be_read_begins_anew(smsc: Smsc):
    intake = Intake()
    intake.cursor = "17"
    async with session(smsc, intake=intake):
        smsc.deliver(part("satu ", 1, 2), part("dua", 2, 2))
        await smsc.until(lambda: smsc.taken == {1, 2})
    assert intake.texts == ["satu dua"]


async def test_a_long_reply_goes_in_parts_and_brings_all_ids(smsc: Smsc):
    async with session(smsc) as (door, outbound, _):
        sent = await door.send(reply(LONG), outbound)
    assert sent.native_ids == ("smsc-1", "smsc-2", "smsc-3")
    headers = [message.text[:6] for message in smsc.sent]
    assert {header[:3] for header in headers} == {b"\5\0\3"}
    assert len({header[3] for header in headers}) == 1
    assert [tuple(header[4:]) for header in headers] == [(3, 1), (3, 2), (3, 3)]
    assert b"".join(m.text[6:] for m in smsc.sent).decode() == LONG
    assert {(m.esm_class, m.data_coding, m.registered_delivery, m.source) for m in smsc.sent} == {(0x40, 0, 1, "1708")}


@pytest.mark.parametrize(
    ("text", "alphabet", "coding", "data"),
    [
        ("Nomor 123", "auto", 0, b"Nomor 123"),
        ("a@b", "auto", 8, "a@b".encode("utf-16-be")),
        ("a@b€", "gsm7", 0, b"a\0b\x1b\x65"),
        ("Baik 👍", "gsm7", 8, "Baik 👍".encode("utf-16-be")),
    ],
)
async def test_a_reply_goes_in_what_the_operator_can_read(
    smsc: Smsc, text: str, alphabet: str, coding: int, data: bytes
):
    async with session(smsc, alphabet=alphabet) as (door, outbound, _):
        await door.send(reply(text), outbound)
    (sent,) = smsc.sent
    assert (sent.data_coding, sent.text, sent.destination, sent.destination_ton) == (coding, data, SARI, 1)


@pytest.mark.parametrize(("address", "ton", "npi"), [
    ("1708", 3, 0), ("+62811000001", 1, 1), ("LAPOR", 5, 0), ("", 0, 0),
])  # fmt: skip
async def test_our_address_is_named_for_what_it_is(smsc: Smsc, address: str, ton: int, npi: int):
    """Without one the centre puts in its own: it refuses a short code of no digits."""
    async with session(smsc, address=address) as (door, outbound, _):
        await door.send(reply("Baik"), outbound)
    assert [(sent.source_ton, sent.source_npi) for sent in smsc.sent] == [(ton, npi)]


async def test_a_busy_centre_gets_the_rest_of_a_text_a_little_later(smsc: Smsc, monkeypatch):
    monkeypatch.setattr("connectors._smpp_sending.PAUSES", (0.0, 0.0))
    async with session(smsc) as (door, outbound, _):
        sending = asyncio.create_task(door.send(reply(LONG), outbound))
        await smsc.until(lambda: len(smsc.sent) == 1)
        smsc.refusals.extend([0x58, 0x14])
        assert len((await sending).native_ids) == 3


@pytest.mark.parametrize("status", [0x58, 0x0B, 0x0A])
async def test_a_text_of_which_a_part_was_taken_is_never_sent_again(smsc: Smsc, monkeypatch, status: int):
    monkeypatch.setattr("connectors._smpp_sending.PAUSES", (0.0,))
    async with session(smsc, window=1) as (door, outbound, _):
        smsc.refusals.extend([0, status, status])
        with pytest.raises(Unanswered, match="1 parts were taken"):
            await door.send(reply(LONG), outbound)


async def test_a_text_is_marked_once_right_before_its_first_part_is_written(smsc: Smsc):
    marks: list[int] = []

    async def mark() -> None:
        marks.append(len(smsc.sent))

    async def refuse() -> None:
        marks.append(len(smsc.sent))
        raise Retry("the record is away")

    async with session(smsc) as (door, outbound, _):
        with pytest.raises(Retry, match="the record"):
            await door.send(reply(LONG), replace(outbound, before_arrival=refuse))
        assert (marks, smsc.sent) == ([0], [])
        await door.send(reply(LONG), replace(outbound, before_arrival=mark))
    assert (marks, len(smsc.sent)) == ([0, 0], 3)


async def test_the_window_is_kept(smsc: Smsc):
    smsc.silent = True
    async with session(smsc, window=3, answer_within=0.1) as (door, outbound, _):
        sends = (door.send(reply(id=str(n)), outbound) for n in range(5))
        results = await asyncio.gather(*sends, return_exceptions=True)
    assert len(smsc.sent) <= 5
    assert sorted({type(result).__name__ for result in results}) in (["Retry", "Unanswered"], ["Unanswered"])
    assert [type(result) for result in results[:3]] == [Unanswered] * 3


async def test_a_name_cannot_be_answered(smsc: Smsc):
    async with session(smsc) as (door, outbound, _):
        with pytest.raises(Reject, match="sender_is_a_name"):
            await door.send(reply(to="BANK"), outbound)


@pytest.mark.parametrize(
    ("given", "named"),
    [("1A2B3C", "1715004"), ("00ff", "255"), ("1715004", "1A2B3C"), ("42", "0000000042"), ("abc", "ABC")],
)
async def test_receipts_name_an_id_in_the_dialect_of_the_centre(smsc: Smsc, given: str, named: str):
    smsc.id_of = lambda number: given
    intake = Intake()
    async with session(smsc, intake=intake) as (door, outbound, _):
        sent = await door.send(reply(), outbound)
        smsc.deliver(short(f"id:{named} stat:DELIVRD".encode(), esm_class=4))
        await smsc.until(lambda: smsc.taken)
    assert [(item.native_id, item.state) for item in intake.items] == [(*sent.native_ids, "delivered")]


async def test_the_dialect_of_receipts_outlives_a_restart(smsc: Smsc):
    smsc.id_of = lambda number: f"{0xA0 + number:08X}"
    intake = Intake()
    async with session(smsc, intake=intake) as (door, outbound, _):
        await door.send(reply(), outbound)
        smsc.deliver(short(b"id:161 stat:DELIVRD", esm_class=4))
        await smsc.until(lambda: smsc.taken == {1})
    async with session(smsc, intake=intake):
        smsc.deliver(short(b"id:162 stat:DELIVRD", esm_class=4))
        await smsc.until(lambda: smsc.taken == {1, 2})
    assert [item.native_id for item in intake.items] == ["000000A1", "000000A2"]


async def test_a_frame_too_many_bytes_long_is_refused_with_generic_nack(smsc: Smsc):
    async with session(smsc) as (_, _, work):
        for writer in smsc.links:
            writer.write((10**6).to_bytes(4, "big") + encode_pdu(Pdu(0x15))[4:])
        with pytest.raises(Retry, match="wrong_pdu_length"):
            await work


async def test_parts_are_sent_at_the_rate_that_was_agreed(smsc: Smsc):
    async with session(smsc, rate=100) as (door, outbound, _):
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(door.send(reply(LONG), outbound), door.send(reply(LONG), outbound))
    assert len(smsc.sent) == 6
    assert loop.time() - began >= 0.05


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key in the same file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "centre.pem"
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(pem) + plain)
    return file


async def test_a_centre_behind_tls_is_bound_where_its_certificate_is_trusted(certificate: Path):
    centre = Smsc("sandi-8x")
    centre.tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    centre.tls.load_cert_chain(certificate)
    async with centre:
        async with session(centre, tls=True, tls_ca=str(certificate)) as (door, outbound, _):
            assert (await door.send(reply(), outbound)).native_ids == ("smsc-1",)
        with pytest.raises(AccountFault, match="certificate_not_trusted"):
            async with session(centre, tls=True):
                pass
        with pytest.raises(AccountFault, match="wrong_tls_ca"):
            async with session(centre, tls=True, tls_ca="/nowhere.pem"):
                pass

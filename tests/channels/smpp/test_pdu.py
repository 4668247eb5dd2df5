"""The bytes of PDUs, the header of user data, and receipts: what centres send, whole, odd and broken."""

from __future__ import annotations

import csv
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import Request
from connectors._smpp_pdu import (
    DATA_SM,
    DELIVER_SM,
    SUBMIT_SM,
    Pdu,
    ShortMessage,
    decode_message,
    decode_pdu,
    encode_message,
    encode_pdu,
    take_frames,
)
from connectors._smpp_receipts import SentIds, parse_receipt
from connectors._smpp_user_data import ConcatenationInfo, parse_user_data
from schemas import Message, Receipt, Reject
from tests.channels.recording import AT, channel, raw, read
from tests.channels.smpp.bytes import SARI, part, pdu, short
from tests.examples import examples

FOREIGN = Path(__file__).with_name("foreign_pdus.csv")
"""PDUs of the tests of Cloudhopper and Jasmin, with what is read in them."""
latin = st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=20)
byte = st.integers(0, 255)
messages = st.builds(
    ShortMessage, latin, latin, byte, byte, byte, byte, latin, byte, byte, byte, byte,
    st.binary(max_size=254), st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=300), max_size=4),
)  # fmt: skip


def foreign() -> list[pytest.param]:
    with FOREIGN.open(encoding="utf-8", newline="") as file:
        return [pytest.param(row, id=row["test"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("row", foreign())
def test_pdus_of_other_programs_are_read(row: dict[str, str]):
    items = read(channel("smpp"), raw("smpp", Request(body=row["hex"].encode())))
    found = [f"receipt {i.native_id} {i.state}" if isinstance(i, Receipt) else i.text for i in items]
    assert found == ([] if row["read"] == "nothing" else [row["read"]])
    assert items == read(channel("smpp"), raw("smpp", Request(body=bytes.fromhex(row["hex"]))))


@given(messages, st.sampled_from([SUBMIT_SM, DELIVER_SM]), st.integers(0, 2**31 - 1))
def test_a_message_is_read_as_it_was_written(message: ShortMessage, command: int, sequence: int):
    read_back = decode_pdu(encode_pdu(Pdu(command, 0, sequence, encode_message(message))))
    assert read_back[:3] == (command, 0, sequence)
    assert decode_message(read_back) == message


@given(st.lists(messages, max_size=4), st.integers(1, 40))
def test_frames_come_out_whole_however_they_arrive(several: list[ShortMessage], size: int):
    stream = b"".join(pdu(message, n) for n, message in enumerate(several))
    buffer, frames = bytearray(), []
    for at in range(0, len(stream), size):
        buffer += stream[at : at + size]
        frames += take_frames(buffer)
    assert b"".join(frames) == stream
    assert [decode_pdu(frame).sequence for frame in frames] == list(range(len(several)))


@examples(300)
@given(st.binary(max_size=120), st.sampled_from([SUBMIT_SM, DELIVER_SM, DATA_SM, 0x21]), st.booleans())
def test_any_body_is_a_reject_at_worst(body: bytes, command: int, in_hex: bool):
    frame = encode_pdu(Pdu(command, 0, 1, body))
    for item in read(channel("smpp"), raw("smpp", Request(body=frame.hex().encode() if in_hex else frame))):
        assert isinstance(item, Message | Receipt | Reject)
        assert not isinstance(item, Reject) or item.code != "channel_bug"


@examples(300)
@given(st.data())
def test_a_byte_changed_anywhere_is_a_reject_at_worst(data: st.DataObject):
    frames = bytearray(b"".join(pdu(part("satu dua tiga ", n, 3), n) for n in (3, 1, 2)))
    for _ in range(data.draw(st.integers(1, 4))):
        frames[data.draw(st.integers(0, len(frames) - 1))] = data.draw(byte)
    for item in read(channel("smpp"), raw("smpp", Request(body=bytes(frames)))):
        assert not isinstance(item, Reject) or item.code != "channel_bug"


@pytest.mark.parametrize("length", [0, 15, 128 * 1024 + 1, 2**32 - 1])
def test_an_impossible_length_is_a_reject(length: int):
    with pytest.raises(Reject, match="wrong_pdu_length"):
        list(take_frames(bytearray(length.to_bytes(4, "big") + bytes(20))))


def test_a_parameter_that_is_cut_or_unknown_or_twice_hides_nothing():
    tlvs = b"\x14\x54\x00\x01\x01" + b"\x14\x54\x00\x01\x02" + b"\x04\x24\xff\xffHalo"
    message = decode_message(Pdu(DELIVER_SM, 0, 1, encode_message(short(b"")) + tlvs))
    assert message.tlvs == {0x1454: b"\x01", 0x0424: b"Halo"}
    assert parse_user_data(message).data == b"Halo"


@pytest.mark.parametrize(
    ("header", "segment"),
    [
        (b"\x05\x00\x03\x00\x02\x01", ConcatenationInfo("udh8", 0, 2, 1)),
        (b"\x06\x08\x04\x01\x00\x03\x02", ConcatenationInfo("udh16", 256, 3, 2)),
        (b"\x09\x24\x01\x01\x05\x04\x15\x8a\x00\x00", None),
        (b"\x09\x70\x01\x01\x08\x04\x00\x07\x02\x02", ConcatenationInfo("udh16", 7, 2, 2)),
        (b"\x05\x00\x03\x07\x02\x03", None),
        (b"\x05\x00\x03\x07\x02\x00", None),
        (b"\x05\x00\x03\x07\x01\x01", None),
        (b"\x05\x00\x03\x07\x00\x00", None),
    ],
)
def test_the_header_tells_which_part_it_is(header: bytes, segment: ConcatenationInfo | None):
    found = parse_user_data(short(header + b"teks", esm_class=0x40))
    assert (found.data, found.segment) == (b"teks", segment)
    carried = parse_user_data(ShortMessage(SARI, "1708", esm_class=0x40, tlvs={0x0424: header + b"teks"}))
    assert (carried.data, carried.segment) == (found.data, found.segment)


def test_a_header_without_its_flag_is_known_and_a_flag_without_header_is_text():
    assert parse_user_data(short(b"\x05\x00\x03\x07\x02\x01teks")).segment == ConcatenationInfo("udh8", 7, 2, 1)
    assert parse_user_data(short(b"teks yang biasa", esm_class=0x40)).data == b"teks yang biasa"


@pytest.mark.parametrize("text", ["id:5 menerima bantuan, submit date: kemarin", "ID: saya Sari", "id:"])
def test_words_of_a_citizen_are_no_receipt(text: str):
    assert parse_receipt(short(text.encode())) is None


def test_a_long_text_that_only_begins_as_a_receipt_costs_little():
    text = b"id:1 " + b"".join(field * 900 for field in (b"submit date:1 ", b"done date:1 ", b"stat:AAAA "))
    began = time.process_time()
    assert parse_receipt(ShortMessage(SARI, "1708", tlvs={0x0424: text})) is None
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("done", "at"),
    [
        ("2508180857", "2025-08-18T01:57:00+00:00"),
        ("250818085730", "2025-08-18T01:57:30+00:00"),
        ("202508180857", "2025-08-18T01:57:00+00:00"),
        ("20250818085730", "2025-08-18T01:57:30+00:00"),
        ("2001010000", "2025-08-18T02:00:00+00:00"),
        ("9999999999", "2025-08-18T02:00:00+00:00"),
    ],
)
def test_the_time_of_a_receipt_is_taken_where_it_is_credible(done: str, at: str):
    report = parse_receipt(short(f"id:1 done date:{done} stat:DELIVRD".encode(), esm_class=4))
    assert report.at(datetime(2025, 8, 18, 2, tzinfo=UTC), ZoneInfo("Asia/Jakarta")).isoformat() == at


@pytest.mark.parametrize(
    ("headers", "done", "at"),
    [
        ({}, "1503020857", datetime(2015, 3, 2, 1, 57, tzinfo=UTC)),
        ({}, "2513180857", AT),
        ({}, "", AT),
        ({"smpp-sent-as": "1"}, "1503020857", AT),
        ({"smpp-sent-as": "1"}, "2508180857", datetime(2025, 8, 18, 1, 57, tzinfo=UTC)),
    ],
    ids=["no session", "no date", "none", "session and wrong clock", "session"],
)
def test_a_receipt_that_no_session_brought_has_its_own_time_whatever_its_age(
    headers: dict[str, str], done: str, at: datetime
):
    text = f"id:1 sub:001 dlvrd:001 submit date:{done} done date:{done} stat:DELIVRD err:000".encode()
    body = encode_pdu(Pdu(DELIVER_SM, 0, 1, encode_message(short(text, esm_class=4))))
    [receipt] = read(channel("smpp"), raw("smpp", Request(headers=headers, body=body)))
    assert receipt.at == at


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("DELIVRD", "delivered"), ("Delivered", "delivered"), ("UNDELIV", "failed"), ("EXPIRED", "failed"),
        ("REJECTD", "failed"), ("DELETED", "failed"), ("ACCEPTD", "sent"), ("ENROUTE", "sent"), ("UNKNOWN", "unknown"),
        ("BARU", "unknown"),
    ],
)  # fmt: skip
def test_states_are_translated_by_a_table(word: str, state: str):
    report = parse_receipt(short(f"id:1 stat:{word} err:000".encode(), esm_class=4))
    assert (report.state, bool(report.reason)) == (state, state in {"failed", "unknown"})


def test_a_few_digits_are_not_taken_for_another_writing_of_an_id():
    ids = SentIds()
    ids.add("16")
    assert ids.known_as(["10"]) == "10"
    assert ids.known_as(["22"]) == "22"
    ids.add("1a")
    assert ids.known_as(["26"]) == "1a"


@given(st.lists(st.text("0123456789abcdefABCDEF", min_size=1, max_size=12), min_size=1), st.text(max_size=8))
def test_any_id_is_looked_up_without_a_fault(given_ids: list[str], asked: str):
    ids = SentIds(at_most=3)
    for id in given_ids:
        ids.add(id)
    assert ids.known_as([given_ids[-1]]) == given_ids[-1]
    assert ids.known_as([asked]) is not None
    assert ids.known_as([]) is None

"""What only short messages have: numbers, segments, charsets, reports."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from msgspec.structs import replace

from connectors import Http, Request
from connectors._gsm import readable, segments
from connectors.sms import number
from schemas import Receipt, Reject
from tests.channels.recording import channel, raw, read, reply
from tests.fakes.kannel import Kannel


@pytest.mark.parametrize("said", ["081200000001", "6281200000001", "+62 812-0000-0001", "0062812 0000 0001"])
def test_case_10_one_citizen_however_the_number_is_written(said: str):
    assert number(said) == "+6281200000001"


@pytest.mark.parametrize("said", ["1708", "TELKOMSEL", "INFO-62811"])
def test_short_codes_and_names_are_no_numbers(said: str):
    assert number(said) == said


def test_case_10_the_written_form_is_kept():
    (message,) = read(channel("sms"), raw("sms", Request("GET", "from=0812-0000-0001&text=halo")))
    assert (message.sender.phone, message.conversation) == ("0812-0000-0001", "+6281200000001")


@pytest.mark.parametrize("id", ["", "null", "NULL", "none", "00000000-0000-0000-0000-000000000000"])
def test_case_17_an_id_that_is_none_gives_a_fingerprint_instead(id: str):
    (message,) = read(channel("sms"), raw("sms", Request("GET", f"from=081200000001&text=halo&ts=1&id={id}")))
    assert message.id == ""
    assert message.fingerprint


def test_a_fingerprint_tells_sender_text_and_time_apart():
    queries = [f"from={f}&text={t}&ts={at}" for f in ("0812000001", "0812000002") for t in "ab" for at in (1, 2)]
    read_ = [read(channel("sms"), raw("sms", Request("GET", query)))[0] for query in queries]
    assert len({message.fingerprint for message in read_}) == len(queries)


@pytest.mark.parametrize(
    ("text", "encoding", "parts"),
    [
        ("", "GSM-7", 1),
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("a" * 306, "GSM-7", 2),
        ("a" * 307, "GSM-7", 3),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("ā" * 70, "UCS-2", 1),
        ("ā" * 71, "UCS-2", 2),
        ("😡" * 35, "UCS-2", 1),
        ("😡" * 36, "UCS-2", 2),
        ("😡" * 67, "UCS-2", 3),
    ],
)
def test_segments_are_counted_as_the_network_counts(text: str, encoding: str, parts: int):
    counted = segments(text)
    assert (counted.encoding, len(counted.parts)) == (encoding, parts)
    assert "".join(counted.parts) == text


def test_no_character_is_torn_between_segments():
    assert all(part.encode("utf-16-be").decode("utf-16-be") for part in segments("ā😡" * 100).parts)


@pytest.mark.parametrize(
    ("data", "charset", "coding"),
    [
        ("Banjir é".encode(), "", "0"),
        ("Banjir é".encode("utf-16-be"), "UTF-16BE", "2"),
        ("Banjir é".encode("utf-16-le"), "UTF-16BE", "2"),
        ("Banjir é".encode("utf-16"), "UCS-2", ""),
        ("Banjir é".encode("latin-1"), "UTF-8", "0"),
        ("Banjir é".encode("latin-1"), "8-BIT", "1"),
        ("Banjir é".encode(), "UTF-16BE", "2"),
        ("Banjir é".encode(), "no-such-charset", ""),
    ],
)
def test_case_16_text_is_readable_whatever_it_is_labelled(data: bytes, charset: str, coding: str):
    assert readable(data, charset, coding) == "Banjir é"


def test_a_name_cannot_be_answered():
    with Http() as http, pytest.raises(Reject, match="not a number"):
        channel("sms", send_url="http://127.0.0.1:1").send(replace(reply("sms"), to="TELKOMSEL"), http)


def test_the_token_may_come_as_a_header():
    channel("sms").verify(Request("GET", "from=1", {"x-token": "rahasia-gerbang"}))


def test_the_reader_finds_the_keywords():
    assert channel("sms").keywords == {"TANGKAB": "36.03"}


def test_without_send_url_the_reply_says_what_to_set():
    with Http() as http, pytest.raises(Reject, match="no send_url is set for this account"):
        channel("sms").send(reply("sms"), http)


def test_more_segments_than_one_message_can_have_are_refused():
    with Http() as http, pytest.raises(Reject, match="at most 255"):
        channel("sms", send_url="http://127.0.0.1:1").send(reply("sms", "a" * 153 * 256), http)


def test_kannel_takes_a_long_reply_whole_and_reports_back_to_the_same_door():
    text = "Laporan Anda kami teruskan. 😊" * 9
    with Kannel() as kannel, Http() as http:
        door = channel("sms", send_url=kannel.send_url, token="rahasia%gerbang&")
        assert door.send(reply("sms", text), http) is None
        (sent,), (report,) = kannel.sent, kannel.reports(1)
    assert (sent["text"], sent["coding"]) == (text, "2")
    request = Request("GET", urlsplit(report).query)
    door.verify(request)
    (receipt,) = read(door, raw("sms", request))
    assert isinstance(receipt, Receipt)
    assert (receipt.reply, receipt.state) == ("balasan-1", "delivered")


def test_kannel_refuses_a_wrong_password():
    with Kannel(password="lain") as kannel, Http() as http, pytest.raises(Reject, match="403"):
        channel("sms", send_url=kannel.send_url).send(reply("sms"), http)

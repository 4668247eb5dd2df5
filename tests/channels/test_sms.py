"""Peculiarities of short messages: numbers, segments, charsets, reports."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors import ProviderConnections, Request
from connectors._gsm import decode_best_guess, split_into_segments
from connectors._numbers import normalize_number
from schemas import AccountFault, Receipt, Reject
from tests.channels.recording import channel, raw, read, reply
from tests.fakes.kannel import Kannel

HTTP: Any = None
OFFLINE = ProviderConnections(HTTP)


@pytest.mark.parametrize("written", ["081200000001", "6281200000001", "+62 812-0000-0001", "0062812 0000 0001"])
def test_case_10_one_citizen_in_every_form_of_the_number(written: str):
    assert normalize_number(written) == "+6281200000001"


@pytest.mark.parametrize(
    ("written", "known"),
    [("0081312345678", "+81312345678"), ("+81312345678", "+81312345678"), ("00601234567", "+601234567")],
)
def test_a_number_with_its_country_is_not_made_one_of_ours(written: str, known: str):
    assert normalize_number(written) == known


@pytest.mark.parametrize("code", ["3603", "36.3", "99.99", "Kabupaten Tangerang"])
def test_a_keyword_stands_for_a_region_that_exists(code: str):
    with pytest.raises(ValueError, match="keywords: TANGKAB"):
        channel("sms", keywords={"TANGKAB": code})


@pytest.mark.parametrize("written", ["1708", "TELKOMSEL", "INFO-62811"])
def test_short_codes_and_names_are_no_numbers(written: str):
    assert normalize_number(written) == written


def test_case_10_the_written_form_is_kept():
    (message,) = read(channel("sms"), raw("sms", Request("GET", "", "from=0812-0000-0001&text=halo")))
    assert (message.sender.phone, message.conversation) == ("0812-0000-0001", "+6281200000001")


@pytest.mark.parametrize("id", ["", "null", "NULL", "none", "00000000-0000-0000-0000-000000000000"])
def test_case_17_an_id_that_is_none_gives_a_fingerprint_instead(id: str):
    (message,) = read(channel("sms"), raw("sms", Request("GET", "", f"from=081200000001&text=halo&ts=1&id={id}")))
    assert message.id == ""
    assert message.fingerprint


def test_a_fingerprint_tells_sender_text_and_time_apart():
    queries = [f"from={f}&text={t}&ts={at}" for f in ("0812000001", "0812000002") for t in "ab" for at in (1, 2)]
    messages = [read(channel("sms"), raw("sms", Request("GET", "", query)))[0] for query in queries]
    assert len({message.fingerprint for message in messages}) == len(queries)


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
    counted = split_into_segments(text)
    assert (counted.encoding, len(counted.parts)) == (encoding, parts)
    assert "".join(counted.parts) == text


def test_no_character_is_torn_between_segments():
    assert all(part.encode("utf-16-be").decode("utf-16-be") for part in split_into_segments("ā😡" * 100).parts)


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
def test_case_16_text_is_readable_under_any_label(data: bytes, charset: str, coding: str):
    assert decode_best_guess(data, charset, coding) == "Banjir é"


def test_the_token_may_come_as_a_header():
    channel("sms").verify(Request("GET", "", "from=1", {"x-token": "rahasia-gerbang"}))


def test_the_reader_finds_the_keywords():
    assert channel("sms").keywords == {"TANGKAB": "36.03"}


@pytest.mark.parametrize(
    ("text", "to", "code"),
    [("Halo", "TELKOMSEL", "sender_is_a_name"), ("a" * 153 * 256, "+628120000001", "text_too_long")],
)
async def test_a_reply_that_can_never_be_sent_says_why(text: str, to: str, code: str):
    with pytest.raises(Reject) as caught:
        await channel("sms", send_url="http://127.0.0.1:1").send(reply("sms", text, to=to), OFFLINE)
    assert caught.value.code == code


async def test_kannel_takes_a_long_reply_whole_and_reports_back_to_the_same_address(outbound: ProviderConnections):
    text = "Laporan Anda kami teruskan. 😊" * 9
    with Kannel() as kannel:
        door = channel("sms", send_url=kannel.send_url, token="rahasia%gerbang&")
        assert (await door.send(reply("sms", text), outbound)).native_ids == ()
        (sent,), (report,) = kannel.sent, kannel.reports(1)
    assert (sent["text"], sent["coding"]) == (text, "2")
    request = Request("GET", "", urlsplit(report).query)
    door.verify(request)
    (receipt,) = read(door, raw("sms", request))
    assert isinstance(receipt, Receipt)
    assert (receipt.reply, receipt.state) == ("balasan-1", "delivered")


async def test_kannel_refuses_a_wrong_password(outbound: ProviderConnections):
    with Kannel(password="lain") as kannel, pytest.raises(AccountFault, match="wrong_password"):
        await channel("sms", send_url=kannel.send_url).send(reply("sms"), outbound)


def test_the_gateways_configuration_names_every_parameter_that_is_read():
    text = channel("sms").setup_help("https://x/in/sms")
    query = text.partition("?")[2].partition('"')[0]
    assert set(parse_qs(query)) == {"token", "from", "to", "text", "id", "ts", "charset", "coding", "udh", "smsc"}

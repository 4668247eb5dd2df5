"""Peculiarities of rows of files: a zone of their own, ids from the line, words for people."""

from __future__ import annotations

import json

import msgspec
import pytest

from connectors import Request
from connectors._rows import FAULTS
from tests.channels.recording import channel, raw, read


def row(line: int = 1, **fields: object) -> Request:
    return Request("POST", "", "", {"row-line": str(line)}, json.dumps({"text": "Macet total", **fields}).encode())


def test_a_zone_that_is_none_stops_the_start():
    with pytest.raises(msgspec.ValidationError, match="zone takes the name of a zone"):
        channel("file", zone="Asia/Bandung Raya")


@pytest.mark.parametrize("value", ["true", "1", "ya", "YA", True, 1])
def test_yes_has_many_words(value: object):
    (message,) = read(channel("file"), raw("file", row(anonymous=value)))
    assert message.anonymous is True


@pytest.mark.parametrize("value", ["0025-08-17", "9999-12-31T23:59:59-12:00"])
def test_a_year_far_away_is_a_slip(value: str):
    (reject,) = read(channel("file"), raw("file", row(line=4, sent_at=value)))
    assert reject.detail.startswith('line 4: "sent_at" lies far from our time')


def test_a_row_without_any_id_is_its_own_conversation():
    (message,) = read(channel("file"), raw("file", row(), id="raw-9"))
    assert (message.id, message.conversation) == ("", "raw-9")


def test_an_attachment_whose_bytes_are_with_the_blobs_is_fetched():
    request = row(attachments=["a.jpg"])
    files = '[{"native_id": "a.jpg", "name": "a.jpg", "sha256": "ab", "size": 2, "state": "fetched"}]'
    stored = raw("file", Request("POST", "", "", {**request.headers, "row-files": files}, request.body))
    (message,) = read(channel("file"), stored)
    assert [(a.name, a.state, a.size) for a in message.attachments] == [("a.jpg", "fetched", 2)]


def test_a_row_cannot_claim_a_file_that_lies_with_the_blobs():
    (reject,) = read(channel("file"), raw("file", row(attachments=[{"name": "a.jpg", "sha256": "ab" * 32}])))
    assert reject.code == "wrong_attachments"


def test_a_column_named_line_is_the_offices_own():
    (message,) = read(channel("file"), raw("file", Request(body=b'{"text": "Macet", "line": "bus 7"}')))
    assert message.extra == {"line": "bus 7"}


def test_a_row_names_the_channel_it_came_by_first():
    (message,) = read(channel("file"), raw("file", row(id="1", channel="telegram")))
    assert (message.id, message.channel) == ("telegram/rekam/1", "telegram")
    (reject,) = read(channel("file"), raw("file", row(line=3, channel="Merpati Pos")))
    assert reject.detail.startswith('line 3: "channel" takes a kind of channel')


def test_a_row_that_is_none_names_its_line():
    (reject,) = read(channel("file"), raw("file", Request("POST", "", "", {"row-line": "3"}, b"{broken")))
    assert reject.detail == "line 3: a row is one JSON object: this one is not"


def test_a_refusal_holds_no_words_of_the_citizen():
    (reject,) = read(channel("file"), raw("file", row(line=3, sent_at="kemarin, kata Bu Sari", text="rahasia warga")))
    assert "Sari" not in reject.detail
    assert "warga" not in reject.detail


def test_a_whole_number_has_no_point():
    (message,) = read(channel("file"), raw("file", row(id=2.0, sender=6281200000601.0)))
    assert (message.native_id, message.sender.phone) == ("2", "6281200000601")


def test_a_number_whose_last_digits_are_lost_stays_as_written():
    request = Request(body=b'{"text": "Macet", "sender": 6.28E+12, "id": 6.281200000602e12}')
    (message,) = read(channel("file"), raw("file", request))
    assert (message.native_id, message.sender.phone) == ("6281200000602", "6.28E+12")


@pytest.mark.parametrize("name", ["attachments", "tags"])
def test_a_list_without_end_is_named(name: str):
    row = {"text": "Macet", name: ["a.jpg"] * 101}
    (reject,) = read(channel("file"), raw("file", Request(body=json.dumps(row).encode())))
    assert (reject.code, reject.detail) == (f"wrong_{name}", f'"{name}" takes at most 100 of them')


@pytest.mark.parametrize(
    "body",
    [b'{"text": "a", "text": "b"}', b'{"text" : "a", "text": "b"}', b'{"text": "a", "secret":true, "secret" :false}',
     b'{"text": "a", "extra": {"x": 1, "x": 2}}', b'{"text": "a", "te\\u0078t": "b"}',
     b'{"text": "a", "x\\ud83d": 1, "x\\ud83c": 2}'],
)  # fmt: skip
def test_a_field_that_stands_twice_is_named(body: bytes):
    (reject,) = read(channel("file"), raw("file", Request("POST", "", "", {"row-line": "2"}, body)))
    assert (reject.code, reject.detail[:7]) == ("field_twice", "line 2:")


@pytest.mark.parametrize(
    "body", [b'{"text": "Macet", "x": NaN}', b'{"text": "a"} {"text": "b"}', b"[" * 100_000, b"\xff"]
)
def test_what_is_no_object_is_named(body: bytes):
    (reject,) = read(channel("file"), raw("file", Request(body=body)))
    assert reject.code == "not_an_object"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_file_is_said_of_the_row(fault: str):
    headers = {"row-line": "7", "row-fault": fault}
    (reject,) = read(channel("file"), raw("file", Request("POST", "", "", headers, b'{"text": "Macet"}')))
    assert (reject.code, reject.detail) == (fault, f"line 7: {FAULTS[fault]}")


@pytest.mark.parametrize(
    ("written", "code"),
    [("32.73", "32.73"), ("3273", "32.73"), (3273, "32.73"), (32.73, "32.73"), ("32,73", "32.73"), ("32", "32"),
     ("327301", "32.73.01"), ("3273011001", "32.73.01.1001"), ("32,73,01", "32.73.01")],
)  # fmt: skip
def test_forms_that_can_only_be_one_region_are_read(written: object, code: str):
    (message,) = read(channel("file"), raw("file", row(region=written)))
    assert message.place is not None
    assert (message.place.code, message.place.words) == (code, None)


@pytest.mark.parametrize("written", ["32.1", 32.1, "32.73.0", "99.99", "32.99", "327", "3.273E+03", "0", "32..73"])
def test_a_code_of_no_region_is_named(written: object):
    (reject,) = read(channel("file"), raw("file", row(line=5, region=written)))
    assert reject.detail.startswith('line 5: "region" takes a region code')


@pytest.mark.parametrize("written", ["Kota Bandung", "Kab. Garut"])
def test_a_regions_name_stays_as_words(written: str):
    (message,) = read(channel("file"), raw("file", row(region=written)))
    assert message.place is not None
    assert (message.place.code, message.place.words, message.place.source) == (None, written, "said")

"""Peculiarities of rows of files: a zone of their own, ids from the line, words for people."""

from __future__ import annotations

import json

import msgspec
import pytest

from connectors import Request
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


def test_an_attachment_whose_bytes_are_kept_is_fetched():
    (message,) = read(channel("file"), raw("file", row(attachments=[{"name": "a.jpg", "sha256": "ab", "size": 2}])))
    assert [(a.name, a.state, a.size) for a in message.attachments] == [("a.jpg", "fetched", 2)]


def test_a_column_named_line_is_the_offices_own():
    (message,) = read(channel("file"), raw("file", Request(body=b'{"text": "Macet", "line": "bus 7"}')))
    assert message.extra == {"line": "bus 7"}


def test_a_row_names_the_channel_it_came_by_first():
    (message,) = read(channel("file"), raw("file", row(id="1", channel="telegram")))
    assert (message.id, message.channel) == ("file/rekam/1", "telegram")
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

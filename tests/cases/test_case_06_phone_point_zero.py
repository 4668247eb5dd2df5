"""A phone that went through a column of numbers is still that phone."""

from __future__ import annotations

from tests.cases.conftest import INPUTS, Satupintu


def test_a_point_zero_is_no_digit(satupintu: Satupintu):
    senders = [message["sender"] for message in satupintu("parse", "file", INPUTS / "06" / "phones.csv").out]
    assert [sender["phone"] for sender in senders] == [
        "+6281200000601", "+6281200000602", "+6281200000603", "+62215550604", "+6281200000605", "+6281200000606",
    ]  # fmt: skip
    assert senders[0]["phone_written"] == "6281200000601.0"


def test_numbers_of_json_are_read_by_their_digits(satupintu: Satupintu):
    messages = satupintu("parse", "file", INPUTS / "06" / "phones.ndjson").out
    assert [message["sender"]["phone"] for message in messages] == ["+6281200000601", "+6281200000602"]
    assert [message["id"].rpartition("/")[2] for message in messages] == ["1", "2"]

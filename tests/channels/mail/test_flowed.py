"""Paragraphs that a mail program broke for the way (RFC 3676) are whole again."""

from __future__ import annotations

import pytest

from tests.channels.mail.reading import mail, read_message

FLOWED = "Content-Type: text/plain; charset=utf-8; Format=Flowed"


@pytest.mark.parametrize(("text", "wanted"), [
    ("Jalan di depan pasar \r\nberlubang sejak \r\nlama.", "Jalan di depan pasar berlubang sejak lama."),
    ("Jalan rusak.\r\n\r\nMohon \r\ndiperbaiki.", "Jalan rusak.\n\nMohon diperbaiki."),
    ("Lokasi:\r\n* pasar \r\nlama\r\n* terminal", "Lokasi:\n* pasar lama\n* terminal"),
    (" From the market \r\n > 2 lubang\r\n  menjorok", "From the market > 2 lubang\n menjorok"),
    ("Jalan rusak. \r\n-- \r\nSari", "Jalan rusak."),
    ("Jalan rusak. ", "Jalan rusak."),
], ids=["one", "two", "list", "stuffed", "signature", "end"])  # fmt: skip
def test_paragraphs_are_put_together(text: str, wanted: str):
    assert read_message(mail(text, FLOWED)).text == wanted


def test_letters_that_were_torn_apart_meet():
    assert read_message(mail("Jalan di depan pa \r\nsar rusak.", f"{FLOWED}; DelSp=Yes")).text == (
        "Jalan di depan pasar rusak."
    )


def test_a_quote_does_not_run_into_the_answer():
    text = "Masih rusak, \r\n> Sudah \r\n> diperbaiki.\r\ndi ujung \r\njalan."
    read = read_message(mail(text, FLOWED, "In-Reply-To: <m0@warga.example>")).text
    assert read == "Masih rusak, \ndi ujung jalan."


def test_other_texts_keep_their_lines():
    assert read_message(mail("Jalan \r\nrusak.", "Content-Type: text/plain")).text == "Jalan \nrusak."

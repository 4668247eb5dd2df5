"""No name of a charset keeps a mail from being taken in: not one of the codecs that Python itself knows."""

from __future__ import annotations

import encodings
from encodings.aliases import aliases
from pkgutil import iter_modules

import pytest

from connectors import Request
from tests.channels.mail.reading import read_one
from tests.channels.recording import channel

CODECS = sorted({*aliases.values(), *(module.name for module in iter_modules(encodings.__path__)), "a\0b"})
FORMS = {
    "a text": b"Content-Type: text/plain; charset=%s\r\n\r\nJalan \xe9 rusak",
    "a part": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=%s\r\n\r\n"
    b"Jalan \xe9 rusak\r\n--b--",
    "a report": b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=%s\r\n\r\n"
    b"disposition \xe9\r\n--b--",
    "a boundary": b"Content-Type: multipart/mixed; boundary*=%s''%%e9b\r\n\r\nJalan rusak",
    "a boundary without quotes": b"Content-Type: multipart/mixed; boundary*0*=\"\xa9%s''\0b\"\r\n\r\nJalan rusak",
    "a file's name": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: application/x; name*=%s''%%e9\r\n\r\nx\r\n--b--",
    "a subject": b"Subject: =?%s?q?=e9?=\r\n\r\nJalan rusak",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_a_mail_is_taken_in_whatever_charset_it_names(form: bytes) -> None:
    for codec in CODECS:
        body = b"From: sari@warga.example\r\nMessage-ID: <1@warga.example>\r\n" + form % codec.encode()
        _ = list(channel("email").enclosed_files(Request(body=body)))
        assert getattr(read_one(body), "code", None) is None, codec

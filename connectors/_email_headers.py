"""The head of a mail: its fields, bounded and in readable words. Header fields come in any bytes and any length."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Mail
from email.parser import BytesHeaderParser
from email.policy import Compat32
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from connectors._email_charset import decode_text

HEAD_LIMIT = 256 * 1024
"""Bytes of a head that are read."""
FIELD_LIMIT = 16 * 1024
"""Bytes of one field that are read; the rest of it is left out."""
FIELDS = 2000
IDS = 100
"""References of one mail that are looked at."""
_WORDS_LIMIT = 4000
"""Characters of a field that are decoded."""
_END = re.compile(rb"\r?\n\r?\n|\r\r")
_FOLDED = re.compile(r"[\r\n]+[ \t]*")
_WORD = r"=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?="
_RUN = re.compile(rf"{_WORD}(?:\s+{_WORD})*")
_ID = re.compile(r"<([^<>]{1,998})>")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,200}@[^\s@<>,;:\"()\[\]\\]{1,255}")


class _Unchanged(Compat32):
    """Fields as they came, their bytes as surrogates; the library's own rule makes U+FFFD of what is not ASCII."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        return value


POLICY = _Unchanged()
_parser = BytesHeaderParser(policy=POLICY)


class Address(NamedTuple):
    """A name and an address, the address in lower case."""

    name: str
    address: str


_KNOWN = frozenset({
    "from", "to", "cc", "subject", "date", "message-id", "received", "return-path", "mime-version", "content-type",
    "sender", "reply-to", "delivered-to", "in-reply-to", "references", "content-transfer-encoding", "resent-from",
})  # fmt: skip


class MailHead:
    """The fields of a head."""

    def __init__(self, fields: Mail) -> None:
        self.fields = fields
        self.names = frozenset(name.lower() for name in fields.keys()[:FIELDS])

    @classmethod
    def parse(cls, mail: bytes) -> MailHead:
        """The head of a mail's bytes."""
        return cls(_parser.parsebytes(head_of(mail)))

    @property
    def is_head(self) -> bool:
        """False: no field of a mail stands there, so the bytes are a text."""
        return not _KNOWN.isdisjoint(self.names)

    def all(self, name: str) -> list[str]:
        """Each field of that name, unfolded, as ASCII with bytes that are none as surrogates."""
        return [str_of(value) for value in self.fields.get_all(name, [])[:IDS]]

    def first(self, name: str) -> str:
        """The first field of that name; empty where there is none."""
        return next(iter(self.all(name)), "")

    def words(self, name: str) -> str:
        """The first field of that name in readable words."""
        return decode_words(self.first(name))

    def addresses(self, *names: str) -> list[Address]:
        """The addresses in these fields, in order."""
        try:
            found = getaddresses([value for name in names for value in self.all(name)])
        except RecursionError:  # comments inside comments
            found = []
        pairs = [(decode_words(name), address.strip().lower()) for name, address in found[:FIELDS]]
        if not any("@" in address for _, address in pairs):
            pairs = [("", a.lower()) for n in names for v in self.all(n) for a in _ADDRESS.findall(v)]
        return [Address(name, decode_words(address)) for name, address in pairs if "@" in address.strip("@")]

    def ids(self, name: str) -> list[str]:
        """The message ids in the fields of that name, without their brackets."""
        return [id for value in self.all(name) for id in ids_in(value)][:IDS]

    @property
    def message_id(self) -> str:
        """Without brackets; empty where there is none."""
        return next(iter(self.ids("message-id")), "")

    def time(self, zone: ZoneInfo) -> datetime | None:
        """When it was sent, as its author's machine says; None where it says nothing that can be read."""
        try:
            at = parsedate_to_datetime(self.first("date"))
            return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
            return None


def head_of(mail: bytes) -> bytes:
    """The head of a mail, bounded: long fields are cut, and all after the limit is left out."""
    mail = mail.lstrip(b"\r\n")[: HEAD_LIMIT + 4]
    end = _END.search(mail)
    head = mail[: end.start() if end else HEAD_LIMIT]
    if len(head) < FIELD_LIMIT:
        return head + b"\n\n"
    return b"\n".join(_bounded(head.splitlines())) + b"\n\n"


def with_bounded_head(mail: bytes) -> bytes:
    """The whole mail with its head bounded."""
    end = _END.search(mail[: HEAD_LIMIT + 4])
    return mail if end and end.start() < FIELD_LIMIT else head_of(mail) + mail[end.end() if end else HEAD_LIMIT :]


def _bounded(lines: list[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    size = 0
    for line in lines:
        size = size + len(line) if line[:1] in b" \t" and kept else len(line)
        if size <= FIELD_LIMIT:
            kept.append(line)
        elif size == len(line):  # one long line is cut, not lost
            kept.append(line[:FIELD_LIMIT])
    return kept


def ids_in(value: str) -> list[str]:
    """The ids in a field; a field without brackets holds one id a word."""
    found = _ID.findall(value[:FIELD_LIMIT]) or value[:FIELD_LIMIT].replace("<", " ").replace(">", " ").split()
    return [clean for id in found[:IDS] if (clean := decode_words("".join(id.split())))]


def str_of(value: object) -> str:
    """A field as one line of a bounded length."""
    return _FOLDED.sub(" ", str(value)[:FIELD_LIMIT]).strip()


def decode_words(value: str) -> str:
    """Encoded words and bare bytes of a field as text, of a bounded length; never raises."""
    value = _bare(value[:_WORDS_LIMIT])
    return _RUN.sub(_decoded, value) if "=?" in value else value


def _decoded(run: re.Match[str]) -> str:
    """Encoded words that follow one another, as one text: a character may be cut between two."""
    try:
        parts = decode_header(run[0])
    except (HeaderParseError, ValueError, LookupError):
        return run[0]
    return "".join(decode_text(text, label) if isinstance(text, bytes) else text for text, label in parts)


def _bare(value: str) -> str:
    """Text whose bytes stand as surrogates."""
    return value if value.isascii() else decode_text(value.encode("utf-8", "surrogateescape"))

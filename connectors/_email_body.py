"""The body of a mail: its words and its files, whatever the MIME structure; bounded in depth, parts and size."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message as Mail
from typing import NamedTuple

from connectors._email_charset import decode_text, is_usable
from connectors._email_flowed import unwrap
from connectors._email_headers import POLICY, MailHead, decode_words, str_of, with_bounded_head
from connectors._email_html import HTML_LIMIT, TAG_LIMIT, text_of_html
from schemas import Reject

DEPTH = 20
PARTS = 500
FILES = 100
TEXT_LIMIT = 1_000_000
"""Characters."""
_NESTED = 3
"""Mails inside one another whose words are read."""
_UNNAMED = frozenset({"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_NOT_IN_NAMES = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_WORD = re.compile(r"\w+")
_CODED_BOUNDARY = re.compile(rb"boundary\*", re.IGNORECASE)
_NEARLY_ALL = 0.8
_LABEL = 60
"""Characters of the name of a charset."""
_STUB, _SAMPLE = 300, 200_000
"""Characters of a text that may be one, and of the HTML beside it that are looked at."""
_STRUCTURE = 2000
"""Boundaries and mails inside; more are no mail that a person wrote."""


class MailFile(NamedTuple):
    """A file that a mail carries."""

    name: str
    media_type: str
    body: bytes


class MailText(NamedTuple):
    """A text as it stands in a part."""

    source: str
    is_html: bool
    plainly: bool = False
    """It has too many tags to be laid out."""


@dataclass
class MailBody:
    """What a mail says and carries."""

    texts: list[MailText] = field(default_factory=list)
    """In order; of alternatives the one that is read."""
    files: list[MailFile] = field(default_factory=list)
    forwarded: list[str] = field(default_factory=list)
    """Mails that are attached, as text."""
    parts: int = 0
    html_left: int = HTML_LIMIT
    """Characters of HTML that are still taken, of attached mails too."""
    tags_left: int = TAG_LIMIT
    """Tags of HTML that are still laid out."""

    def add_html(self, source: str) -> None:
        """As far as it is still taken."""
        source = source[: self.html_left]
        tags = source.count("<")
        self.texts.append(MailText(source, True, plainly=tags > self.tags_left))
        self.html_left -= len(source)
        self.tags_left -= tags if tags <= self.tags_left else 0

    @property
    def text(self) -> str:
        """The words as written, the quotes still in them; those of attached mails below."""
        return "\n\n".join((*self._own_texts(), *self.forwarded))[:TEXT_LIMIT]

    def _own_texts(self) -> Iterator[str]:
        """Some programs put the same words as text and as HTML side by side, and not as alternatives."""
        plain = _words_in("\n".join(text.source for text in self.texts if not text.is_html))
        for source, is_html, plainly in self.texts:
            text = text_of_html(source, plainly=plainly) if is_html else source
            if text.strip() and not (is_html and plain and _is_said_in(plain, text)):
                yield text


def parse_mail(data: bytes, *, has_head: bool = True) -> Mail:
    """The structure of a mail; without a head it is one text. Raises Reject where it is nested too deeply to be one."""
    data = data.lstrip(b"\r\n") if has_head else b"\n" + data
    lowered = data.lower()
    if lowered.count(b"boundary") + lowered.count(b"message/") > _STRUCTURE:
        raise Reject("nested_too_deep", "more parts inside one another than a mail has")
    bounded = with_bounded_head(data)
    try:
        try:
            return message_from_bytes(bounded, policy=POLICY)
        except (ValueError, LookupError):  # the library decodes a boundary by whatever charset it names (RFC 2231)
            return message_from_bytes(_CODED_BOUNDARY.sub(b"unusable*", bounded), policy=POLICY)
    except RecursionError:
        raise Reject("nested_too_deep", "more mails inside one another than can be read") from None


def read_body(mail: Mail) -> MailBody:
    """The words and files of a mail."""
    body = MailBody()
    _walk(mail, body, 0)
    for file in [f for f in body.files if _is_tnef(f)]:
        _unpack_tnef(file, body)
    return body


def _walk(part: Mail, body: MailBody, depth: int) -> None:
    body.parts += 1
    if body.parts > PARTS or depth > DEPTH:
        return
    media = part.get_content_type()
    payload = payload_of(part)
    if media == "message/rfc822" and isinstance(payload, list) and payload:
        _attached_mail(payload[0], body, depth)
    elif isinstance(payload, list):
        before = len(body.texts)
        for inner in payload:
            if isinstance(inner, Mail):
                _walk(inner, body, depth + 1)
        if media == "multipart/alternative":
            body.texts[before:] = _chosen(body.texts[before:])
    elif media not in _UNNAMED:
        _leaf(part, media, body)


def _leaf(part: Mail, media: str, body: MailBody) -> None:
    name, label = file_name(part), charset_of(part)
    data = _bytes_of(part)
    is_file = part.get_content_disposition() == "attachment" or (bool(name) and not media.startswith("text/"))
    if media.startswith("multipart/"):  # its boundary stands nowhere: one run of text
        media, is_file = "text/plain", False
    if media == "text/html" and not is_file:
        body.add_html(decode_text(data, label))
    elif media == "text/plain" and not is_file:
        body.texts.append(MailText(_plain_text(part, decode_text(data, label)[:TEXT_LIMIT]), False))
    elif data and len(body.files) < FILES:
        body.files.append(MailFile(name or "lampiran", media, data))


def _plain_text(part: Mail, text: str) -> str:
    """As its author wrote it."""
    parameters = {name: _parameter(part, name, "content-type").strip().lower() for name in ("format", "delsp")}
    if parameters["format"] != "flowed":
        return text
    return unwrap(text, delete_space=parameters["delsp"] == "yes")


def _chosen(texts: list[MailText]) -> list[MailText]:
    """Of alternatives the plain one, unless it is blank, or says only that there is another."""
    plain = [text for text in texts if not text.is_html and text.source.strip()]
    rich = [text for text in texts if text.is_html and text.source.strip()]
    return rich if rich and _is_stub(plain, rich) else plain


def _is_stub(plain: list[MailText], rich: list[MailText]) -> bool:
    """ "To view the message, please use an HTML compatible email viewer!", as programs behind forms of websites write
    in the place of the words: all their mails would say the same."""
    written = "\n".join(text.source for text in plain)
    if len(written) > _STUB:
        return False
    source = "\n".join(text.source for text in rich)[:_SAMPLE]
    words, shown = _words_in(written), _words_in(html.unescape(source))
    return not words or len(words & shown) < len(words) / 2


def _words_in(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _is_said_in(plain: frozenset[str], text: str) -> bool:
    """Do nearly all words of the text stand there too?"""
    words = _words_in(text)
    return len(words & plain) >= _NEARLY_ALL * len(words)


def _bytes_of(part: Mail) -> bytes:
    _require_charset(part)
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def payload_of(part: Mail) -> object:
    """Its text, or the parts inside."""
    _require_charset(part)
    return part.get_payload()


def _require_charset(part: Mail) -> None:
    """The library decodes by whatever charset the mail names: one that is no word, or that fails by itself as `idna`
    does, is taken out."""
    try:
        label = part.get_param("charset", "")
    except (ValueError, LookupError, TypeError, AttributeError):
        label = None
    if not (isinstance(label, str) and len(label) <= _LABEL and is_usable(label)):
        part.replace_header("content-type", part.get_content_type())


def _attached_mail(mail: Mail, body: MailBody, depth: int) -> None:
    """A mail that is attached: its words below the own ones, its files among the own ones."""
    inner = MailBody(parts=body.parts, html_left=body.html_left, tags_left=body.tags_left)
    _walk(mail, inner, depth + 1)
    body.parts, body.html_left, body.tags_left = inner.parts, inner.html_left, inner.tags_left
    head = MailHead(mail)
    if depth < _NESTED and len(body.forwarded) < FILES:
        lines = [f"Dari: {head.words('from')}", f"Tanggal: {head.words('date')}", f"Perihal: {head.words('subject')}"]
        body.forwarded.append("\n".join(("---------- Pesan terusan ----------", *lines, "", inner.text)))
    body.files.extend(inner.files[: FILES - len(body.files)])


def file_name(part: Mail) -> str:
    """The file's name, in readable words, without folders; empty where it has none."""
    raw = _parameter(part, "filename", "content-disposition") or _parameter(part, "name", "content-type")
    name = _NOT_IN_NAMES.sub("", decode_words(raw)).replace("\\", "/").rpartition("/")[2]
    return name.strip(" .")[-200:]


def charset_of(part: Mail) -> str:
    """The label of the charset; empty where there is none."""
    return _parameter(part, "charset", "content-type")[:_LABEL]


def _parameter(part: Mail, name: str, header: str) -> str:
    try:
        value = part.get_param(name, "", header)
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""
    if isinstance(value, tuple):
        charset, _, text = value
        return decode_text(str(text).encode("latin-1", "replace"), charset or "utf-8") if text else ""
    return str_of(value)


def _is_tnef(file: MailFile) -> bool:
    return file.media_type in _TNEF or file.name.lower() == "winmail.dat"


def _unpack_tnef(file: MailFile, body: MailBody) -> None:
    """The files of Outlook's winmail.dat, and its words where the mail has no others. It stays if it cannot be read."""
    try:
        found = list(_tnef_files(file.body, body))
    except Exception:  # the library raises anything for bytes that are no TNEF; the file itself stays visible
        return
    if found:
        body.files = [f for f in body.files if f is not file] + found
        del body.files[FILES:]


def _tnef_files(data: bytes, body: MailBody) -> Iterator[MailFile]:
    from tnefparse import TNEF

    tnef = TNEF(data, do_checksum=False)
    if not any(text.source.strip() for text in body.texts):
        found = [(tnef.body, False), (tnef.htmlbody, True)]
        given = [MailText(t if isinstance(t, str) else decode_text(t), is_html) for t, is_html in found if t]
        body.texts += _chosen(given)
    for one in tnef.attachments:
        name = _NOT_IN_NAMES.sub("", one.long_filename() or "").replace("\\", "/").rpartition("/")[2]
        yield MailFile(name.strip(" .")[-200:] or "lampiran", "application/octet-stream", bytes(one.data))

"""Mails of every kind, and bytes that are hardly mails: raw kept, best text, never a fault of ours."""

from __future__ import annotations

import base64
import time
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors import Request
from connectors._email_charset import decode_text
from schemas import Message, Reject
from tests.channels.mail.reading import OURS, OWN_ID, SARI, TEXT, mail, read_message, read_one
from tests.channels.recording import cases, channel, raw, read

LONG = "Jalan di depan pasar berlubang, café tutup, mohon segera diperbaiki oleh dinas terkait. "
CHARSETS = [
    ("us-ascii", LONG.encode()), ("gb2312", LONG.encode()), ("windows-1258", LONG.encode()), ("", LONG.encode()),
    ("nihil-8", LONG.encode("cp1252")), ("iso-8859-1", LONG.encode()), ("iso-8859-1", LONG.encode("latin-1")),
    ("utf-8", LONG.encode("cp1252")), ("utf-16", LONG.encode("utf-16")), ("utf-16be", LONG.encode("utf-16-be")),
    ("utf-16", LONG.encode()), ("utf-7", LONG.encode("utf-7")), ("base64", LONG.encode()), ("\"utf-8\"", LONG.encode()),
    ("rot13", LONG.encode()), ("us-ascii", LONG.encode("cp1252")),
]  # fmt: skip


@pytest.mark.parametrize(("label", "data"), CHARSETS, ids=[f"{n} {label}" for n, (label, _) in enumerate(CHARSETS)])
def test_case_18_a_charset_that_lies_gives_the_text(label: str, data: bytes):
    assert decode_text(data, label) == LONG


def test_chinese_and_japanese_labels_hold():
    assert decode_text("道路坏了".encode("gb2312"), "gb2312") == "道路坏了"
    assert decode_text("道路が壊れた".encode("iso-2022-jp"), "iso-2022-jp") == "道路が壊れた"


def parts(*bodies: bytes, kind: str = "mixed", boundary: str = "b") -> bytes:
    """A mail of these parts, each with its own head."""
    inside = b"".join(b"--" + boundary.encode() + b"\r\n" + body + b"\r\n" for body in bodies)
    head = f'From: {SARI}\r\nMessage-ID: <m1@x>\r\nContent-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return head.encode() + inside + f"--{boundary}--\r\n".encode()


PLAIN = b"Content-Type: text/plain\r\n\r\nJalan rusak."
HTML = b"Content-Type: text/html\r\n\r\n<p>Jalan <b>rusak</b>.</p>"
HTML_CELLS = b"Content-Type: text/html\r\n\r\n<table><tr>" + b"<td>a" * 10_000
HTML_PART = b"Content-Type: text/html\r\n\r\n" + b"<p>kata lain</p>" * 60_000
ATTACHED = b"Content-Type: message/rfc822\r\n\r\n" + HTML_PART
FOOTER = b"Content-Type: text/plain\r\n\r\nPesan ini rahasia."
PHOTO = b"Content-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(b"foto")


@pytest.mark.parametrize(("body", "text", "names"), [
    (parts(PLAIN, HTML, kind="alternative"), "Jalan rusak.", []),
    (parts(HTML, kind="alternative"), "Jalan rusak.", []),
    (parts(b"Content-Type: text/plain\r\n\r\n \r\n", HTML, kind="alternative"), "Jalan rusak.", []),
    (parts(HTML, FOOTER), "Jalan rusak.\n\nPesan ini rahasia.", []),
    (parts(PLAIN, HTML), "Jalan rusak.", []),
    (parts(PLAIN, PHOTO), "Jalan rusak.", ["a.jpg"]),
    (parts(PLAIN, PHOTO, b"Content-Type: text/plain\r\n\r\nDan lampu."), "Jalan rusak.\n\nDan lampu.", ["a.jpg"]),
    (parts(PHOTO), "Foto", ["a.jpg"]),
    (parts(PLAIN, b'Content-Type: text/plain; name="surat.txt"\r\nContent-Disposition: attachment\r\n\r\nisi'),
     "Jalan rusak.", ["surat.txt"]),
    (parts(PLAIN, b'Content-Disposition: attachment; filename="../../etc/passwd"\r\n'
                  b"Content-Type: application/x\r\n\r\nx"), "Jalan rusak.", ["passwd"]),
    (parts(PLAIN, b'Content-Type: application/pdf; name="\xe9\xff.pdf"\r\n\r\nx'), "Jalan rusak.", ["éÿ.pdf"]),
    (parts(PLAIN, b"Content-Type: application/pgp-signature; name=s.asc\r\n\r\nx", kind="signed"), "Jalan rusak.", []),
    (parts(PLAIN, b"Content-Type: text/plain; name*\r\n\r\nJuga lampu."), "Jalan rusak.\n\nJuga lampu.", []),
], ids=["alternative", "HTML only", "a blank alternative", "HTML above a server's footer",
        "the same twice", "a photo", "around a photo", "a photo alone", "a text file", "a name with folders",
        "bad bytes in a name (case 18)", "signed", "an empty parameter"])  # fmt: skip
def test_mime_gives_words_and_files(body: bytes, text: str, names: list[str]):
    message = read_message(body.replace(b"From:", b"Subject: Foto\r\nFrom:", 1))
    assert (message.text, [file.name for file in message.attachments]) == (text, names)


@pytest.mark.parametrize("body", [
    parts(PLAIN, PHOTO), f"From: {SARI}\r\n".encode() + PHOTO,
    f"From: {SARI}\r\nContent-Disposition: attachment\r\n\r\nfoto".encode(),
    f"From: {SARI}\r\nContent-Type: message/rfc822\r\n\r\n".encode() + PHOTO,
], ids=["beside words", "alone", "a text as a file", "in a mail that is passed on"])  # fmt: skip
def test_a_file_is_named_by_what_is_stored_before(body: bytes):
    (stored,) = channel("email").enclosed_files(Request(body=body))
    (file,) = read_message(body).attachments
    assert (stored, file.sha256, file.size, file.state) == (b"foto", sha256(b"foto").hexdigest(), 4, "fetched")


@pytest.mark.parametrize(("media", "kind"), [("image/png", "image"), ("audio/amr", "audio"), ("video/mp4", "video"),
                                             ("application/pdf", "document")])  # fmt: skip
def test_a_mail_of_one_file_is_of_its_kind(media: str, kind: str):
    message = read_message(parts(f"Content-Type: {media}; name=x\r\n\r\nisi".encode()))
    assert (message.kind, message.text) == (kind, "")


def test_a_mail_that_is_attached_is_read_with_its_files():
    inner = parts(b"Content-Type: text/plain\r\n\r\nLampu mati.", PHOTO, boundary="c")
    message = read_message(parts(PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + inner))
    assert message.text.startswith("Jalan rusak.")
    assert message.text.endswith("Lampu mati.")
    assert "Pesan terusan" in message.text
    assert [file.name for file in message.attachments] == ["a.jpg"]


def test_a_winmail_dat_is_unpacked_and_nonsense_under_its_name_stays():
    damaged = parts(PLAIN, b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nbukan tnef")
    assert [file.name for file in read_message(damaged).attachments] == ["winmail.dat"]
    head = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    whole = parts(PLAIN, head + base64.b64encode(tnef(b"peta.txt", b"isi peta")))
    assert [(file.name, file.size) for file in read_message(whole).attachments] == [("peta.txt", 8)]


def tnef(name: bytes, data: bytes) -> bytes:
    """A TNEF stream with one file."""

    def attribute(level: int, code: int, body: bytes) -> bytes:
        checksum = (sum(body) & 0xFFFF).to_bytes(2, "little")
        return bytes([level]) + code.to_bytes(4, "little") + len(body).to_bytes(4, "little") + body + checksum

    rendered = attribute(2, 0x00069002, b"\x01\x00" + b"\xff" * 4 + b"\x00" * 8)
    title, content = attribute(2, 0x00018010, name + b"\0"), attribute(2, 0x0006800F, data)
    version = attribute(1, 0x00089006, b"\x00\x00\x01\x00")
    return (0x223E9F78).to_bytes(4, "little") + b"\x01\x00" + version + rendered + title + content


@pytest.mark.parametrize("fields", [
    {"message_id": ""}, {"message_id": "<>"}, {"message_id": "bukan id"}, {"message_id": "<" + "x" * 5000 + ">"},
    {"date": "kemarin"}, {"date": "Mon, 99 Foo 2099 99:99:99 +9999"}, {"from_": ""}, {"from_": "<<<@@@>>>"},
    {"from_": "Sari"}, {"subject": "=?utf-8?b?!!!?= =?nihil?q?a?="}, {"subject": "x" * 100_000},
    {"content_type": "multipart/mixed"}, {"content_type": "text/plain; charset"}, {"content_type": ";;;"},
    {"content_type": "text/plain; charset*=utf-8''utf-8"}, {"content_type": f"text/plain; charset={'x' * 90}é"},
    {"content_transfer_encoding": "base64"}, {"content_transfer_encoding": "nihil"}, {"references": "<" * 50_000},
], ids=lambda fields: next(f"{name} {value[:16]}" for name, value in fields.items()))  # fmt: skip
def test_case_05_19_a_broken_field_loses_no_mail(fields: dict[str, str]):
    assert isinstance(read_one(mail("Café tutup.", **fields)), Message)


def test_case_05_without_an_id_the_same_bytes_have_the_same_id():
    first, again = read_message(mail(message_id="")), read_message(mail(message_id=""))
    assert first.native_id == again.native_id != read_message(mail("Lain", message_id="")).native_id


def test_a_date_ahead_of_its_receipt_gives_way_to_the_mailboxes():
    item = read_one(mail(date="Mon, 1 Jan 2035 00:00:00 +0000"), headers={"internal-date": "2025-08-18T01:00:00+00:00"})
    assert item.sent_at.isoformat() == "2025-08-18T01:00:00+00:00"


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n", b"\x00\x01\x02\x03", b"\x89PNG\r\n\x1a\n\x00\x00"])
def test_what_is_no_mail_is_a_reject(body: bytes):
    assert read_one(body).code == "not_a_mail"


def test_a_text_without_a_head_is_a_message_of_nobody():
    message = read_message(b"Catatan: jalan rusak\n\nDi depan pasar")
    assert (message.text, message.sender.email) == ("Catatan: jalan rusak\n\nDi depan pasar", None)


HOSTILE = {
    "nested mails": b"Content-Type: message/rfc822\r\n\r\n" * 1990 + b"From: a@b.c\r\n\r\nx",
    "nested parts": b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(990)
    ),
    "more boundaries than a mail has": b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n' * 2500,
    "encoded words": b"From: a@b.c\r\nSubject: " + b"=?utf-8?b?YQ==?= " * 20_000 + b"\r\n\r\nx",
    "many fields": b"From: a@b.c\r\n" + b"X-Y: z\r\n" * 50_000 + b"\r\nx",
    "many addresses": b"From: a@b.c\r\nTo: " + b"a@b.c, " * 50_000 + b"\r\n\r\nx",
    "many parts": parts(*[PLAIN] * 20_000),
    "one long line": b"From: a@b.c\r\n\r\n" + b"x" * 3_000_000,
    "HTML": b"From: a@b.c\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 200_000,
    "HTML that is never closed": b"From: a@b.c\r\nContent-Type: text/html\r\n\r\n"
    + b"<b>" * 200
    + b"<style>" * 140_000,
    "HTML of many cells": b"From: a@b.c\r\nContent-Type: text/html\r\n\r\n<table><tr>" + b"<td>a" * 200_000,
    "HTML of many cells in many parts": parts(*[HTML_CELLS] * 20),
    "much HTML": parts(*[HTML_PART] * 8),
    "much HTML in attached mails": parts(*[ATTACHED] * 8),
    "comments": b"From: " + b"(" * 50_000 + b"\r\n\r\nx",
    "quotes": b"From: a@b.c\r\n\r\n" + b"> On Mon <a@b> wrote:\r\n" * 50_000,
    "percent parameters": b"From: a@b.c\r\nContent-Type: text/plain; " + b"name*0*=%41;" * 2000 + b"\r\n\r\nx",
}


@pytest.mark.slow
@pytest.mark.parametrize("body", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_mails_cost_little(body: bytes):
    began = time.process_time()
    item = read_one(body)
    assert isinstance(item, Message) or item.code == "nested_too_deep"
    assert time.process_time() - began < 4


@pytest.mark.parametrize(("plain", "html", "wanted"), [
    ("To view the message, please use an HTML compatible email viewer!", f"<p>{TEXT}</p>", TEXT),
    ("Pesan ini memerlukan HTML.", f"<style>p {{ color: red }}</style><p>{TEXT}</p>", TEXT),
    (TEXT, f"<p>{TEXT}</p>", TEXT), (TEXT, "<p>Jalan di depan pasar <b>berlubang</b>.</p>", TEXT),
    ("Caf\u00e9 tutup.", "<p>Caf&eacute; tutup.</p>", "Caf\u00e9 tutup."), (TEXT, "", TEXT),
    ("", f"<p>{TEXT}</p>", TEXT), ("--", f"<p>{TEXT}</p>", TEXT),
    ("Foto: [1]", "<p>Foto: <img src='cid:1'></p>", "Foto: [1]"),
])  # fmt: skip
def test_of_alternatives_the_one_with_the_words_is_read(plain: str, html: str, wanted: str):
    parts = "".join(f"--b\r\nContent-Type: text/{kind}; charset=utf-8\r\n\r\n{text}\r\n"
                    for kind, text in (("plain", plain), ("html", html)))  # fmt: skip
    body = f"{parts}--b--"
    assert read_message(mail(body, "Content-Type: multipart/alternative; boundary=b")).text == wanted


@pytest.mark.parametrize(("results", "server", "proven"), [
    ("mx.example.go.id; dmarc=pass header.from=warga.example", "mx.example.go.id", True),
    ("mx.example.go.id 1; dkim=pass (good) header.d=warga.example", "mx.example.go.id", True),
    ("mx.example.go.id; dkim=pass header.i=@warga.example; spf=fail", "mx.example.go.id", True),
    ("mx.example.go.id; dkim=pass header.d=lain.example", "mx.example.go.id", False),
    ("mx.example.go.id; dmarc=fail header.from=warga.example", "mx.example.go.id", False),
    ("mx.example.go.id; spf=pass smtp.mailfrom=warga.example", "mx.example.go.id", False),
    ("mx.lain.example; dmarc=pass header.from=warga.example", "mx.example.go.id", False),
    ("mx.example.go.id (dmarc=pass header.from=warga.example); none", "mx.example.go.id", False),
    ("mx.example.go.id; dmarc=pass header.from=warga.example", "", False),
    ("", "mx.example.go.id", False), ("", "unnamed", False),
    ("spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=warga.example; dkim=pass (signature was verified) "
     "header.d=warga.example;dmarc=pass action=none header.from=warga.example;compauth=pass", "unnamed", True),
    ("spf=pass smtp.mailfrom=lain.example; dkim=none; dmarc=fail header.from=warga.example", "unnamed", False),
    ("mx.lain.example; dmarc=pass header.from=warga.example", "unnamed", False),
    ("dmarc=pass header.from=warga.example", "mx.example.go.id", False),
])  # fmt: skip
def test_a_sender_is_proven_by_our_own_server_only(results: str, server: str, proven: bool):
    assert read_message(mail(authentication_results=results), trusted_server=server).proven is proven


@pytest.mark.parametrize(("from_", "reply_to"), [
    ("Formulir <formulir@example.go.id>", "Sari <sari@warga.example>"),
    ("'Sari' via Pengaduan <pengaduan@example.go.id>", "sari@warga.example"),
    ("Formulir <formulir@example.go.id>", "pengaduan@example.go.id, Sari <sari@warga.example>"),
])  # fmt: skip
def test_who_writes_by_a_form_or_a_list_is_whom_it_names_and_proves_nothing(from_: str, reply_to: str):
    """All who use the form would be one proven person, who sees the reports of all others."""
    signed = "mx.example.go.id; dmarc=pass header.from=example.go.id"
    written = mail(TEXT, from_=from_, reply_to=reply_to, authentication_results=signed)
    message = read_message(written, trusted_server="mx.example.go.id")
    assert (message.sender.email, message.proven) == ("sari@warga.example", False)
    assert "Sari" in (message.sender.name or "")
    assert message.conversation.startswith("sari@warga.example/")


@pytest.mark.parametrize(("from_", "lines", "person"), [
    (SARI, ("Reply-To: warga@list.example",), "sari@warga.example"),
    ("'Sari' via Warga <warga@list.example>", ("Reply-To: warga@list.example",), None),
    ("'Sari' via Warga <warga@list.example>", ("Reply-To: warga@list.example", f"X-Original-From: {SARI}"),
     "sari@warga.example"),
])  # fmt: skip
def test_a_list_gets_no_answer(from_: str, lines: tuple[str, ...], person: str | None):
    """All its readers would read the number."""
    written = mail(TEXT, "List-Post: <mailto:warga@list.example>", *lines, from_=from_)
    message = read_message(written)
    assert (message.sender.email, message.answerable) == (person, person is not None)
    assert channel("email").reply_address(message).startswith("mailto:sari@" if person else "")
    assert "list" not in channel("email").reply_address(message)


def test_one_s_own_address_in_reply_to_is_still_proven():
    signed = "mx.example.go.id; dmarc=pass header.from=warga.example"
    written = mail(TEXT, reply_to="SARI@warga.example", authentication_results=signed)
    assert read_message(written, trusted_server="mx.example.go.id").proven is True


def test_our_own_mailbox_is_no_citizen():
    """An answer would come back to us, and count as sent."""
    signed = "mx.example.go.id; dmarc=pass header.from=example.go.id"
    message = read_message(mail(from_=OURS, authentication_results=signed), trusted_server="mx.example.go.id")
    assert (message.text, message.refusal) == (TEXT, None)
    assert (message.sender.email, message.proven, message.answerable) == (None, False, False)
    assert channel("email").reply_address(message) == ""


def test_only_the_topmost_result_counts():
    ours, forged = "mx.example.go.id; dmarc=fail", "mx.example.go.id; dmarc=pass header.from=warga.example"
    lines = (f"Authentication-Results: {ours}", f"Authentication-Results: {forged}")
    assert read_message(mail(TEXT, *lines), trusted_server="mx.example.go.id").proven is False


def test_case_22_a_thread_is_its_first_mail_and_who_wrote():
    first = read_message(mail())
    ours = f"sp.balasan-9.{first.conversation.rpartition('/')[2]}@example.go.id"
    answers = [
        mail(message_id="<m2@x>", in_reply_to=f"<{ours}>", references=f"<m1@warga.example> <{ours}>"),
        mail(message_id="<m3@x>", in_reply_to=f"<{ours}>"),
        mail(message_id="<m4@x>", in_reply_to="<rewritten@relay>", references="<m1@warga.example> <rewritten@relay>"),
    ]
    assert {read_message(answer).conversation for answer in answers} == {first.conversation}
    stranger = read_message(mail(from_="budi@lain.example", in_reply_to=f"<{ours}>", message_id="<m5@x>"))
    assert stranger.conversation != first.conversation
    unknown = read_message(mail(in_reply_to="<never@seen>", message_id="<m6@x>"))
    assert unknown.conversation not in {first.conversation, stranger.conversation}


def test_case_06_the_same_mail_in_two_mailboxes_has_one_fingerprint():
    ours = read_one(mail(), headers={"internal-date": "2025-08-18T01:00:00+00:00"})
    theirs = read_one(mail(), headers={"internal-date": "2025-08-18T01:00:09+00:00"}, address="lain@example.go.id")
    assert ours.fingerprint == theirs.fingerprint != read_message(mail("Lampu mati.")).fingerprint


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damaged_mails_are_a_reject_at_worst(data: st.DataObject):
    body = bytearray(data.draw(st.sampled_from([case.request.body for case in cases("email")])))
    for _ in range(data.draw(st.integers(1, 6))):
        at, piece = data.draw(st.integers(0, len(body))), data.draw(st.binary(max_size=8))
        body[at : at + data.draw(st.integers(0, 40))] = piece
    for item in read(channel("email"), raw("email", Request(body=bytes(body)))):
        assert not isinstance(item, Reject) or item.code != "channel_bug", item.detail
    channel("email").enclosed_files(Request(body=bytes(body)))


def test_our_own_id_is_kept_as_a_reference():
    assert read_message(mail(in_reply_to=f"<{OWN_ID}>")).refers_to == OWN_ID

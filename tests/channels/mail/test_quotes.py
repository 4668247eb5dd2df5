"""The citizen's own words, without the mail that is answered and without signatures."""

from __future__ import annotations

import time

import pytest

from connectors._email_html import text_of_html
from connectors._email_quotes import trim_reply

WORDS = "Sudah saya kirim fotonya."
OLD = "Laporan Anda kami terima.\nDi mana tepatnya?"
QUOTED = "> Laporan Anda kami terima.\n> Di mana tepatnya?"
HEADS = {
    "Gmail": "Pada Sel, 3 Feb 2026 pukul 10.05 Pengaduan <pengaduan@example.go.id> menulis:",
    "Gmail, with tanggal": "Pada tanggal Sel, 3 Feb 2026 pukul 10.05 Pengaduan <pengaduan@example.go.id> menulis:",
    "Gmail on Android": 'Pada 3 Feb 2026 10.05, "Pengaduan" <pengaduan@example.go.id> menulis:',
    "Gmail, over lines": "Pada Sel, 3 Feb 2026 pukul 10.05 Layanan Pengaduan\n<pengaduan@example.go.id>\nmenulis:",
    "Gmail, English": "On Tue, Feb 3, 2026 at 10:05 AM Pengaduan <pengaduan@example.go.id> wrote:",
    "Yahoo": "Pada Selasa, 3 Februari 2026 10.05.33 WIB, Pengaduan <pengaduan@example.go.id> menulis:",
    "Apple": "Pada 3 Feb 2026, pukul 10.05, Pengaduan <pengaduan@example.go.id> menulis:",
    "Thunderbird": "On 03/02/26 10.05, Pengaduan <pengaduan@example.go.id> wrote:",
    "an old Gmail": "2026-02-03 10:05 GMT+07:00 Pengaduan <pengaduan@example.go.id>:",
    "Outlook": "Dari: Pengaduan <pengaduan@example.go.id>\nDikirim: Selasa, 3 Februari 2026 10.05\nKepada: Sari\n"
    "Subjek: Re: Laporan\n",
    "Outlook, a rule above": "________________________________\nDari: Pengaduan <pengaduan@example.go.id>\n"
    "Dikirim: Selasa, 3 Februari 2026 10.05\nKepada: Sari\nPerihal: Re: Laporan\n",
    "Outlook, English": "From: Pengaduan <pengaduan@example.go.id>\nSent: Tuesday, February 3, 2026 10:05 AM\nTo: S\n"
    "Subject: Re: Laporan\n",
    "Outlook, bold": "*Dari:* Pengaduan <pengaduan@example.go.id>\n*Terkirim:* 3 Februari 2026 10:05\n*Kepada:* Sari\n"
    "*Perihal:* Laporan\n",
    "Pesan Asli": "-----Pesan Asli-----\nDari: Pengaduan",
    "Original Message": "-----Original Message-----\nFrom: Pengaduan",
}
SIGNATURES = [
    "Dikirim dari iPhone saya", "Dikirim dari Yahoo Mail di Android", "Terkirim dari ponsel Samsung saya",
    "Dapatkan Outlook untuk Android", "Sent from my iPhone", "Sent from Yahoo Mail on Android", "Get Outlook for iOS",
    "-- \nSari\nRT 05 RW 02", "--\nSari", "Dikirim dari Outlook untuk Android", "Dikirim dari Galaxy saya",
]  # fmt: skip
LEFT_ALONE = [
    "Pada hari Selasa pukul 10 petugas datang dan menulis:\nJalan ditutup sampai besok.",
    "Pada tanggal 3 Februari 2026 pukul 10.05 petugas datang dan menulis:\nJalan ditutup.",
    "Dari: terminal sampai pasar jalan berlubang\nmohon diperbaiki",
    "Dari: Sari\nKepada: Dinas Pekerjaan Umum\nPerihal: Jalan rusak\n\nDengan hormat, mohon diperbaiki.",
    "Rute angkot:\n> terminal\n> pasar\nsering macet",
    "Sent from my desk, is much easier than my phone.",
    "Dikirim dari gudang, tetapi pupuk belum sampai.",
    "Jalan -- yang di depan pasar -- rusak.",
    "Tanggal: 3 Februari 2026\nJam: 10.05\nTempat: Pasar",
    "Petugas menulis:\nbesok datang",
]


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
@pytest.mark.parametrize("below", [OLD, QUOTED], ids=["plain", "marked"])
def test_what_is_answered_is_left_out(head: str, below: str):
    assert trim_reply(f"{WORDS}\n\n{head}\n{below}\n", is_reply=True) == WORDS


@pytest.mark.parametrize("head", [h for h in HEADS.values() if h.endswith(":")], ids=lambda h: h[:20])
def test_words_below_the_quote_stay(head: str):
    assert trim_reply(f"{head}\n{QUOTED}\n\n{WORDS}", is_reply=True) == WORDS


def test_words_between_the_quotes_stay():
    text = f"{HEADS['Gmail']}\n> Di mana?\nDi RT 05.\n> Sejak kapan?\nSejak Senin."
    assert trim_reply(text, is_reply=True) == "Di RT 05.\nSejak Senin."


@pytest.mark.parametrize("signature", SIGNATURES)
def test_a_signature_is_left_out(signature: str):
    assert trim_reply(f"{WORDS}\n\n{signature}\n", is_reply=False) == WORDS


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_a_citizens_words_are_left_alone(text: str):
    assert trim_reply(text, is_reply=False) == text


@pytest.mark.parametrize("text", [text for text in LEFT_ALONE if ">" not in text])
def test_a_citizens_words_are_left_alone_in_an_answer(text: str):
    assert trim_reply(text, is_reply=True) == text


@pytest.mark.parametrize("line", [
    "---------- Pesan terusan ---------", "---------- Forwarded message ---------", "Begin forwarded message:",
    "-------- Pesan yang Diteruskan --------", "Mulai pesan terusan:",
])  # fmt: skip
def test_a_forward_stays_below_its_line(line: str):
    forwarded = f"{line}\nDari: Tono <tono@warga.example>\nDate: 3 Feb 2026 10.05\nSubject: Lampu\n\n{OLD}"
    assert trim_reply(f"Mohon dibantu.\n\n{forwarded}", is_reply=True) == f"Mohon dibantu.\n{forwarded}"


def test_a_forward_of_outlook_stays_by_its_subject():
    text = f"Mohon dibantu.\n\n{HEADS['Outlook']}\n{OLD}"
    assert trim_reply(text, is_reply=False, is_forward=True) == text


@pytest.mark.parametrize("head", HEADS.values(), ids=list(HEADS))
def test_what_a_mail_shows_that_answers_none_stays(head: str):
    """Outlook forwards so, and the subject may be one's own."""
    text = f"Mohon dibantu laporan warga ini.\n\n{head}\n{OLD}"
    assert trim_reply(text, is_reply=False) == text


def test_where_nothing_would_be_left_all_stays():
    text = f"{HEADS['Gmail']}\n{OLD}"
    assert trim_reply(text, is_reply=True) == text


@pytest.mark.parametrize(
    "line", ["On " * 160, "a@" * 240, "On " + "a@" * 220 + " wrote:", "-" * 480, "1-" + "<a@" * 150]
)
def test_hostile_lines_cost_little(line: str):
    began = time.process_time()
    trim_reply("\n".join([line] * 2000), is_reply=True)
    assert time.process_time() - began < 2


HTML = {
    "a quote of Gmail": ('<div>Sudah.</div><div class="gmail_quote"><div class="gmail_attr">Pada Sel, 3 Feb 2026 pukul '
                         '10.05 P &lt;<a href="mailto:p@example.go.id">p@example.go.id</a>&gt; menulis:<br></div>'
                         '<blockquote class="gmail_quote">Di mana?</blockquote></div>', "Sudah."),
    "a quote of Apple without a head": ('Sudah.<blockquote type="cite">Di mana?</blockquote>', "Sudah."),
    "a citizen's own blockquote": ("<p>Bunyi papan:</p><blockquote>Dilarang parkir</blockquote>",
                                   "Bunyi papan:\n\n    Dilarang parkir"),
    "a forward in a blockquote": ('Mohon.<blockquote type="cite"><div>Begin forwarded message:</div>Lampu mati'
                                  "</blockquote>", "Mohon.\nBegin forwarded message:\nLampu mati"),
}  # fmt: skip


@pytest.mark.parametrize(("html", "wanted"), HTML.values(), ids=list(HTML))
def test_quotes_in_html(html: str, wanted: str):
    text = trim_reply(text_of_html(f"<html><body>{html}</body></html>"), is_reply=True)
    assert [line.strip() for line in text.splitlines()] == [line.strip() for line in wanted.splitlines()]


ODD_HTML = [
    "<div>" * 5000 + "Jalan rusak", "<table><tr><td>" * 300 + "Jalan rusak", "Jalan rusak<",
    "<!--" * 1000 + "--> Jalan rusak", "\x00<p>Jalan rusak</p>", "<?xml version='1.0'?>Jalan rusak",
]  # fmt: skip


@pytest.mark.parametrize("html", ODD_HTML, ids=lambda html: html[:12].strip("\x00"))
def test_odd_html_gives_its_words(html: str):
    assert "Jalan rusak" in text_of_html(html)

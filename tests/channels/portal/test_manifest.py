"""Manifests: mistakes are lines with table, key and fix; what expressions and answers of each format become."""

from __future__ import annotations

import gzip
import io
import json
import re
import time
import zipfile
from pathlib import Path

import pytest

from connectors._portal_expressions import compile_expression
from connectors._portal_loading import SHIPPED, load_manifest, manifest_schema, parse_manifest
from connectors._portal_manifest import Stream
from connectors._portal_rows import NotRows, decode_answer, rows_in
from hub.cli import run_command

GOOD = """
name = "p"
url = "https://p.example.go.id"
[streams.a]
path = "/a"
[streams.a.message]
id = "id"
text = "isi"
"""
ROWS = [{"id": "1", "isi": "Jalan; rusak"}, {"id": "2", "isi": "Lampu mati"}]


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.toml")))
def test_what_is_shipped_can_be_loaded(name: str) -> None:
    assert load_manifest(name).streams


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ('path = "/a"', 'pat = "/a"'),
        ("[streams.a.message]", '[streams.a.paging]\ntype = "pages"\n[streams.a.message]'),
        ('text = "isi"', 'text = "isi-nya["'),
        ('path = "/a"', ""),
        ('name = "p"', 'name = "p"\nzone = "Asia/Sleman"'),
        ('name = "p"', 'name = "p"\npoll_every = "often"'),
        ('url = "https://p.example.go.id"', 'url = "p.example"'),
        ("[streams.a]", '[tables.region]\nDepok = "34-04"\n[streams.a]'),
        ("[streams.a]", '[push]\ntype = "key"\nstream = "b"\n[streams.a]'),
        ("[streams.a]", '[auth]\ntype = "key"\n[streams.a]'),
        ('text = "isi"', 'text = "isi"\n[streams.a.paging]\ntype = "cursor"'),
        ('text = "isi"', 'text = "isi"\n[streams.a.paging]\ntype = "keyset"'),
    ],
)
def test_a_mistake_is_one_line_with_table_and_key(change: str, line: str) -> None:
    assert parse_manifest(GOOD, "m.toml")
    with pytest.raises(ValueError, match=r"^m\.toml: (?:\[[^\n]*\])?[^\n]*: [^\n]+$"):
        parse_manifest(GOOD.replace(change, line), "m.toml")


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        ('name = "p"', 'name = "p"\npoll_every = "5 menit"', "m.toml: poll_every: takes a duration"),
        ('name = "p"', 'name = "p"\ndates = "dmy"', "m.toml: dates: takes one of strict, day-first, month-first"),
        (
            "[streams.a.message]",
            '[streams.a.paging]\ntype = "x"\n[streams.a.message]',
            "[streams.a.paging] type: takes one of none, page, ",
        ),
        ("[streams.a]", '[tables.status]\nProses = "x"\n[streams.a]', "status: takes one of unverified, verified, "),
        ('id = "id"\n', "", "[streams.a.message] id: is missing: add it"),
        (
            "[streams.a]",
            '[streams.b]\npath = "/b"\nitems = "data"\n[streams.b.message]\nid = "id"\n[streams.a]',
            "[streams.b.message] text: is missing: add it",
        ),
        ('text = "isi"', 'text = "teks(isi)"', "[streams.a.message] text: there is no function teks"),
        ('text = "isi"', 'text = "Isi Laporan"', "a name with blanks or other signs stands in quotes"),
    ],
    ids=["duration", "dates", "paging", "status", "missing", "missing in another", "function", "blank"],
)
def test_a_mistake_says_what_to_write(change: str, line: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_manifest(GOOD.replace(change, line), "m.toml")


def test_every_mistake_is_named() -> None:
    wrong = GOOD.replace("https://", "").replace('path = "/a"', "").replace('"isi"', '"isi-["')
    with pytest.raises(ValueError, match="url") as fault:
        parse_manifest(wrong, "m.toml")
    assert len(str(fault.value).splitlines()) == 3


def test_the_schema_for_editors_is_the_written_one() -> None:
    written = Path(__file__).parents[3] / "docs" / "manifest.schema.json"
    assert written.read_bytes() == manifest_schema(), "python -m deploy.manifest_schema"


@pytest.mark.parametrize(
    ("source", "row", "value"),
    [
        ("a.b", {"a": {"b": 1}}, 1),
        ("a.b", {"a": "x"}, None),
        ("a > `1`", {"a": "x"}, None),
        ("to_number(a) > `1`", {"a": "2"}, True),
        ("phone(a)", {"a": 81234567890.0}, "81234567890"),
        ("phone(a)", {"a": "6.28E+12"}, None),
        ("number(a)", {"a": "1.234,5"}, 1234.5),
        ("number(a)", {"a": "utara"}, None),
        ("text(a)", {"a": "<p>Jalan &amp; jembatan</p>"}, "Jalan & jembatan"),
        ("text(a)", {"a": "tekanan < 2 bar"}, "tekanan < 2 bar"),
        ("text(a)", {"a": "<p>Satu<br>dua</p><p>tiga <b>besar</b></p>"}, "Satu\ndua\ntiga besar"),
        ("text(a)", {"a": "<style>p{}</style><table><tr><td>Jalan</td></tr></table>"}, "Jalan"),
        ("string(a)", {"a": 12.0}, "12"),
        (
            "label(a, 'Lokasi')",
            {"a": "Permasalahan: Banjir Lokasi: Jl. Melati 3 Detail Alamat Laporan: RT 2"},
            "Jl. Melati 3",
        ),
        ("label(a, 'Lokasi')", {"a": "Lokasi:\nTelepon: 0812"}, ""),
        ("lines([a, b])", {"a": "x"}, "x"),
        ("number(split(a, ',')[1])", {"a": "-3.97, 122.51"}, 122.51),
        ("split(a, ',')[0]", {"a": None}, None),
    ],
)
def test_an_expression_never_fails(source: str, row: dict[str, object], value: object) -> None:
    assert compile_expression(source)(row) == value


def test_a_label_costs_little_however_its_words_are_spaced() -> None:
    began = time.process_time()
    words = f"{'Lokasi' * 9000}: a{' ' * 100_000}b"
    assert compile_expression("label(a, 'Lokasi')")({"a": f"Lokasi: {words}"}) == words
    assert time.process_time() - began < 2


CSV = 'id;isi\n1;"Jalan; rusak"\n2;Lampu mati\n'
XML = """<?xml version='1.0'?><d xmlns='urn:x'>
<a><id>1</id><isi>Jalan; rusak</isi></a><a><id>2</id><isi>Lampu mati</isi></a></d>"""


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("json", json.dumps(ROWS).encode()),
        ("json", gzip.compress(json.dumps(ROWS).encode())),
        ("csv", CSV.encode("utf-8-sig")),
        ("csv", CSV.encode("utf-16")),
        ("csv", b"sep=;\n" + CSV.encode()),
        ("xml", XML.encode()),
    ],
)
def test_rows_of_every_format_are_the_same(form: str, body: bytes) -> None:
    found = decode_answer(Stream(format=form), body)
    assert (found["a"] if form == "xml" else found) == ROWS


@pytest.mark.parametrize(
    ("form", "body", "read"),
    [
        (
            "json",
            b'[{"id": 1, "lat": NaN}, {"id": 2, "lat": -1e999}]',
            [{"id": 1, "lat": None}, {"id": 2, "lat": None}],
        ),
        ("xml", b"<d><a>Jalan\x0b rusak &#1;&#xD83D;&#9;baru</a></d>", {"a": "Jalan  rusak   \tbaru"}),
        ("csv", b"id;isi\n1;" + b"x" * 200_000, [{"id": "1", "isi": "x" * 200_000}]),
    ],
    ids=["numbers that are none", "characters that XML has no place for", "a long cell"],
)
def test_one_odd_value_hides_no_other_rows(form: str, body: bytes, read: object) -> None:
    """Else the portal would be asked for the same list for ever."""
    assert decode_answer(Stream(format=form), body) == read


def test_a_zip_of_one_file_is_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("aduan.csv", CSV)
    assert decode_answer(Stream(format="csv"), packed.getvalue()) == ROWS


@pytest.mark.parametrize("form", ["json", "csv", "xml"])
@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html></html>", b"PK\x03\x04zip", b"\x1f\x8bgzip"])
def test_a_page_or_a_broken_archive_is_no_list_of_rows(form: str, body: bytes) -> None:
    with pytest.raises(NotRows):
        decode_answer(Stream(format=form), body)


def test_xml_reads_no_file_of_ours(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("rahasia")
    body = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]><d><a>&x;</a><b>1</b></d>'
    assert decode_answer(Stream(format="xml"), body.encode()) == {"a": None, "b": "1"}


def test_a_sample_shows_what_each_row_would_become(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, sample = tmp_path / "m.toml", tmp_path / "s.json"
    manifest.write_text(GOOD)
    sample.write_text(json.dumps([{"id": 1, "isi": "Jalan rusak", "dilihat": 3}, {"id": 2}]))
    assert run_command(["channels", "test", str(manifest), "--sample", str(sample)]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out)["native_id"] == "1"
    for words in ("2 rows: 1 reports, 1 unreadable", "not used: dilihat", "row 2"):
        assert words in shown.err
    assert run_command(["parse", "portal", str(sample), "--manifest", str(manifest)]) == 2
    assert capsys.readouterr().out == shown.out


def test_a_sample_names_what_the_manifest_does_not_find(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest, sample = tmp_path / "m.toml", tmp_path / "s.json"
    more = 'latitude = "titik"\nattachments = "berkas"\nplace = "lokasi"\nanonymous = "anonim"\n'
    manifest.write_text(GOOD.replace('text = "isi"\n', f'text = "isi"\n{more}'))
    row = {"id": 1, "isi": "Jalan rusak", "titik": "-3.97,122.51", "berkas": [{"alamat": "/1.jpg"}], "lokasi": "Pasar"}
    sample.write_text(json.dumps([row, {"id": 2, "isi": "Lampu mati"}]))
    assert run_command(["channels", "test", str(manifest), "--sample", str(sample)]) == 0
    named = [line.split(":")[0] for line in capsys.readouterr().err.splitlines() if "no row has one" in line]
    assert named == ["attachments", "latitude"]


def test_a_sample_whose_list_lies_elsewhere_says_where_to_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, sample = tmp_path / "m.toml", tmp_path / "s.xml"
    manifest.write_text(
        'name = "RSS"\nurl = "https://x.example/"\n[streams.item]\npath = "/rss"\nformat = "xml"\n'
        'items = "rss.channel.item"\n[streams.item.message]\nid = "guid"\ntext = "text(description)"\n'
        'sent_at = "pubDate"\n'
    )
    item = "<item><guid>{0}</guid><description>Lampu mati {0}</description><pubDate>{1}</pubDate></item>"
    times = ("Sun, 01 Nov 2026 08:00:00 +0700", "kemarin")
    items = "".join(item.format(n, time) for n, time in enumerate(times))
    sample.write_text(f'<rss version="2.0"><channel>{items}</channel></rss>')
    assert run_command(["channels", "test", str(manifest), "--sample", str(sample)]) == 64
    assert "nothing stands at rss.channel.item: the answer has @version, channel" in capsys.readouterr().err
    manifest.write_text(manifest.read_text().replace("rss.channel", "channel"))
    assert run_command(["channels", "test", str(manifest), "--sample", str(sample)]) == 2
    out, err = capsys.readouterr()
    assert '"sent_at":"2026-11-01T01:00:00Z"' in out
    assert "sent_at: is no time that can be read" in err
    sample.write_text(f"<rss><channel>{item.format(1, 'kemarin') * 2}</channel></rss>")
    assert run_command(["channels", "test", str(manifest), "--sample", str(sample)]) == 2
    assert "no row has one" not in capsys.readouterr().err  # none could be read


def test_a_sample_of_a_wrong_manifest_is_a_wrong_call(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.toml").write_text("name = 3")
    (tmp_path / "s.json").write_text("[]")
    assert run_command(["channels", "test", str(tmp_path / "m.toml"), "--sample", str(tmp_path / "s.json")]) == 64
    assert "m.toml" in capsys.readouterr().err


def test_one_row_that_is_no_object_does_not_hold_up_the_others():
    assert rows_in([{"id": 1}, None, "galat", {"id": 2}]) == [{"id": 1}, {"row": "galat"}, {"id": 2}]
    assert rows_in([None]) == rows_in([]) == []
    for none in (["id", "isi"], [None, 1], "galat", None):
        with pytest.raises(NotRows):
            rows_in(none)

"""The labelled files of a folder as decided reports, oldest first where they have a time."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hub.quality.folder import Folder, Row
from normalizer.knowledge.gazetteer import gazetteer, is_city
from normalizer.models.topics import categories
from schemas import Message

CLASSES: Mapping[str, str] = {"Permintaan Informasi": "information_request", "Aspirasi": "aspiration"}
_NOT_LETTERS = re.compile(r"[\W_]+")
_GOVERNMENT = re.compile(r"Pemerintah (Kabupaten|Kota) (.+)")
_BANDUNG = ("judul", "isi_awal")


class Labelled(NamedTuple):
    """A text and its label."""

    text: str
    label: str


def folded(name: str) -> str:
    """Letters and digits in lower case."""
    return _NOT_LETTERS.sub("", name.lower())


def exported(folder: Folder) -> list[dict[str, str]]:
    """Rows of exports of LAPOR! (`sp4n_*.csv`), oldest first."""
    rows = [row for path in sorted(folder.path.glob("sp4n_*.csv")) for row in folder.rows(path.name)]
    return sorted(rows, key=lambda row: (row["tanggal_masuk"], row["waktu_masuk"]))


def text_of(row: Row) -> str:
    """Title, line break, words."""
    return "\n".join(row[name] for name in _BANDUNG)


def top_categories(folder: Folder) -> list[Labelled]:
    """Reports with the name of their top category, as the word lists write it where they have it."""
    tree = {row["id_kategori"]: row for row in folder.rows("agencies/category_ids_seen.csv")}
    listed = {folded(topic.top): topic.top for topic in categories()}
    found = []
    for row in exported(folder):
        known = tree.get(row["id_kategori"].partition(".")[0])
        if known is not None:
            top = folded(known["kategori_utama"] or known["kategori"])
            found.append(Labelled(text_of(row), listed.get(top, top)))
    return found


def report_classes(folder: Folder) -> list[Labelled]:
    """Reports with their class."""
    rows = [row for row in exported(folder) if row["klasifikasi"]]
    return [Labelled(text_of(row), CLASSES.get(row["klasifikasi"], "complaint")) for row in rows]


def sms(folder: Folder) -> list[Labelled]:
    """Normal or spam."""
    return [Labelled(r["teks"], "normal" if r["label"] == "0" else "spam") for r in folder.rows("sms_spam.csv")]


def tweets(folder: Folder) -> list[Labelled]:
    """Complaint or other."""
    rows = folder.rows("tweets_sp4n.csv")
    return [Labelled(r["full_text"], "complaint" if r["status"] == "Negatif" else "other") for r in rows]


class OfficeReport(NamedTuple):
    """A report as it was labelled and as the reader reads it, its place settled; and the name of its office."""

    row: Row
    message: Message
    office: str


def city_reports(folder: Folder) -> list[OfficeReport]:
    """`surabaya.csv`, oldest first."""
    rows = sorted(folder.rows("surabaya.csv"), key=lambda row: row["tanggal_keluhan"])
    given = [
        {"id": row["id"], "text": row["keluhan"] or "-", "address": row["alamat"].strip() or None, "region": "35.78"}
        for row in rows
    ]
    return _read(folder, rows, given, "instansi")


def lapor_reports(folder: Folder) -> list[OfficeReport]:
    """Rows of exports that were passed to an office, oldest first. The account's region is the one of most rows."""
    rows = [row for row in exported(folder) if row["instansi_terdisposisi"]]
    region = _region_of(rows)
    given = [
        {"id": str(n), "title": row["judul"], "text": row["isi_awal"] or "-", "region": region}
        for n, row in enumerate(rows)
    ]
    return _read(folder, rows, given, "instansi_terdisposisi")


def _region_of(rows: Sequence[Row]) -> str | None:
    """Of the government under which most offices are."""
    governments = [_GOVERNMENT.match(row.get("instansi_induk", "")) for row in rows]
    found = Counter((one[1] == "Kota", folded(one[2])) for one in governments if one)
    for (is_of_city, name), _ in found.most_common(1):
        for code in gazetteer().regencies.get(name, ()):
            if is_city(code) is is_of_city:
                return f"{code[:2]}.{code[2:]}"
    return None


def _read(folder: Folder, rows: Sequence[Row], given: Sequence[Mapping[str, Any]], office: str) -> list[OfficeReport]:
    from msgspec.structs import replace

    from normalizer.settle import settled_place

    return [
        OfficeReport(row, replace(message, place=settled_place(message, None) or message.place), row[office])
        for row, message in zip(rows, folder.messages(given), strict=True)
        if message is not None
    ]

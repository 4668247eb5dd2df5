"""The labelled files of a folder as decided reports, oldest first where they have a time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from hub.quality.folder import Folder, Row
from schemas import Message

CLASSES: Mapping[str, str] = {"Permintaan Informasi": "information_request", "Aspirasi": "aspiration"}
_NOT_LETTERS = re.compile(r"[\W_]+")
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
    """Reports with the name of their top category."""
    tree = {row["id_kategori"]: row for row in folder.rows("agencies/category_ids_seen.csv")}
    found = []
    for row in exported(folder):
        known = tree.get(row["id_kategori"].partition(".")[0])
        if known is not None:
            found.append(Labelled(text_of(row), folded(known["kategori_utama"] or known["kategori"])))
    return found


def report_classes(folder: Folder) -> list[Labelled]:
    """Reports with their class."""
    rows = [row for row in exported(folder) if row["klasifikasi"]]
    return [Labelled(text_of(row), CLASSES.get(row["klasifikasi"], "complaint")) for row in rows]


def lapor_offices(folder: Folder) -> list[Labelled]:
    """Reports with the office that they were passed to."""
    return [
        Labelled(text_of(r), folded(r["instansi_terdisposisi"])) for r in exported(folder) if r["instansi_terdisposisi"]
    ]


def sms(folder: Folder) -> list[Labelled]:
    """Normal or spam."""
    return [Labelled(r["teks"], "normal" if r["label"] == "0" else "spam") for r in folder.rows("sms_spam.csv")]


def tweets(folder: Folder) -> list[Labelled]:
    """Complaint or other."""
    rows = folder.rows("tweets_sp4n.csv")
    return [Labelled(r["full_text"], "complaint" if r["status"] == "Negatif" else "other") for r in rows]


class CityReport(NamedTuple):
    """A report of a city's desk, as it was labelled and as the reader reads it."""

    row: Mapping[str, str]
    message: Message


def city_reports(folder: Folder) -> list[CityReport]:
    """`surabaya.csv` through the reader, oldest first, place settled as by the matcher."""
    from msgspec.structs import replace

    from normalizer.settle import settled_place

    rows = sorted(folder.rows("surabaya.csv"), key=lambda row: row["tanggal_keluhan"])
    given = [
        {"id": row["id"], "text": row["keluhan"] or "-", "address": row["alamat"].strip() or None, "region": "35.78"}
        for row in rows
    ]
    messages = folder.messages(given)
    return [
        CityReport(row, replace(message, place=settled_place(message, None) or message.place))
        for row, message in zip(rows, messages, strict=True)
        if message is not None
    ]

"""Tables as offices write them, and the export of LAPOR!: their headings, and what several columns say together.

A heading is listed only where it can mean nothing else; `NO` is a line's number, and `ALAMAT` may be the reporter's or
the incident's. What is not listed is the account's own `columns` to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from connectors._rows.times import with_clock

HEADINGS = {
    "text": (
        "isi laporan awal", "isi awal", "isi laporan", "isi pengaduan", "isi aduan", "isi keluhan", "isi pesan",
        "uraian laporan", "uraian pengaduan", "uraian aduan", "uraian keluhan", "uraian masalah", "materi aduan",
        "materi pengaduan", "deskripsi laporan", "deskripsi aduan", "uraian", "keluhan", "permasalahan",
    ),
    "id": (
        "tracking id", "id laporan", "id pengaduan", "id aduan", "nomor laporan", "no laporan", "nomor pengaduan",
        "no pengaduan", "nomor aduan", "no aduan", "nomor tiket", "no tiket", "id tiket", "nomor registrasi",
        "no registrasi",
    ),
    "title": ("judul laporan", "judul pengaduan", "judul aduan", "judul", "perihal"),
    "sent_at": (
        "tanggal laporan masuk", "tanggal masuk", "tanggal laporan", "tanggal pengaduan", "tanggal aduan",
        "tanggal keluhan", "tgl masuk", "tgl laporan", "tgl pengaduan", "tgl aduan", "tanggal", "tgl",
    ),
    "clock": ("waktu laporan masuk", "waktu masuk", "waktu laporan", "jam masuk", "jam", "pukul", "waktu"),
    "sender": (
        "no hp pelapor", "nomor hp pelapor", "telepon pelapor", "no telepon pelapor", "no hp", "nomor hp", "no telp",
        "no telepon", "nomor telepon", "nomor telp", "no wa", "nomor wa", "no whatsapp", "nomor whatsapp", "telepon",
        "telp", "hp", "no hp wa", "email pelapor",
    ),
    "name": ("nama pelapor", "nama pengadu", "nama lengkap", "pelapor", "pengadu", "nama", "user"),
    "region": ("lokasi kejadian", "alamat kejadian", "tempat kejadian", "lokasi aduan", "lokasi laporan", "lokasi"),
    "latitude": ("lintang", "lat", "latitude"),
    "longitude": ("bujur", "lon", "lng", "long", "longitude"),
    "category": ("id kategori",),
    "answer": (
        "tindak lanjut", "uraian tindak lanjut", "hasil tindak lanjut", "jawaban", "isi jawaban", "tanggapan",
        "isi tanggapan", "tanggapan instansi", "jawaban instansi", "respon", "respons",
    ),
    "answer_status": (
        "status final", "status akhir", "status laporan", "status pengaduan", "status aduan", "status tindak lanjut",
        "status penanganan", "status",
    ),
    "answered_at": (
        "tanggal tindak lanjut", "tgl tindak lanjut", "tanggal tanggapan", "tgl tanggapan", "tanggal jawaban",
        "tgl jawaban", "tanggal ditanggapi", "tanggal selesai", "tgl selesai", "tanggal penyelesaian",
    ),
    "answered_by": (
        "instansi penjawab", "stakeholder", "instansi terdisposisi", "opd terkait", "perangkat daerah", "opd", "skpd",
    ),
    "of_number": ("nomor satu pintu", "no satu pintu"),
    "attachments": ("nama file", "nama berkas", "nama foto", "file foto", "file lampiran", "berkas lampiran"),
    "anonymous": ("anonim",),
    "secret": ("rahasia",),
}  # fmt: skip
"""Field to its headings, the surest first. `clock`: the time of day beside a date."""
_OF_ANSWERS = {"tracking id", "judul", "tanggapan"}
"""A recap of answers has no words of the citizen but the title."""
_PLACE = ("kelurahan resmi", "kecamatan resmi", "kota kabupaten", "provinsi")
_NUMBER_OF_LAPOR = re.compile(r"\d{4,10}")


def heading_key(heading: str) -> str:
    """The heading without what separates its words: `No. HP` and `no_hp` are one."""
    return " ".join(re.sub(r"[\W_]+", " ", heading.lower()).split())


def is_of_lapor(headings: Sequence[str]) -> bool:
    """Does a column hold LAPOR!'s numbers?"""
    return "tracking id" in map(heading_key, headings)


def field_of(headings: Sequence[str], taken: Collection[str]) -> dict[int, str]:
    """Position of a column to its field; those in `taken` are known already."""
    keys = [heading_key(heading) for heading in headings]
    found: dict[int, str] = {}
    for field, known in HEADINGS.items():
        column = next((keys.index(name) for name in known if name in keys), None)
        if column is not None and field not in taken and column not in found:
            found[column] = field
    if "text" not in {*found.values(), *taken} and set(keys) >= _OF_ANSWERS:
        found[keys.index("judul")] = "text"
    return found


def complete_row(row: Mapping[str, str], *, of_lapor: bool, answers: str = "") -> dict[str, str]:
    """The row with what several of its columns, or a code of LAPOR!'s, say. `of_lapor`: its id is LAPOR!'s number.
    `answers`: an office says in the table what it did, `beside` the reports or `only`; there, a row without is none."""
    if answers == "only" and not ({"answer", "answer_status"} & row.keys()):
        return {}
    found = {"answer": ""} | dict(row) if answers else dict(row)
    keys = {heading_key(name): value for name, value in row.items()}
    if {"clock", "sent_at"} <= found.keys() and (time := with_clock(found["sent_at"], found["clock"])):
        found["sent_at"] = time
        del found["clock"]
    for name in ("category", "id"):  # a spreadsheet's whole number
        if name in found:
            found[name] = found[name].removesuffix(".0")
    if of_lapor and _NUMBER_OF_LAPOR.fullmatch(number := found.get("id", "")):
        found["external_ids"] = f'{{"sp4n":"{number}"}}'
    kind = keys.get("tipe", keys.get("tipe laporan", "")).lower()
    found |= {field: "ya" for field, word in (("anonymous", "anonim"), ("secret", "rahasia")) if word in kind}
    if (place := _place(keys)) and "region" not in found:
        found["region"] = place
    return found


def _place(keys: Mapping[str, str]) -> str:
    """In words. LAPOR! writes a regency's name alone, and a city's behind `Kota`."""
    ward, district, city, province = (keys.get(name, "").strip() for name in _PLACE)
    if city and not re.match(r"kota\b|kab", city, re.IGNORECASE):
        city = f"Kabupaten {city}"
    named = (f"Kelurahan {ward}" if ward else "", f"Kecamatan {district.title()}" if district else "", city, province)
    return ", ".join(filter(None, named))

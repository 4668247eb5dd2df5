"""Texts whose masks are filled with invented values, so that it is known where personal data stand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import NamedTuple

from stdnum import luhn

_MASK = re.compile(r"\[(NAMA|TELP|NOMOR_ID|EMAIL)\]")
_OTHER = re.compile(
    r"(?:nop|objek\s+pajak|pelanggan|idpel|nib|nip|nisn|pendaftaran|tiket|barcode|resi|tagihan|sertifikat|trx|transaksi|edisi"
    r"|telkomsel|hub|kepesertaan|booking|dinomor)\W*(?:no(?:mor|\.)?\W*)?$",
    re.IGNORECASE,
)
_KINDS = (
    ("kk", re.compile(r"(?:\bkk|kartu\s+keluarga)\W*$", re.IGNORECASE)),
    ("npwp", re.compile(r"npwp\W*$", re.IGNORECASE)),
    ("bpjs", re.compile(r"(?:bpjs|kis|jkn|kartu)\W*(?:no(?:mor|\.)?\W*)?$", re.IGNORECASE)),
    ("account", re.compile(r"(?:rek(?:ening)?\w*|bca|bri|bni|mandiri)\W*(?:ini)?\W*$", re.IGNORECASE)),
)
_FIRST = (
    "Siti", "Ahmad", "Dewi", "Agus", "Nur", "Sri", "Muhammad", "Eko", "Rina", "Budi", "Yuli", "Slamet", "Wahyu",
    "Fitri", "Hendra", "Lestari", "Bambang", "Ratna", "Joko", "Endang", "Rizky", "Putri", "Dimas", "Anisa",
    "Fajar", "Maya", "Teguh", "Wulan", "Arif", "Novita", "Ketut", "Made", "Wayan", "Asep", "Ujang", "Neneng",
    "Yohanes", "Maria", "Markus", "Cut", "Teuku", "Andi", "Daeng", "Baso", "Gede", "Nyoman", "Tumiran",
    "Sulastri", "Paijo", "Ngatini", "Hasanah",
)  # fmt: skip
_LAST = (
    "Rahmawati", "Santoso", "Wijaya", "Hidayat", "Kurniawan", "Susanti", "Prasetyo", "Handayani", "Saputra",
    "Setiawan", "Nugroho", "Wulandari", "Firmansyah", "Utami", "Hartono", "Suryani", "Gunawan", "Maulana",
    "Simanjuntak", "Siregar", "Nasution", "Lubis", "Tambunan", "Situmorang", "Wibowo", "Purnomo", "Sutrisno",
    "Mulyadi", "Iskandar", "Ramadhan", "Puspitasari", "Anggraini", "Suhendra", "Yulianto", "Basuki", "Harahap",
    "Manurung", "Kusuma", "Pratama",
)  # fmt: skip
_AREAS = ("357801", "327301", "320405", "337404", "317403", "910101", "640404", "357825", "737106", "110104")


class Refilled(NamedTuple):
    """A text and where its personal data stand."""

    text: str
    slots: tuple[tuple[str, int, int], ...]
    """Kind, start, end."""


def refilled(texts: list[str], seed: int = 1) -> Iterator[Refilled]:
    """Of the texts that hold a mask, each with its masks filled; the same for the same seed."""
    chance = random.Random(seed)
    for text in texts:
        if _MASK.search(text):
            yield _filled(text, chance)


def _filled(text: str, chance: random.Random) -> Refilled:
    parts: list[str] = []
    slots: list[tuple[str, int, int]] = []
    end = length = 0
    for match in _MASK.finditer(text):
        before = text[end : match.start()]
        parts.append(before)
        length += len(before)
        kind = _kind(match[1], text[max(0, match.start() - 30) : match.start()])
        value = _value(kind, chance)
        if kind != "other":
            slots.append((kind, length, length + len(value)))
        parts.append(value)
        length += len(value)
        end = match.end()
    return Refilled("".join((*parts, text[end:])), tuple(slots))


def _kind(mask: str, before: str) -> str:
    if mask != "NOMOR_ID":
        return {"NAMA": "name", "TELP": "phone", "EMAIL": "email"}[mask]
    if _OTHER.search(before):
        return "other"
    return next((kind for kind, words in _KINDS if words.search(before)), "nik")


def _value(kind: str, chance: random.Random) -> str:
    digits = lambda n: "".join(chance.choice("0123456789") for _ in range(n))  # noqa: E731
    if kind == "name":
        return _name(chance)
    if kind == "phone":
        return _phone(chance, digits)
    if kind == "email":
        name = (
            chance.choice(_FIRST)
            + chance.choice((".", "_", ""))
            + chance.choice(_LAST)
            + chance.choice(("", digits(2)))
        )
        return name.lower() + chance.choice(
            ("@gmail.com", "@yahoo.co.id", "@contoh.id", "@mail.ugm.ac.id", "@outlook.com")
        )
    if kind == "npwp":
        eight = digits(8)
        nine = eight + luhn.calc_check_digit(eight)
        tail = digits(3) + "000"
        return (
            f"{nine[:2]}.{nine[2:5]}.{nine[5:8]}.{nine[8]}-{tail[:3]}.{tail[3:]}"
            if chance.random() < 0.5
            else nine + tail
        )
    if kind == "account":
        return digits(chance.choice((10, 13, 15)))
    if kind == "bpjs":
        return "000" + digits(10)
    return _nik(chance) if kind in ("nik", "kk") else digits(12)


def _nik(chance: random.Random) -> str:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(0, 99)
    day += 40 * (chance.random() < 0.5)
    nik = f"{chance.choice(_AREAS)}{day:02}{month:02}{year:02}{chance.randint(1, 30):04}"
    form = chance.randint(0, 9)
    if form == 0:
        return f"{nik[:4]} {nik[4:8]} {nik[8:12]} {nik[12:]}"
    if form == 1:
        return f"{nik[:6]}.{nik[6:12]}.{nik[12:]}"
    return f"{nik[:6]}-{nik[6:12]}-{nik[12:]}" if form == 2 else nik


def _phone(chance: random.Random, digits: object) -> str:
    number = chance.choice(("812", "813", "857", "896", "878", "822")) + "".join(
        chance.choice("0123456789") for _ in range(chance.choice((7, 8, 8, 8)))
    )
    a, b, c = number[:3], number[3:7], number[7:]
    return chance.choice(
        (f"0{number}", f"62{number}", f"+62{number}", f"0{a}-{b}-{c}", f"0{a} {b} {c}", f"+62 {a}-{b}-{c}",
         f"0{a}.{b}.{c}", f"62 {a} {b} {c}", f"(0{a}) {b}{c}", f"0{a}{b} {c}")
    )  # fmt: skip


def _name(chance: random.Random) -> str:
    first, middle, last = chance.choice(_FIRST), chance.choice(_FIRST), chance.choice(_LAST)
    return chance.choice(
        (f"{first} {last}", f"{first.lower()} {last.lower()}", f"{first} {last}".upper(), first,
         f"{first} {middle} {last}", f"{first[0]}. {last}", f"H. {first} {last}", f"{first} {last}, S.Pd",
         f"{first} bin {last}", f"{first} {last[0]}.")
    )  # fmt: skip

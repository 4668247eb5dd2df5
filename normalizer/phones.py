"""Phones, e-mail addresses and NIKs in one form: written many ways, one citizen. Every channel, file and API uses it.

What stands for "no number" is no identity: "-", "Anonim", "000000000000", "6.28E+12", a number of no numbering plan.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from msgspec.structs import replace

from normalizer.clean import one_line
from schemas import Party

_MOBILE = re.compile(r"(?:\+?62|0)(8[1-35-9]\d{7,10})", re.ASCII)
"""As most citizens write theirs: the library takes thirty times as long, and gives the same."""
_DASHES = re.compile("[\u00af\u02d7\u06d4\u2010-\u2015\u207b\u208b\u2212\ufe58\ufe63\uff0d]")
_SPREADSHEET = re.compile(r"""=?["'’‘`]*(.*?)["'’‘`]*""", re.DOTALL)
"""Excel keeps a number as text by an apostrophe before it, or as ="0812…"."""
_DECIMALS = re.compile(r"([^.,]*\d)[.,]0{1,2}")
_LABEL = r"(?:wa|whatsapp|hp|no|nomor|nomer|telp|tlp|telpon|telepon|tel|phone|sms)"
_LABELS = re.compile(rf"\([^()\d+]*\)|^(?:{_LABEL}[\s.:]+)+|\s{_LABEL}\.?$|^tel:", re.IGNORECASE)
_NUMBER = re.compile(r"\(?\+?[\d\s().-]*\d[\s).-]*", re.ASCII)
_LOOSE = re.compile(r"[\s.\-]+")
_NIK = re.compile(r"\d{6}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d{6}", re.ASCII)
"""Area, day of birth (women: plus 40), month, year, serial number. It has no check digit."""
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")
_PLACEHOLDERS = frozenset(
    {
        "anonim", "anonymous", "anonymus", "anon", "n/a", "#n/a", "na", "nan", "none", "null", "nil", "undefined",
        "unknown", "tidak ada", "tidak diketahui", "tdk ada", "kosong", "nihil", "tanpa nama", "no name", "noname",
        "hamba allah", "warga", "masyarakat", "pelapor", "test", "tes",
    }
)  # fmt: skip
_NO_WORD = re.compile(r"[\W_0x]*", re.IGNORECASE)
_REGION, _COUNTRY = "ID", "62"


@lru_cache(maxsize=8_192)
def to_e164(written: str) -> str | None:
    """`0812…`, `62812…`, `+62 812-…` as `+62812…`; None where it is no phone number (a name, a short code).

    A number without plus that is none in Indonesia is read as an international one, as gateways write them.
    """
    if mobile := _MOBILE.fullmatch(written):
        return f"+{_COUNTRY}{mobile[1]}"
    number = _digits(written)
    if number is None or len(set(number.lstrip("+0"))) < 2:
        return None
    return next((found for form in _forms(number) if (found := _valid(form))), None)


def normalize_party(party: Party) -> Party:
    """The party with its identities in one form. A phone that is none stays in `phone_written` only."""
    phone, written = _phone(party)
    email = party.email.strip().lower() if party.email else ""
    known = replace(
        party,
        name=(one_line(party.name) or None) if party.name else None,
        phone=phone,
        phone_written=written,
        email=email if _EMAIL.fullmatch(email) else None,
        nik=_nik(party.nik) if party.nik else None,
        user=None if party.user and is_placeholder(party.user.partition(":")[2]) else party.user,
    )
    return party if known == party else known


def is_placeholder(word: str) -> bool:
    """Does it stand for "nobody", as "-", "Anonim" or "08xxxxxxxxxx"?"""
    return word.strip().casefold() in _PLACEHOLDERS or _NO_WORD.fullmatch(word.removeprefix("08")) is not None


def _digits(written: str) -> str | None:
    """ASCII digits with a plus before them where one is written; None where it is not one number."""
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in _DASHES.sub("-", one_line(written)))
    text = text.replace("＋", "+").strip()
    if found := _SPREADSHEET.fullmatch(text):
        text = found[1]
    if found := _DECIMALS.fullmatch(text):  # a column of numbers with a gap, as pandas writes it
        text = found[1]
    text = _LABELS.sub("", text).strip()
    if not _NUMBER.fullmatch(text):
        return None
    plus = "+" if text.lstrip("(").startswith("+") else ""
    return plus + "".join(c for c in text if c.isdigit())


def _forms(number: str) -> tuple[str, ...]:
    """The readings of the number, likeliest first."""
    if number.startswith("+"):
        return (number,)
    if number.startswith("00"):
        return (f"+{number[2:]}",)
    if number.startswith(_COUNTRY):  # an eleven-digit 62812… would pass for a national number
        return (f"+{number}",)
    if number.startswith(("0", "8")) or len(number) < 10:
        return (number, f"+{number}")
    return (f"+{number}", number)


def _valid(form: str) -> str | None:
    try:
        number = phonenumbers.parse(form, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _phone(party: Party) -> tuple[str | None, str | None]:
    written = party.phone_written or party.phone
    if not written:
        return None, None
    phone = to_e164(party.phone or written)
    return phone, None if phone == written else written


def _nik(written: str) -> str | None:
    digits = _LOOSE.sub("", written)
    return digits if _NIK.fullmatch(digits) and len(set(digits)) > 1 else None

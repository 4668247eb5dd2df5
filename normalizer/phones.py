"""Who speaks, in one form: phone as E.164, e-mail in lower case, NIK as 16 digits. Written three ways, one citizen."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from msgspec.structs import replace

from normalizer.clean import one_line
from schemas import Party

_INTERNATIONAL = re.compile(r"[^\d+]*(?:00)?(62[^+]*)")
_MOBILE = re.compile(r"(?:\+?62|0)(8[1-9]\d{7,10})", re.ASCII)
"""As most citizens write theirs: the library takes thirty times as long, and says the same."""
_LOOSE = re.compile(r"[\s.\-]+")
_NIK = re.compile(r"\d{16}")


@lru_cache(maxsize=8_192)
def e164(said: str, region: str = "ID") -> str | None:
    """`0812…`, `62812…`, `+62 812-…` as `+62812…`; None where it is no phone number (a name, a short code)."""
    if region == "ID" and (mobile := _MOBILE.fullmatch(said)):
        return f"+62{mobile[1]}"
    international = _INTERNATIONAL.fullmatch(said)  # an eleven-digit 62812… would pass for a national number
    try:
        number = phonenumbers.parse(f"+{international[1]}" if international else said, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def identified(party: Party) -> Party:
    """The party with its identities in one form. A phone that is none stays in `phone_said` only."""
    phone, said = _phone(party)
    email, nik = party.email, party.nik
    known = replace(
        party,
        name=(one_line(party.name) or None) if party.name else None,
        phone=phone,
        phone_said=said,
        email=(email.strip().lower() or None) if email else None,
        nik=_nik(nik) if nik else None,
    )
    return party if known == party else known


def _phone(party: Party) -> tuple[str | None, str | None]:
    written = party.phone_said or party.phone
    if not written:
        return None, None
    phone = e164(party.phone or written)
    return phone, None if phone == written else written


def _nik(said: str) -> str | None:
    digits = _LOOSE.sub("", said)
    return digits if _NIK.fullmatch(digits) else None

"""Personal values as they leave the program: enough to tell two reporters apart, too little to reach one."""

from __future__ import annotations

from schemas import Party


def mask_reporter(party: Party) -> dict[str, str | None]:
    """The reporter with personal values masked: "B*** S***", "+62812****789", "b***@contoh.id"."""
    return {
        "name": _initials(party.name),
        "phone": _ends(party.phone, 6, 3),
        "email": _mail(party.email),
        "nik": _ends(party.nik, 2, 2),
    }


def _initials(name: str | None) -> str | None:
    return " ".join(f"{word[0]}***" for word in (name or "").split()) or None


def _ends(value: str | None, first: int, last: int) -> str | None:
    """Short values show less: at least four characters stay hidden."""
    if not value:
        return None
    if len(value) < first + last + 4:
        first, last = 0, min(last, max(len(value) - 4, 0))
    return value[:first] + "****" + (value[-last:] if last else "")


def _mail(value: str | None) -> str | None:
    if not value:
        return None
    name, at, domain = value.rpartition("@")
    return f"{name[:1]}***@{domain}" if at else "***"

"""Telephone numbers as channels write them. The reader decides what is a phone; this only tells conversations apart."""

from __future__ import annotations


def normalize_number(written: str) -> str:
    """One citizen, one conversation, however the gateway writes the number: 0812…, 62812… and +62 812-… are one."""
    plain = written.isdigit()
    digits = written if plain else "".join(c for c in written if c.isdigit())
    if len(digits) < 8 or (not plain and any(c.isalpha() for c in written)):  # a short code, or a name
        return written.strip()
    if digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith(("0", "8")) and not written.lstrip().startswith("+"):
        digits = "62" + digits.removeprefix("0")
    return f"+{digits}"


def is_same_number(one: str, other: str) -> bool:
    """Are both the same number, short code or name? Some gateways write a short code like any number: +621708."""
    if normalize_number(one).casefold() == normalize_number(other).casefold():
        return bool(one)
    here, there = ("".join(c for c in written if c.isdigit()) for written in (one, other))
    short, longer = sorted((here, there), key=len)
    is_code = 0 < len(short) < 8 and not any(c.isalpha() for c in one + other)
    return is_code and longer in {f"{prefix}{short}" for prefix in ("0", "62", "0062")}

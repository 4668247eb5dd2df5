"""The words by which citizens steer a conversation, as the SMS number 1708 taught them.

    LAPOR <text>              opens a report; also `#lapor`, `Lapor pak, …`, `LAPOR: …` (not `lapor ke polisi …`)
    <REGION KEYWORD> <text>   opens a report about that region; the keywords are a setting of the account
    TL <number> <text>        adds to a report (tindak lanjut)
    CEK <number>              asks how a report stands

In any case of letters, with or without punctuation. `TL` and `CEK` are commands only with a number behind them that can
be a report's, or with nothing at all: "TL jalan Ambengan mati" is a traffic light, "cek 2 lampu mati" a complaint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from schemas import Command

CONVERSATIONAL = frozenset({"sms", "smpp", "whatsapp", "telegram", "line", "messenger", "instagram"})
"""Kinds of account whose citizens type these words. A form or a file has fields for what they say."""

_BETWEEN = r"""[\s:;,.!?#*_~"'<>()\[\]|/–—-]*"""
_END = r"(?![^\W_])"
_LAPOR = re.compile(rf"[\W_]*LAPOR{_END}(?!\s+ke(?:pada)?\b){_BETWEEN}", re.IGNORECASE)
_COMMAND = re.compile(
    rf"[\W_]*(TL|CEK)(?![^\W\d_]){_BETWEEN}"
    rf"(?:(?:no|nomor|nomer|id|status|tiket|laporan|aduan|pengaduan){_END}{_BETWEEN})*"
    rf"(?:(\d(?:[ .-]?\d){{9}}(?!\d)|\d+(?:[.-]\d+)*){_END})?{_BETWEEN}",
    re.IGNORECASE,
)
_NOT_DIGITS = re.compile(r"\D+")


class Said(NamedTuple):
    """A text taken apart."""

    text: str
    """Without keyword and command."""
    begins: bool = False
    region: str | None = None
    """Region code that the keyword stands for."""
    command: Command | None = None
    number: str | None = None
    """Digits only. None beside a command: it named none."""


class Keywords:
    """Finds the words of one account. `regions`: keyword to region code."""

    def __init__(self, regions: Mapping[str, str]) -> None:
        self._codes = {_folded(word): code for word, code in regions.items() if word.strip()}
        words = sorted((r"\s+".join(map(re.escape, w.split())) for w in self._codes), key=len, reverse=True)
        self._region = re.compile(rf"[\W_]*({'|'.join(words)}){_END}{_BETWEEN}", re.IGNORECASE) if words else None

    def find(self, text: str) -> Said:
        """Takes a cleaned text apart. `LAPOR` and the region may stand in either order."""
        if command := _command(text):
            return command
        rest, lapor = _after_lapor(text)
        region = None
        if self._region and (found := self._region.match(rest)):
            region = self._codes[_folded(found[1])]
            rest, again = _after_lapor(rest[found.end() :])
            lapor = lapor or again
        return Said(rest, begins=lapor or region is not None, region=region)


def _command(text: str) -> Said | None:
    found = _COMMAND.match(text)
    if found is None:
        return None
    rest = text[found.end() :]
    number = _NOT_DIGITS.sub("", found[2] or "")
    if rest and not 5 <= len(number) <= 10:
        return None
    return Said(rest, command="TL" if found[1].upper() == "TL" else "CEK", number=number or None)


def _after_lapor(text: str) -> tuple[str, bool]:
    found = _LAPOR.match(text)
    return (text[found.end() :], True) if found else (text, False)


def _folded(word: str) -> str:
    return " ".join(word.upper().split())

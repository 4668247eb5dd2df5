"""The words by which citizens steer a conversation, as the SMS number 1708 taught them.

    LAPOR <text>              opens a report; also `#lapor`, `Lapor pak, …`, `LAPOR: …` (not `lapor ke polisi …`)
    <REGION KEYWORD> <text>   opens a report about that region; the keywords are a setting of the account
    TL <number> <text>        adds to a report (tindak lanjut)
    CEK <number>              asks for the status of a report; also `STATUS …`, `cek laporan saya no …`, `mohon cek …`
    CEK                       asks for the status of the latest report
    BANTUAN, STOP             ask for help, or for no more messages; alone only

In any case of letters, with or without punctuation. `TL` and `CEK` are commands only with a number behind them that can
be a report's, or with nothing at all: "TL jalan Ambengan mati" is a traffic light, "cek 2 lampu mati" a complaint. With
a word before them ("LAPOR TL …", "mohon cek …") the number must be one of ours by its check digit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from stdnum import luhn

from schemas import Command

_BETWEEN = r"""[\s:;,.!?#*_~"'“”‘’«»`<>()\[\]{}|/=+–—-]*"""
_END = r"(?![^\W_])"
_LAPOR = re.compile(rf"[\W_]*LAPOR{_END}(?!\s+ke(?:pada)?\b){_BETWEEN}", re.IGNORECASE)
_FILLERS = (
    "no|nomor|nomer|nmr|id|kode|status|tiket|laporan|aduan|pengaduan|keluhan|perkembangan|progres|progress|hasil|"
    "saya|kami|dengan|untuk|spasi"
)
_COMMAND = re.compile(
    rf"[\W_]*(?P<before>(?:(?:LAPOR|MOHON|TOLONG|MINTA|MIN|ADMIN|PAK|BU){_END}{_BETWEEN})+)?"
    rf"(?P<word>TL|CEK|STATUS)(?![^\W\d_]){_BETWEEN}"
    rf"(?:(?:{_FILLERS}){_END}{_BETWEEN})*"
    rf"(?:(?P<number>\d(?:[ .-]?\d){{9}}(?!\d)|\d+(?:[.-]\d+)*){_END})?{_BETWEEN}",
    re.IGNORECASE,
)
_ALONE: dict[str, Command] = {
    "BANTUAN": "BANTUAN", "BANTU": "BANTUAN", "INFO": "BANTUAN", "HELP": "BANTUAN", "MENU": "BANTUAN",
    "STOP": "STOP", "BERHENTI": "STOP", "UNREG": "STOP", "UNSUB": "STOP", "UNSUBSCRIBE": "STOP",
}  # fmt: skip
_NOT_DIGITS = re.compile(r"\D+")
_NOT_LETTERS = re.compile(r"[\W_]+")
NUMBER_DIGITS = 10


class ParsedText(NamedTuple):
    """A text taken apart."""

    text: str
    """Without keyword and command."""
    opens_report: bool = False
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

    def parse(self, text: str) -> ParsedText:
        """Takes a cleaned text apart. `LAPOR` and the region may stand in either order."""
        if command := _command(text):
            return command
        rest, lapor = _after_lapor(text)
        region = None
        if self._region and (found := self._region.match(rest)):
            region = self._codes[_folded(found[1])]
            rest, again = _after_lapor(rest[found.end() :])
            lapor = lapor or again
        return ParsedText(rest, opens_report=lapor or region is not None, region=region)


def is_our_number(number: str) -> bool:
    """Ten digits, the last one the check digit."""
    return len(number) == NUMBER_DIGITS and number.isascii() and number.isdigit() and luhn.is_valid(number)


def _command(text: str) -> ParsedText | None:
    found = _COMMAND.match(text)
    if found is None:
        alone = _ALONE.get(_NOT_LETTERS.sub("", text).upper()) if len(text) < 2 * NUMBER_DIGITS else None
        return ParsedText("", command=alone) if alone else None
    rest = text[found.end() :]
    number = _NOT_DIGITS.sub("", found["number"] or "")
    if found["before"] and not is_our_number(number):
        return None
    if rest and not NUMBER_DIGITS // 2 <= len(number) <= NUMBER_DIGITS:
        return None
    return ParsedText(rest, command="TL" if found["word"].upper() == "TL" else "CEK", number=number or None)


def _after_lapor(text: str) -> tuple[str, bool]:
    found = _LAPOR.match(text)
    return (text[found.end() :], True) if found else (text, False)


def _folded(word: str) -> str:
    return " ".join(word.upper().split())

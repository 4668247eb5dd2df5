"""The words by which citizens steer a conversation, as the SMS number 1708 taught them.

    LAPOR <text>              opens a report; also `#lapor`, `Lapor pak, …`, `LAPOR: …` (not `lapor ke polisi …`)
    <REGION KEYWORD> <text>   opens a report about that region; the keywords are a setting of the account
    BARU <text>               opens another report in an open conversation; in capitals, `Baru: …` or `laporan baru …`
    TL <number> <text>        adds to a report (tindak lanjut)
    CEK <number>              asks for the status of a report; also `STATUS …`, `cek laporan saya no …`, `mohon cek …`
    CEK                       asks for the status of the latest report
    sampai mana laporan saya  the same, in a sentence that says nothing else; with or without a number
    BELUM <number> <text>     it is not solved: a finished report is reopened; also `BUKA …`, `belum selesai …`
    NILAI <number> 1-5        rates how it was dealt with; `NILAI 5` alone: the latest report
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

from schemas import Command, plain_digits

_BETWEEN = r"""[\s:;,.!?#*_~"'“”‘’«»`<>()\[\]{}|/=+–—-]*"""
_END = r"(?![^\W_])"
_LAPOR = re.compile(rf"[\W_]*LAPOR{_END}(?!\s+ke(?:pada)?\b){_BETWEEN}", re.IGNORECASE)
_BARU = re.compile(rf"[\W_]*(?:BARU(?![^\W\d_])|(?i:baru)\s*:|(?i:laporan\s+baru){_END}){_BETWEEN}(?=\w)")
"""`Baru kemarin …` is no keyword."""
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
_BELUM = re.compile(
    rf"[\W_]*(?:LAPORAN{_END}{_BETWEEN})?(?:BELUM|BUKA)(?![^\W\d_]){_BETWEEN}(?:(?:selesai|beres|kembali|lagi|{_FILLERS}){_END}{_BETWEEN})*"
    rf"(?P<number>\d(?:[ .-]?\d){{9}}(?!\d)){_BETWEEN}",
    re.IGNORECASE,
)
_NILAI = re.compile(
    rf"[\W_]*(?:NILAI|RATING|RATE)(?![^\W\d_]){_BETWEEN}(?:(?:{_FILLERS}){_END}{_BETWEEN})*"
    rf"(?:(?P<number>\d(?:[ .-]?\d){{9}}(?!\d)){_BETWEEN})?(?P<rating>[1-5])(?:/5)?{_END}{_BETWEEN}",
    re.IGNORECASE,
)
_ASKING, _OF_REPORT, _AROUND = (frozenset(words.split()) for words in (
    "mana bagaimana gimana piye kumaha kapan apakah progres progress progresnya perkembangan perkembangannya "
    "kelanjutan kelanjutannya kabarnya kabar status statusnya hasilnya",
    "laporan laporanku laporannya aduan aduanku pengaduan keluhan keluhanku tiket",
    "saya kami aku sy yang yg dengan dgn no nomor nomer nmr id kode ini itu tersebut sudah sdh udah udh sampai sampe "
    "smp di ke dari tentang soal untuk utk dan ya yah kah nih dong pak bapak bu ibu min admin kak mas mbak mohon "
    "tolong minta ingin mau tanya bertanya menanyakan info informasi informasinya tindak lanjut lanjutnya diproses "
    "proses prosesnya ditindaklanjuti selamat pagi siang sore malam assalamualaikum halo hai permisi maaf terima kasih "
    "makasih kemarin",
))  # fmt: skip
"""The words of a question about a report's status: what asks, what is asked about, and what else it may hold. One more,
and it says something."""
_NOT_LETTERS = re.compile(r"[\W_]+")
NUMBER_DIGITS = 10
WORDED_COMMANDS = frozenset({None, "TL", "BELUM"})
"""Commands behind which a citizen says something, and none: such words are read as those of any other message."""
_LONGEST_QUESTION = 160
"""Characters."""


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
    rating: int | None = None
    """1 to 5, of NILAI."""


class Keywords:
    """Finds the words of one account. `regions`: keyword to region code."""

    def __init__(self, regions: Mapping[str, str]) -> None:
        self._codes = {_folded(word): code for word, code in regions.items() if word.strip()}
        words = sorted((r"\s+".join(map(re.escape, w.split())) for w in self._codes), key=len, reverse=True)
        self._region = re.compile(rf"[\W_]*({'|'.join(words)}){_END}{_BETWEEN}", re.IGNORECASE) if words else None

    def parse(self, text: str) -> ParsedText:
        """Takes a cleaned text apart. `LAPOR` and the region may stand in either order."""
        if command := _command(text) or _about_the_end(text) or _about_the_status(text):
            return command
        rest, lapor = _after_lapor(text)
        region = None
        if self._region and (found := self._region.match(rest)):
            region = self._codes[_folded(found[1])]
            rest, again = _after_lapor(rest[found.end() :])
            lapor = lapor or again
        return ParsedText(rest, opens_report=lapor or region is not None, region=region)


def begins_with_lapor(text: str) -> bool:
    """Not with BARU, nor with a region's keyword."""
    return bool(_LAPOR.match(text))


def is_our_number(number: str) -> bool:
    """Ten digits, the last one the check digit."""
    return len(number) == NUMBER_DIGITS and number.isascii() and number.isdigit() and luhn.is_valid(number)


def _command(text: str) -> ParsedText | None:
    found = _COMMAND.match(text)
    if found is None:
        alone = _ALONE.get(_NOT_LETTERS.sub("", text).upper()) if len(text) < 2 * NUMBER_DIGITS else None
        return ParsedText("", command=alone) if alone else None
    rest = text[found.end() :]
    number = plain_digits(found["number"] or "")
    if found["before"] and not is_our_number(number):
        return None
    if rest and not NUMBER_DIGITS // 2 <= len(number) <= NUMBER_DIGITS:
        return None
    return ParsedText(rest, command="TL" if found["word"].upper() == "TL" else "CEK", number=number or None)


def _about_the_end(text: str) -> ParsedText | None:
    """`BELUM` and `NILAI`; a number must be one of ours, and without one nothing may follow."""
    if found := _BELUM.match(text):
        number = plain_digits(found["number"])
        return ParsedText(text[found.end() :], command="BELUM", number=number) if is_our_number(number) else None
    if found := _NILAI.match(text):
        number, rest = plain_digits(found["number"] or ""), text[found.end() :]
        if is_our_number(number) if number else not rest:
            return ParsedText(rest, command="NILAI", number=number or None, rating=int(found["rating"]))
    return None


def _about_the_status(text: str) -> ParsedText | None:
    """A question about a report's status in a sentence of one's own."""
    words = _NOT_LETTERS.sub(" ", text.lower()).split() if len(text) <= _LONGEST_QUESTION else []
    numbers = [word for word in words if word[0].isdecimal()]
    said = set(words).difference(numbers)
    if not said & _ASKING or not said <= _ASKING | _OF_REPORT | _AROUND:
        return None
    number = plain_digits("".join(numbers))
    if is_our_number(number) if number else said & _OF_REPORT:
        return ParsedText("", command="CEK", number=number or None)
    return None


def _after_lapor(text: str) -> tuple[str, bool]:
    found = _LAPOR.match(text) or _BARU.match(text)
    return (text[found.end() :], True) if found else (text, False)


def _folded(word: str) -> str:
    return " ".join(word.upper().split())

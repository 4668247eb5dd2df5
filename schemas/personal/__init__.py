"""Personal data in a text: where they stand, and the text with them masked.

A NIK is 16 digits: the district where it was first issued, the day of birth (women's plus 40), month, year and a serial
number; it has no check digit. The number of a family card (KK) has the same form, so that the word before it tells them
apart. An NPWP of 15 digits has a Luhn digit as its ninth.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from operator import attrgetter
from typing import NamedTuple

from schemas.personal.areas import is_issuing_area
from schemas.personal.hints import ALL, CALLED_PLATE, EMAIL, NUMBER, PLATE, Hints
from schemas.personal.names import name_spans
from schemas.values import PersonalKind, PersonalSpan

_NUMBER = re.compile(r"(?<!\d)\+?\(?\d[\d()]*(?:(?:[ .\-–_/]|  | - |\) )\(?\d[\d()]*)*", re.ASCII)
_NUMBERS = re.compile(r"[\d(+][\d()+ .\-–_/]{7,}", re.ASCII)
"""Numbers above of eight characters and more, with what stands between them."""
_GROUP = re.compile(r"\d+", re.ASCII)
_EMAIL = re.compile(
    r"[A-Za-z0-9][\w.+-]{0,63}(?:@\s?|\s@(?:\s|(?=g?mail|yahoo|ymail|hotmail|outlook|rocketmail|icloud))|\s?(?:\[at\]|\(at\))\s?)"
    r"[A-Za-z0-9-]+(?:\s?(?:\.|(?:\[dot\]|\(dot\))\s?)[A-Za-z0-9-]+)*"
    r"(?:\.|\s?(?:\[dot\]|\(dot\))\s?)(?:com|co|id|net|org|go|ac|sch|or|web|my|info|biz|io|me|gov|edu|[a-z]{2,6})(?![a-z0-9])",
    re.ASCII | re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![\w/.-])(?:[ABDEFGHKLMNPRSTWZ]|A[ABDEG]|B[ABDEGHKLMNP]|D[ABCDEGHKLMNPRSTW]|E[ABD]|K[BHTU]|P[ABG])"
    r"[ .-]?\d{2,4}[ .-]?(?!(?:JT|RB|KM|CM|MM|KG|GB|MB|TH|HR)\b)[A-Z]{1,3}(?![\w])",
    re.ASCII,
)
_PLATE_BEGINS = re.compile(r"[A-Z][ .-]?\d\d", re.ASCII)
_PLATE_AFTER_WORD = re.compile(
    r"(?:plat|nopol|no\.?\s*pol(?:isi)?|nomor\s+polisi)(?:\s+(?:nomor|nomer|no|motor|mobil)\.?)?\s*(?:[:=]\s*)?"
    r"([a-z]{1,2}[ .-]?\d{1,4}[ .-]?[a-z]{1,3})\b",
    re.IGNORECASE | re.ASCII,
)
_NO_PLATE = re.compile(
    r"\b(?:blok|no|nomor|rt|rw|jl|jln|jalan|gang|gg|km|unit|lantai|lt|type|tipe|pasal|kav|rusun|kelas|kode|booking|kursi)\W*$",
    re.IGNORECASE,
)
_NPWP = re.compile(r"\d{2}[. ]\d{3}[. ]\d{3}[. ]\d[-. ]\d{3}[. ]\d{3}", re.ASCII)
_LABEL = re.compile(
    r"(?P<kk>\bk\.?k\b|kartu\s+keluarga|\bkk\d?)|(?P<nik>\bn\.?i\.?k\b|ktp|induk\s+kependudukan)|(?P<npwp>npwp)|"
    r"(?P<bpjs>bpjs|\bkis\b|\bjkn\b|noka|nomor\s+peserta)|"
    r"(?P<account>\brek(?:ening)?|norek|\bb(?:ca|ri|ni|si|tn)\b|mandiri|cimb|danamon|\bovo\b|gopay|\bdana\b|virtual\s+account"
    r"|\bva\b|transfer|\batm\b|kartu\s+(?:kredit|debit|debet))|"
    r"(?P<phone>\bh\.?p\b|\bw\.?a\b|whats?app?|wa\.me/|te?le?po?n|\bte?lp\b|\btlf?n?p?\b|\btel\b|\bphone|\bhub(?:ungi)?\b"
    r"|\bcp\b|kontak|contact|ponsel|\bsms\b|selule?r)|"
    r"(?P<other>\bnop\b|objek\s+pajak|pelanggan|idpel|\bnib\b|\bnip\b|\bnisn\b|pendaftaran|tiket|\bbarcode|resi|rp|sertifikat"
    r"|berkas|laporan)",
)
_SHORTEST = 2
_START = attrgetter("start")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 18
"""Of a number."""
_BEFORE = 34
"""Characters in which the word for a number is looked for."""
_NO_PERSON = re.compile(
    r"(?:19|20)\d\d\D+(?:19|20)\d\d(?:\D+\d)?|[1-9]\d{0,2}(?:\.\d{3}){2,}|\d{1,2}\.\d\d\s?[-–]\s?\d{1,2}\.\d\d"
    r"|[0-3]?\d([-/. ])[01]?\d\1(?:19|20)\d\d",
    re.ASCII,
)
"""Two years, a price, hours, a day."""
_SPOKEN_LANDLINE = re.compile(r"\(?0(?:21|22|24|31|61|[2-7]\d{2})\)?[ -]{1,3}[2-9]\d{2,3}[ -]?\d{3,4}", re.ASCII)
"""As people write it: the area, then the number."""
_MOBILE = re.compile(r"(?:\+?62|0)?8[1-9]\d{7,10}", re.ASCII)
_LANDLINE = re.compile(r"(?:\+?62|0)(?:21|22|24|31|61|[2-7]\d{2}|9\d{2})\d{5,8}", re.ASCII)


class _Number(NamedTuple):
    digits: str
    written: str
    label: str


def personal_spans(text: str, hints: Hints = ALL) -> tuple[PersonalSpan, ...]:
    """In the order of the text, none inside another. `hints` leave out the rules that find nothing in it."""
    found: list[PersonalSpan] = []
    for finder in _FINDERS:
        for span in finder(text, hints):
            at = bisect_right(found, span.start, key=_START)
            if free := _free(span, found[max(at - 1, 0) : at], found[at : at + 1]):
                found.insert(at, free)
    return tuple(found)


def _free(span: PersonalSpan, before: list[PersonalSpan], behind: list[PersonalSpan]) -> PersonalSpan | None:
    """The span up to the first that was found before it; None where it begins inside one. `before`, `behind`: the
    nearest in the text, as none overlap."""
    end = min(span.end, behind[0].start) if behind else span.end
    if (before and span.start < before[0].end) or end - span.start < _SHORTEST:
        return None
    return PersonalSpan(kind=span.kind, start=span.start, end=end)


def mask_personal(text: str) -> str:
    """The text with its personal data hidden, at most as long as before: for whatever leaves the house."""
    while spans := personal_spans(text):  # what stood beside a masked value may be told apart only now
        text = mask_spans(text, spans)
    return text


def mask_spans(text: str, spans: tuple[PersonalSpan, ...]) -> str:
    """The text with these spans as stars, eight at most each."""
    parts, end = [], 0
    for span in spans:
        parts += [text[end : span.start], "*" * min(span.end - span.start, 8)]
        end = span.end
    return "".join((*parts, text[end:]))


def _emails(text: str, hints: Hints) -> Iterator[PersonalSpan]:
    if hints.signs & EMAIL and ("@" in text or "at]" in text or "at)" in text):
        for match in _EMAIL.finditer(text):
            yield PersonalSpan(kind="email", start=match.start(), end=match.end())


def _numbers(text: str, hints: Hints) -> Iterator[PersonalSpan]:
    for numbers in _NUMBERS.finditer(text) if hints.signs & NUMBER else ():
        for match in _NUMBER.finditer(text, *numbers.span()):
            if match.end() - match.start() >= 8:
                yield from _inside(text, match)


def _inside(text: str, match: re.Match[str]) -> Iterator[PersonalSpan]:
    """The longest runs of groups that are one number each: two may stand side by side."""
    groups = [group.span() for group in _GROUP.finditer(text, match.start(), match.end())]
    digits = "".join(text[start:end] for start, end in groups)
    ends = [0, *accumulate(end - start for start, end in groups)]
    first = 0
    while first < len(groups):
        start = groups[first][0]
        start -= text[start - 1 : start] == "+"
        fewest, most = (bisect_left(ends, ends[first] + n) for n in (_FEWEST_DIGITS, _MOST_DIGITS + 1))
        label = _label(text, start) if fewest < most else ""
        for last in range(most - 2, fewest - 2, -1):
            end = groups[last][1]
            if kind := _kind(_Number(digits[ends[first] : ends[last + 1]], text[start:end], label)):
                yield PersonalSpan(kind=kind, start=_with_bracket(text, start, end), end=end)
                first = last
                break
        first += 1


def _with_bracket(text: str, start: int, end: int) -> int:
    """Where it starts with the bracket, and a plus before that, that is closed inside it: "(0812) 0000"."""
    if text[start - 1 : start] != "(" or ")" not in text[start:end]:
        return start
    return start - 2 if text[max(start - 2, 0) : start] == "+(" else start - 1


def _kind(number: _Number) -> PersonalKind | None:
    if len(set(number.digits)) < 2 or _NO_PERSON.fullmatch(number.written):
        return None
    return next((kind for kind, test in _TESTS if test(number)), None)


def _label(text: str, start: int) -> str:
    """The last word for a number before it."""
    before = text[max(0, start - _BEFORE) : start]
    lower = before.lower()
    if lower == before.upper():  # no letters
        return ""
    found = ""
    for match in _LABEL.finditer(lower):
        found = match.lastgroup or ""
    return found


def _is_kk(number: _Number) -> bool:
    return number.label == "kk" and 15 <= len(number.digits) <= 17


def _is_npwp(number: _Number) -> bool:
    if number.label == "npwp":
        return len(number.digits) in (15, 16)
    if _NPWP.fullmatch(number.written):
        return True
    return len(number.digits) == 15 and number.label not in ("other", "account") and _luhn(number.digits[:9])


def _luhn(digits: str) -> bool:
    """The check digit by ISO/IEC 7812-1; this room stands on the standard library alone."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def _is_nik(number: _Number) -> bool:
    if number.label == "nik":
        return 14 <= len(number.digits) <= 17
    return len(number.digits) == 16 and number.label not in ("account", "other", "bpjs") and is_nik(number.digits)


def is_nik(digits: str) -> bool:
    """Area of issue, day of birth, month and serial number of 16 digits."""
    day, month = int(digits[6:8]), int(digits[8:10])
    return (
        is_issuing_area(digits[:6]) and 1 <= day % 40 <= 31 and day <= 71 and 1 <= month <= 12 and digits[12:] != "0000"
    )


def _is_bpjs(number: _Number) -> bool:
    if number.label == "bpjs":
        return 11 <= len(number.digits) <= 16
    return len(number.digits) == 13 and number.digits.startswith("000")


def _is_account(number: _Number) -> bool:
    return number.label == "account" and 8 <= len(number.digits) <= 16 and not _MOBILE.fullmatch(number.digits)


def _is_phone(number: _Number) -> bool:
    digits = number.digits
    if _MOBILE.fullmatch(digits) and (digits[0] in "06" or number.label == "phone" or number.written.startswith("+")):
        return number.label != "other" or len(digits) <= 13
    if number.label == "phone":
        return 7 <= len(digits) <= 14 and digits[0] != "1"
    if number.label != "other" and _SPOKEN_LANDLINE.fullmatch(number.written):
        return True
    return _LANDLINE.fullmatch(digits) is not None and not number.written[0].isdigit() | number.written.isdigit()


_TESTS: tuple[tuple[PersonalKind, Callable[[_Number], bool]], ...] = (
    ("kk", _is_kk), ("npwp", _is_npwp), ("nik", _is_nik), ("bpjs", _is_bpjs), ("phone", _is_phone),
    ("account", _is_account),
)  # fmt: skip


def _plates(text: str, hints: Hints) -> Iterator[PersonalSpan]:
    for match in _PLATE_AFTER_WORD.finditer(text) if hints.signs & CALLED_PLATE and _calls_plate(text.lower()) else ():
        yield PersonalSpan(kind="plate", start=match.start(1), end=match.end(1))
    for match in _PLATE.finditer(text) if hints.signs & PLATE and _PLATE_BEGINS.search(text) else ():
        if not _NO_PLATE.search(text, max(0, match.start() - 10), match.start()):
            yield PersonalSpan(kind="plate", start=match.start(), end=match.end())


def _calls_plate(lower: str) -> bool:
    return "plat" in lower or "pol" in lower


def _names(text: str, hints: Hints) -> Iterator[PersonalSpan]:
    for start, end in name_spans(text, hints):
        yield PersonalSpan(kind="name", start=start, end=end)


_FINDERS: tuple[Callable[[str, Hints], Iterator[PersonalSpan]], ...] = (_emails, _numbers, _plates, _names)

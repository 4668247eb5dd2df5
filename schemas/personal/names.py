"""Names of people where a text announces them: "nama saya …", "a.n. …", "Bapak …", "Hormat saya, …"."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Set
from pathlib import Path

from schemas.personal.hints import ALL, ANNOUNCED, AT_HOME, Hints

_LISTS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8")).items()
}
"""Word lists, written for the project."""
_OF = "|".join(sorted(_LISTS["of"]))
_STRONG = re.compile(
    rf"\b(?:(?<!atas\s)nama(?:\s+(?:{_OF}|kepala|orang\s?tua))*|be?rnama|atas\s+nama|a\s?[./]\s?n\b|an(?=\s*[.:])"
    r"|perkenalkan|ttd|tertanda|pelapor(?=\s*:)|namanya)"
    r"(?:\s*(?:saya|sy|adalah|yaitu|ialah|kami|dengan|pelapor|nama|bapak|bpk|ibu|pak|bu|sdri?|saudara|saudari|anak|tn|ny"
    r"|alm)\b\.?)*\s*(?:[.:;=,–-]+\s*)?"
)
"""Before a name, however it is written. In small letters, like all before a name: that takes a third of the time."""
_HINTS = ("nama", "rkenalkan", "ttd", "tertanda", "pelapor")
_SHORT_HINTS = ("an.", "an:", "an :", "an .", "a.n", "a/n", "a. n", "a / n")
_ALONE = re.compile(r"\Wan?\s*[.:/]")
"""Without one of these, the short ones at the beginning of a word, the above cannot match."""
_LINE_END = r"[^\S\n]*(?:[,.:][^\S\n]*)?\n+"
_WEAK = re.compile(
    rf"\b(?:s(?:a(?:ya|udara|udari|lam{_LINE_END})|y|dri?)|hormat\s+(?:saya|kami)(?:{_LINE_END})?"
    rf"|(?:wassalam|terima\s?kasih){_LINE_END}|b(?:apak?|pk|u|ang|li|eta)|pak|ibu|m(?:as|bak)|tn|ny|almh?|hj?|u(?:stadz?|da|ni)|cp"
    r"|(?<=\d )an|daeng|puang|kang|om|tante|pdt|tgk|teungku"
    r"|nami(?:\s+abdi)?|jeneng(?:ku|\s+k[ou]l[ao])|ngaran\s+(?:kuring|abdi)|namo\s+(?:ambo|awak)|wastan?\s+tiang)"
    r"[.,:]*\s+"
)
"""Before a name with a capital. Words of one first letter stand together: that takes two thirds of the time."""
_LAST_WORD = re.compile(r"[a-z]+[.,:]*$")
_BEFORE_HOME = re.compile(
    r"s(?<!\w\w)(?:aya|y)\s+([^\W\d_]+(?:\s[^\W\d_]+){0,2})(?:\s*,)?\s+"
    r"(?=(?:warga|alamat|asal|tinggal|umur|usia|berusia|berumur|\d\d\s?(?:tahun|th))\b)"
)
_HOMES = ("warga", "alamat", "asal", "tinggal", "umur", "usia", "tahun", "th")
_WORD = re.compile(r"[^\W\d_]+(?:['’.-][^\W\d_]+)*")
_BETWEEN = re.compile(r"(?:\s*\.\s?|[ ]{1,2}|,\s?(?=(?:S|M|A|Drs?|Ir|SE|SH|ST|SP)\b\.?))")
_INSIDE = _LISTS["inside"]
_ENDS = _LISTS["ends"]
_NO_NAMES = _LISTS["everyday"]
_INFLECTED = re.compile(r"(?:ber|ter|di|me[mn]|pe[mn])[a-z]{4,}|[a-z]{3,}(?:kan|nya)")
_INFLECTED_ALWAYS = re.compile(r"meng[a-z]{3,}|meny[a-z]{4,}|mem[bp][a-z]{4,}|[a-z]{5,}kan")
_NO_ADDRESS = re.compile(
    r"(?:/\s?|\b[a-z]\.|\b(?:jl|jln|jalan|gg|gang|lrg?|lorong|simpang|rs|rsud|masjid)"
    r"[. ]{1,2}\w{0,4}[. ]{0,2})\Z"
)
"""Before a word that names nobody then: "Bapak/Ibu", "S.H.", "Jl. H. Agus Salim"."""
_BEFORE_TITLE = 20
_WORDS_OF_A_NAME = 5
_SMALL = 3
"""Words of a name in small letters: where it ends is a guess."""


def name_spans(text: str, hints: Hints = ALL) -> Iterator[tuple[int, int]]:
    """Start and end of each announced name."""
    signs, titles = hints
    if not signs & (ANNOUNCED | AT_HOME) and titles is not None and not titles:
        return
    lower = text.lower()
    if len(lower) != len(text):  # a few letters are two in small
        lower, titles = text, None
    if signs & ANNOUNCED and _announces(lower):
        yield from _announced(text, lower)
    yield from _addressed(text, _WEAK.finditer(lower) if titles is None else _behind(titles, lower))
    if signs & AT_HOME and any(word in lower for word in _HOMES):
        yield from _at_home(text, lower)


def _announced(text: str, lower: str) -> Iterator[tuple[int, int]]:
    end = 0
    for match in _STRONG.finditer(lower):
        if match.end() > end and (span := _name(text, match.end(), small=True)):
            end = span[1]
            yield span


def _announces(lower: str) -> bool:
    if any(map(lower.__contains__, _HINTS)):
        return True
    return any(map(lower.__contains__, _SHORT_HINTS)) and _ALONE.search(f" {lower}") is not None


def _behind(titles: Set[str], lower: str) -> Iterator[re.Match[str]]:
    """As `_WEAK.finditer`, tried only where one of these pieces stands: that takes a fifth of the time."""
    end = 0
    for start in sorted({start for title in titles for start in _starts(lower, title)}):
        if start >= end and (match := _WEAK.match(lower, start)):
            end = match.end()
            yield match


def _starts(lower: str, title: str) -> Iterator[int]:
    """Where the word of a title begins, whatever signs stand before and behind it in its piece."""
    word = _LAST_WORD.search(title)
    at = lower.find(title)
    while word and at >= 0:
        if lower[at + len(title) : at + len(title) + 1].isspace() and not lower[at - 1 : at].strip():
            yield at + word.start()
        at = lower.find(title, at + 1)


def _addressed(text: str, weak: Iterator[re.Match[str]]) -> Iterator[tuple[int, int]]:
    for match in weak:
        if not text[match.end() : match.end() + 1].isupper() or _begins_sentence(text, match):
            continue
        if span := _name(text, match.end(), small=False):
            alone = match[0].startswith(("saya", "sy", "beta")) and len(_WORD.findall(text, *span)) < 2
            if not (alone or _NO_ADDRESS.search(match.string, max(0, match.start() - _BEFORE_TITLE), match.start())):
                yield span


def _begins_sentence(text: str, match: re.Match[str]) -> bool:
    """ "Terima kasih pak. Kalau": an everyday word after a point or a line break."""
    if "." not in match[0] and "\n" not in match[0]:
        return False
    word = _WORD.match(text, match.end())
    return word is not None and word[0].lower() in _NO_NAMES


def _at_home(text: str, lower: str) -> Iterator[tuple[int, int]]:
    for match in _BEFORE_HOME.finditer(lower):
        words = text[match.start(1) : match.end(1)].split()
        if not any(_ends(word) or (word.islower() and len(word) < 3) for word in words):
            yield match.span(1)


def _name(text: str, start: int, *, small: bool) -> tuple[int, int] | None:
    first = _WORD.match(text, start)
    if first is None or _ends(first[0]) or (first[0].islower() and not small):
        return None
    most = _SMALL if first[0].islower() else _WORDS_OF_A_NAME
    end, last = first.end(), first[0]
    for _ in range(most - 1):
        gap = _BETWEEN.match(text, end)
        word = _WORD.match(text, gap.end()) if gap else None
        if word is None or not _goes_on(last, word[0]) or ("." in gap[0] and len(last) > 4):  # type: ignore[index]
            break
        end, last = word.end(), word[0]
    end += text[end : end + 1] == "." and len(last) == 1
    return (start, end) if end - start > 2 or last.isupper() else None


def _goes_on(last: str, word: str) -> bool:
    if _ends(word):
        return False
    if last[0].isupper() or last in _INSIDE:
        return word[0].isupper() or word.lower() in _INSIDE
    return word[0].islower() or word.lower() in _INSIDE


def _ends(word: str) -> bool:
    lower = word.lower()
    if lower in _ENDS or _INFLECTED_ALWAYS.fullmatch(lower):
        return True
    return word.islower() and (lower in _NO_NAMES or _INFLECTED.fullmatch(lower) is not None)
